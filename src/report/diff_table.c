#include "report/diff_table.h"

#include "base/memory.h"
#include "base/own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_B 1048576.0
#define SMALL_S 1.0
#define SMALL 0.01 /* of the largest in the table */

struct ml_diff_entry {
    const char *name, *group;
    uint32_t group_number;
    struct ml_diff_number *numbers; /* [measure][run]; NULL: it went into another one */
};

static size_t runs_of(const struct ml_diff_table *t)
{
    return t->n_old + t->n_new;
}

void ml_diff_table_init(struct ml_diff_table *table, size_t n_old, size_t n_new, size_t n_measures,
                        bool absent_is_none)
{
    *table = (struct ml_diff_table){.n_old = n_old,
                                    .n_new = n_new,
                                    .n_measures = n_measures,
                                    .absent_is_none = absent_is_none,
                                    .recorded = ml_alloc(n_old + n_new)};
}

static void accumulate(struct ml_diff_number *sum, const struct ml_diff_number *more)
{
    if (isnan(more->value))
        return;
    if (isnan(sum->value))
        *sum = ml_diff_exact(0);
    sum->value += more->value;
    sum->low += more->low;
    sum->high += more->high;
}

static struct ml_diff_entry *entry_of(struct ml_diff_table *t, const char *name, const char *group)
{
    size_t before = t->names.n, n = t->n_measures * runs_of(t);
    uint32_t i = ml_intern_add(&t->names, name, strlen(name) + 1);
    if (t->names.n == before)
        return &t->entries[i];
    ML_GROW(t->entries, before, t->capacity);
    struct ml_diff_entry *e = &t->entries[i];
    e->name = ml_intern_text(&t->names, name);
    e->group = ml_intern_text(&t->groups, group);
    e->group_number = ml_intern_find(&t->groups, group, strlen(group) + 1);
    e->numbers = ml_realloc_array(NULL, n, sizeof *e->numbers);
    for (size_t k = 0; k < n; k++)
        e->numbers[k] = ml_diff_unknown;
    return e;
}

void ml_diff_table_add(struct ml_diff_table *table, size_t run, const char *name, const char *group,
                       const struct ml_diff_number *numbers)
{
    struct ml_diff_entry *e = entry_of(table, name, group);
    for (size_t m = 0; m < table->n_measures; m++)
        accumulate(&e->numbers[m * runs_of(table) + run], &numbers[m]);
    table->recorded[run] = true;
}

/* ---- what has another name on the other side ---- */

static bool has(const struct ml_diff_table *t, const struct ml_diff_entry *e, size_t from,
                size_t to)
{
    for (size_t m = 0; m < t->n_measures; m++) {
        for (size_t run = from; run < to; run++) {
            if (!isnan(e->numbers[m * runs_of(t) + run].value))
                return true;
        }
    }
    return false;
}

enum { OLD = 1, NEW = 2 };

static int sides_of(const struct ml_diff_table *t, const struct ml_diff_entry *e)
{
    return (has(t, e, 0, t->n_old) ? OLD : 0) | (has(t, e, t->n_old, runs_of(t)) ? NEW : 0);
}

static void merge_into(const struct ml_diff_table *t, struct ml_diff_entry *into,
                       struct ml_diff_entry *e)
{
    for (size_t i = 0; i < t->n_measures * runs_of(t); i++)
        accumulate(&into->numbers[i], &e->numbers[i]);
    free(e->numbers);
    e->numbers = NULL;
}

/* A source line moves when lines are put in before it. */
static void merge_groups(struct ml_diff_table *t)
{
    ML_AUTO_FREE int *sides = ml_alloc((t->groups.n + 1) * sizeof *sides);
    ML_AUTO_FREE struct ml_diff_entry **firsts = ml_alloc((t->groups.n + 1) * sizeof *firsts);
    for (size_t i = 0; i < t->names.n; i++) {
        int of = sides_of(t, &t->entries[i]);
        sides[t->entries[i].group_number] |= of == (OLD | NEW) ? 0 : of;
    }
    for (size_t i = 0; i < t->names.n; i++) {
        struct ml_diff_entry *e = &t->entries[i], **first = &firsts[e->group_number];
        if (sides[e->group_number] != (OLD | NEW) || sides_of(t, e) == (OLD | NEW))
            continue;
        if (*first) {
            merge_into(t, *first, e);
        } else {
            e->name = e->group;
            *first = e;
        }
    }
}

/* ---- rows ---- */

static void fill_in(const struct ml_diff_table *t, struct ml_diff_entry *e)
{
    for (size_t i = 0; i < t->n_measures * runs_of(t); i++) {
        if (t->recorded[i % runs_of(t)] && isnan(e->numbers[i].value))
            e->numbers[i] = ml_diff_exact(0);
    }
}

static void add_row(struct ml_diff_table *t, struct ml_diff_entry *e)
{
    int sides = sides_of(t, e);
    if (t->absent_is_none)
        fill_in(t, e);
    else if (sides != (OLD | NEW)) {
        t->n_old_only += sides == OLD;
        t->n_new_only += sides == NEW;
        return;
    }
    struct ml_diff_row *row = &t->rows[t->n_rows++];
    *row = (struct ml_diff_row){.name = e->name};
    for (size_t m = 0; m < t->n_measures; m++)
        row->by[m] = ml_diff_compare(e->numbers + m * runs_of(t), t->n_old, t->n_new);
}

static double largest(const struct ml_diff_table *t, enum ml_diff_measure measure)
{
    double most = 0;
    for (size_t i = 0; i < t->n_rows; i++) {
        const struct ml_diff_change *c = &t->rows[i].by[measure];
        most = fmax(most, fmax(fabs(c->old.median), fabs(c->new.median)));
    }
    return most;
}

static bool is_small(const struct ml_diff_change *c, double least, double whole)
{
    return !(fabs(c->change) >= least || fabs(c->change) >= SMALL * whole) ||
           !(fabs(c->change) > 0);
}

/* Bytes that are not worth a word do not come before time that is. */
static double weight_of(const struct ml_diff_row *row, enum ml_diff_measure measure, double whole)
{
    const struct ml_diff_change *c = &row->by[measure];
    return is_small(c, measure == ML_DIFF_BYTES ? SMALL_B : SMALL_S, whole) ? 0 : fabs(c->change);
}

static int most_first(const void *a, const void *b, void *context)
{
    const double *whole = context;
    const struct ml_diff_row *x = a, *y = b;
    for (enum ml_diff_measure m = ML_DIFF_BYTES; m <= ML_DIFF_SECONDS; m++) {
        double x_weight = weight_of(x, m, whole[m]), y_weight = weight_of(y, m, whole[m]);
        if (x_weight < y_weight || x_weight > y_weight)
            return x_weight < y_weight ? 1 : -1;
    }
    double x_B = fabs(x->by[ML_DIFF_BYTES].change), y_B = fabs(y->by[ML_DIFF_BYTES].change);
    if (x_B < y_B || x_B > y_B)
        return x_B < y_B ? 1 : -1;
    return strverscmp(x->name, y->name);
}

/* Whether each of the sides was recorded by one of its runs. */
static bool is_comparable(const struct ml_diff_table *t)
{
    bool old = false, new = false;
    for (size_t run = 0; run < runs_of(t); run++) {
        old |= run < t->n_old && t->recorded[run];
        new |= run >= t->n_old && t->recorded[run];
    }
    return old && new;
}

void ml_diff_table_finish(struct ml_diff_table *table)
{
    table->comparable = is_comparable(table);
    if (!table->comparable)
        return;
    merge_groups(table);
    table->rows = ml_realloc_array(NULL, table->names.n, sizeof *table->rows);
    for (size_t i = 0; i < table->names.n; i++) {
        if (table->entries[i].numbers)
            add_row(table, &table->entries[i]);
    }
    double whole[ML_DIFF_MEASURES] = {largest(table, ML_DIFF_BYTES)};
    if (table->n_measures > ML_DIFF_SECONDS)
        whole[ML_DIFF_SECONDS] = largest(table, ML_DIFF_SECONDS);
    qsort_r(table->rows, table->n_rows, sizeof *table->rows, most_first, whole);
    for (size_t i = 0; i < table->n_rows; i++) {
        struct ml_diff_row *row = &table->rows[i];
        row->small = !(weight_of(row, ML_DIFF_BYTES, whole[ML_DIFF_BYTES]) > 0) &&
                     !(weight_of(row, ML_DIFF_SECONDS, whole[ML_DIFF_SECONDS]) > 0);
        table->n_small += row->small;
    }
}

void ml_diff_table_free(struct ml_diff_table *table)
{
    for (size_t i = 0; i < table->names.n; i++)
        free(table->entries[i].numbers);
    free(table->entries);
    free(table->rows);
    free(table->recorded);
    ml_intern_free(&table->names);
    ml_intern_free(&table->groups);
    *table = (struct ml_diff_table){0};
}
