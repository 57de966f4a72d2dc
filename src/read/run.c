#include "read/run.h"

#include "base/memory.h"
#include "base/own.h"
#include "read/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static herr_t take_cause(unsigned n, const H5E_error2_t *entry, void *context)
{
    (void)n;
    const char **cause = context;
    *cause = entry->desc;
    return 1;
}

const char *ml_run_hdf5_cause(void)
{
    static char text[160];
    const char *cause = NULL;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_cause, &cause);
    snprintf(text, sizeof text, "%s", cause && *cause ? cause : "unknown cause");
    return text;
}

/* Ours have no user block: the signature is at the start. */
static enum ml_status check_signature(struct ml_run *run, struct ml_error *err)
{
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    char start[sizeof signature - 1];
    struct stat st;
    ML_AUTO_FD int fd = open(run->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st))
        return ml_fail_errno(err, ML_RUN_LOST, "%.300s", run->path);
    if (!S_ISREG(st.st_mode))
        return ml_fail(err, ML_RUN_LOST, "%.300s: %s", run->path,
                       S_ISDIR(st.st_mode) ? "a directory, not a file" : "not a file");
    ssize_t n = pread(fd, start, sizeof start, 0);
    if (n == 0)
        return ml_fail(err, ML_RUN_LOST, "%.300s: empty", run->path);
    if (n != sizeof start || memcmp(start, signature, sizeof start) != 0)
        return ml_fail(err, ML_RUN_LOST, "%.300s: not an HDF5 file", run->path);
    run->size_B = st.st_size;
    return ML_OK;
}

static enum ml_status open_hdf5(struct ml_run *run, struct ml_error *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    /* Some file systems know no locks; a finished run is never written again. */
    H5Pset_file_locking(access, 0, 1);
#endif
    run->file = H5Fopen(run->path, H5F_ACC_RDONLY, access);
    const char *cause = run->file < 0 ? ml_run_hdf5_cause() : "";
    H5Pclose(access);
    if (run->file >= 0)
        return ML_OK;
    if (strstr(cause, "truncated") || strstr(cause, "end-of-file"))
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: truncated: it ends at %lld bytes; was it copied whole?", run->path,
                       (long long)run->size_B);
    return ml_fail(err, ML_RUN_LOST, "%.300s: damaged: %s", run->path, cause);
}

static enum ml_status check_ours(const struct ml_run *run, struct ml_error *err)
{
    const char *format = ml_run_attribute(run, "format");
    const char *version = ml_run_attribute(run, "format_version");
    const char *complete = ml_run_attribute(run, "complete");
    int major;
    if (!format || strcmp(format, "memlog") != 0)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: an HDF5 file, but not one of memlog-mpi: attribute format is %s",
                       run->path, format ? "another" : "missing");
    if (!version || sscanf(version, "%d.", &major) != 1)
        return ml_fail(err, ML_RUN_LOST, "%.300s: attribute format_version is missing or no number",
                       run->path);
    if (major > ML_FORMAT_MAJOR)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: format %d is newer than this memlog, which reads format %d; "
                       "use a newer memlog",
                       run->path, major, ML_FORMAT_MAJOR);
    if (!complete || strcmp(complete, "1") != 0)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: not complete: its writing was cut off; 'memlog recover JOURNALS "
                       "-o FILE' makes it anew from the run's journals",
                       run->path);
    return ML_OK;
}

enum ml_status ml_run_open(const char *path, struct ml_run **out_run, struct ml_error *err)
{
    struct ml_run *run = ml_alloc(sizeof *run);
    run->file = -1;
    run->path = ml_strdup(path);
    enum ml_status status = check_signature(run, err);
    if (status)
        goto fail;
    status = open_hdf5(run, err);
    if (status)
        goto fail;
    ml_run_load_attributes(run);
    status = check_ours(run, err);
    if (status)
        goto fail;
    *out_run = run;
    return ML_OK;
fail:
    ml_run_close(run);
    return status;
}

size_t ml_run_attributes(const struct ml_run *run, const struct ml_attribute **out_attributes)
{
    *out_attributes = run->attributes;
    return run->n_attributes;
}

enum ml_status ml_run_check_samples(const struct ml_run *run, size_t number,
                                    const struct ml_process_row *p, size_t n_samples,
                                    struct ml_error *err)
{
    if (p->first_row >= 0 && (uint64_t)p->first_row < n_samples &&
        (uint64_t)p->n_rows <= n_samples - (uint64_t)p->first_row)
        return ML_OK;
    return ml_fail(
        err, ML_RUN_LOST,
        "%.300s: process %zu has rows from %lld on, %lld of them, of the %zu of table samples",
        run->path, number, (long long)p->first_row, (long long)p->n_rows, n_samples);
}

void ml_run_close(struct ml_run *run)
{
    if (!run)
        return;
    for (size_t i = 0; i < run->n_attributes; i++) {
        free((char *)run->attributes[i].name);
        free((char *)run->attributes[i].text);
    }
    free(run->attributes);
    ml_intern_free(&run->verified);
    if (run->file >= 0)
        H5Fclose(run->file);
    free(run->path);
    free(run);
}
