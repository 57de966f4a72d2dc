#include "store/store.h"

#include "base/memory.h"
#include "base/own.h"
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More attributes than that would move to a heap of their own ("dense"), which needs more metadata
 * writes and which some readers do not know. */
#define COMPACT_ATTRIBUTES 4096

void ml_store_library(char *out, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(out, size, "%u.%u.%u", major, minor, release);
}

static hid_t creation_list(hid_t class)
{
    hid_t list = H5Pcreate(class);
    if (list >= 0 &&
        (H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) < 0 ||
         H5Pset_attr_phase_change(list, COMPACT_ATTRIBUTES, 0) < 0)) {
        H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}

static enum ml_status open_draft(struct ml_store *s, struct ml_error *err)
{
    ML_AUTO_HID hid_t access = s->team->file_access(s->team);
    ML_AUTO_HID hid_t creation = creation_list(H5P_FILE_CREATE);
    s->transfer = s->team->transfer(s->team);
    s->group_creation = creation_list(H5P_GROUP_CREATE);
    /* Every member goes into the collective call, whatever it has. */
    s->file = H5Fcreate(ml_draft_file(s->draft), H5F_ACC_TRUNC, creation, access);
    if (s->file < 0 || s->transfer < 0 || s->group_creation < 0)
        return ml_h5_fail(err, ml_draft_path(s->draft), "create");
    if (ml_h5_write_int64(s->file, "complete", 0) < 0)
        return ml_h5_fail(err, ml_draft_path(s->draft), "attribute complete");
    return ML_OK;
}

enum ml_status ml_store_create(struct ml_team *team, struct ml_draft *draft,
                               struct ml_store **out_store, struct ml_error *err)
{
    H5dont_atexit();                       /* closes nothing of ours, and crashes after EIO */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* its stack becomes our text */
    struct ml_store *s = ml_alloc(sizeof *s);
    s->team = team;
    s->draft = draft;
    s->file = s->transfer = s->group_creation = H5I_INVALID_HID;
    enum ml_status status = team->agree(team, open_draft(s, err), err);
    if (status != ML_OK) {
        ml_store_abandon(s);
        return status;
    }
    *out_store = s;
    return ML_OK;
}

static herr_t write_one(hid_t file, enum ml_kind kind, const char *name, const char *text)
{
    if (kind == ML_INT64)
        return ml_h5_write_int64(file, name, strtoll(text, NULL, 10));
    if (kind == ML_REAL)
        return ml_h5_write_real(file, name, strtod(text, NULL));
    return ml_h5_write_text(file, name, text);
}

/* The list as bytes: kind, name NUL, text NUL for each. */
static void pack_attributes(const struct ml_attribute *attributes, size_t n, struct ml_buffer *out)
{
    for (size_t i = 0; i < n; i++) {
        char kind = (char)attributes[i].kind;
        ml_buffer_append(out, &kind, 1);
        ml_buffer_append_text(out, attributes[i].name);
        ml_buffer_append_text(out, attributes[i].text);
    }
}

enum ml_status ml_store_attributes(struct ml_store *store, int member,
                                   const struct ml_attribute *attributes, size_t n,
                                   struct ml_error *err)
{
    struct ml_team *team = store->team;
    struct ml_buffer packed = {0};
    if (team->member == member)
        pack_attributes(attributes, n, &packed);
    int64_t length = (int64_t)packed.length;
    team->broadcast(team, member, &length, sizeof length);
    if (team->member != member) {
        ml_buffer_reserve(&packed, (size_t)length);
        packed.length = (size_t)length;
    }
    team->broadcast(team, member, packed.data, packed.length);
    enum ml_status status = ML_OK;
    while (packed.length) {
        const char *kind = packed.data, *name = kind + 1, *text = name + strlen(name) + 1;
        if (write_one(store->file, (enum ml_kind) * kind, name, text) < 0 && status == ML_OK)
            status = ml_h5_fail(err, ml_draft_path(store->draft), "attribute %s", name);
        ml_buffer_consume(&packed, (size_t)(text + strlen(text) + 1 - packed.data));
    }
    ml_buffer_free(&packed);
    return team->agree(team, status, err);
}

/* The one place where the file is closed. One that cannot be flushed stays open, see give_room. */
static enum ml_status close_file(struct ml_store *s, struct ml_error *err)
{
    if (s->file < 0)
        return ML_OK;
    if (H5Fflush(s->file, H5F_SCOPE_GLOBAL) < 0)
        return ml_h5_fail(err, ml_draft_path(s->draft), "flush");
    hid_t file = s->file;
    s->file = H5I_INVALID_HID;
    return H5Fclose(file) < 0 ? ml_h5_fail(err, ml_draft_path(s->draft), "close") : ML_OK;
}

/* A file that cannot be closed crashes HDF5 1.10.8 when the process ends, or in MPI_Finalize. On a
 * full disk it can be closed once its own data are gone. */
static void give_room(struct ml_store *s)
{
    if (s->team->member == 0 && truncate(ml_draft_file(s->draft), 0) < 0)
        unlink(ml_draft_file(s->draft));
    s->team->largest(s->team, 0); /* nobody closes before that */
}

/* What this host wrote goes to the disk, or to the file server. */
static enum ml_status sync_file(const struct ml_store *s, struct ml_error *err)
{
    ML_AUTO_FD int fd = open(ml_draft_file(s->draft), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL)) /* EINVAL: cannot be synced */
        return ml_fail_errno(err, ML_RUN_LOST, "%.400s: fsync", ml_draft_path(s->draft));
    return ML_OK;
}

/* Serial, with the file to ourselves. */
static enum ml_status set_complete(const struct ml_store *s, struct ml_error *err)
{
    const char *path = ml_draft_path(s->draft);
    ML_AUTO_HID hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    ml_h5_set_no_locking(access);
    ml_h5_set_versions(access);
    hid_t file = H5Fopen(ml_draft_file(s->draft), H5F_ACC_RDWR, access);
    if (file < 0)
        return ml_h5_fail(err, path, "open again");
    hid_t attribute = H5Aopen(file, "complete", H5P_DEFAULT);
    int64_t one = 1;
    bool written = attribute >= 0 && H5Awrite(attribute, H5T_STD_I64LE, &one) >= 0;
    if (attribute >= 0)
        written &= H5Aclose(attribute) >= 0;
    if (H5Fclose(file) < 0 || !written)
        return ml_h5_fail(err, path, "mark as complete");
    return ML_OK;
}

/* Member 0's last steps. */
static enum ml_status publish(struct ml_store *s, bool replace, struct ml_error *err)
{
    if (s->team->member != 0)
        return ML_OK;
    enum ml_status status = set_complete(s, err);
    if (status == ML_OK)
        status = sync_file(s, err);
    return status == ML_OK ? ml_draft_publish(s->draft, replace, err) : status;
}

enum ml_status ml_store_finish(struct ml_store *store, bool replace, struct ml_error *err)
{
    struct ml_team *team = store->team;
    enum ml_status status = team->agree(team, close_file(store, err), err);
    if (status == ML_OK)
        status = team->agree(team, sync_file(store, err), err);
    if (status == ML_OK)
        status = team->agree(team, publish(store, replace, err), err);
    ml_store_abandon(store);
    return status;
}

void ml_store_abandon(struct ml_store *store)
{
    if (!store)
        return;
    if (store->team->largest(store->team, store->file >= 0))
        give_room(store);
    close_file(store, NULL);
    ml_own_hid(&store->transfer);
    ml_own_hid(&store->group_creation);
    free(store);
}
