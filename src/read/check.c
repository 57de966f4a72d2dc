#include "read/check.h"

#include "read/file.h"

#include <stdio.h>

#define NAME_SIZE 64

struct checking {
    struct ml_run *run;
    void (*damage)(void *context, const char *text);
    void *context;
    struct ml_check *check;
    char table[NAME_SIZE];
};

static void note(struct checking *c, enum ml_status status, const struct ml_error *err)
{
    if (status == ML_OK)
        return;
    c->check->damaged++;
    c->damage(c->context, err->text);
}

static herr_t see_column(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    struct checking *c = context;
    struct ml_error err;
    bool known = false;
    int64_t values_B = 0;
    (void)group, (void)info;
    note(c, ml_run_column_verify(c->run, c->table, name, &known, &values_B, &err), &err);
    c->check->columns++;
    c->check->unknown += !known;
    c->check->values_B += values_B;
    return 0;
}

static herr_t see_table(hid_t file, const char *name, const H5L_info_t *info, void *context)
{
    struct checking *c = context;
    (void)info;
    if (snprintf(c->table, sizeof c->table, "%s", name) >= (int)sizeof c->table ||
        !ml_run_is_hard_link(file, name))
        return 0;
    c->check->tables++;
    hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
    struct ml_error err;
    if (group < 0 || H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, see_column, c) < 0)
        note(c,
             ml_fail(&err, ML_RUN_LOST, "%.300s: table %s is damaged: %s", c->run->path, name,
                     ml_run_hdf5_cause()),
             &err);
    if (group >= 0)
        H5Gclose(group);
    return 0;
}

void ml_run_check(struct ml_run *run, void (*damage)(void *context, const char *text),
                  void *context, struct ml_check *out_check)
{
    struct checking c = {run, damage, context, out_check, ""};
    struct ml_error err;
    size_t rows;
    *out_check = (struct ml_check){0};
    if (H5Literate(run->file, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, see_table, &c) < 0)
        note(&c,
             ml_fail(&err, ML_RUN_LOST, "%.300s: the list of tables is damaged: %s", run->path,
                     ml_run_hdf5_cause()),
             &err);
    for (const struct ml_table *const *t = ml_tables; !out_check->damaged && *t; t++) {
        if (ml_run_is_hard_link(run->file, (*t)->name) || ml_run_is_required((*t)->name))
            note(&c, ml_run_count(run, *t, &rows, &err), &err);
    }
}
