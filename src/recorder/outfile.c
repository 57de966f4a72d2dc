#include "recorder/outfile.h"

#include "base/memory.h"
#include "base/own.h"
#include "journal/journal.h"
#include "launch/schedulers.h"

#include <ctype.h>
#include <dirent.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define JOURNAL ".journal"

enum { MOST_NUMBERS = 1000000, JOB_MAX = 128 };

/* ---- names ---- */

void ml_outfile_default(const char *job, char *out, size_t size)
{
    time_t now = time(NULL);
    struct tm tm;
    if (!job) {
        strftime(out, size, "memlog-%Y%m%d-%H%M%S.h5", localtime_r(&now, &tm));
        return;
    }
    char plain[JOB_MAX + 1];
    size_t n = 0;
    for (; *job && n < JOB_MAX; job++) {
        if (*job != ']')
            plain[n++] = isalnum((unsigned char)*job) || strchr("._-", *job) ? *job : '-';
    }
    plain[n] = 0;
    snprintf(out, size, "memlog-%s.h5", plain);
}

void ml_outfile_name(const struct ml_outfile *file, int number, char *out, size_t size)
{
    const char *base = strrchr(file->path, '/') + 1, *dot = strrchr(base, '.');
    bool has_end = dot && dot > base;
    int stem = (int)(has_end ? (size_t)(dot - file->path) : strlen(file->path));
    if (number == 0)
        snprintf(out, size, "%s", file->path);
    else /* without an end: not "run.1", whose journals would be taken for those of "run" */
        snprintf(out, size, "%.*s%c%d%s", stem, file->path, has_end ? '.' : '-', number,
                 file->path + stem);
}

/* ---- whether one is taken ---- */

static enum ml_status refuse_journal(const char *path, bool force, struct ml_error *err)
{
    if (ml_journal_writer(path) == ML_HOLD_HELD)
        return ml_fail(err, ML_RUN_LOST,
                       "%.400s is of a run that goes on; name another FILE with -o", path);
    if (force)
        return ML_OK;
    return ml_fail(
        err, ML_RUN_LOST,
        "%.400s is the record of an earlier run; keep it with memlog recover, remove it, "
        "or --force",
        path);
}

static bool is_journal_of(const char *name, const char *base)
{
    size_t n = strlen(base), length = strlen(name), end = strlen(JOURNAL);
    return strncmp(name, base, n) == 0 && name[n] == '.' && length > n + end &&
           strcmp(name + length - end, JOURNAL) == 0;
}

/* A journal that an earlier run of the same name left is all that there is of that run. */
static enum ml_status check_journals(const char *folder, const char *base, bool force,
                                     struct ml_error *err)
{
    enum ml_status status = ML_OK;
    DIR *dir = opendir(folder);
    for (const struct dirent *e; dir && status == ML_OK && (e = readdir(dir));) {
        if (!is_journal_of(e->d_name, base))
            continue;
        ML_AUTO_FREE char *path = ml_format("%s/%s", folder, e->d_name);
        status = refuse_journal(path, force, err);
    }
    if (dir)
        closedir(dir);
    return status;
}

static enum ml_status check_name(const struct ml_outfile *file, const char *path,
                                 struct ml_error *err)
{
    struct stat s;
    enum ml_status status =
        check_journals(file->journals, strrchr(path, '/') + 1, file->force, err);
    if (status == ML_OK && lstat(path, &s) == 0 && !file->force)
        return ml_fail(err, ML_RUN_LOST,
                       "%.400s is there already; remove it, name another with -o, or --force",
                       path);
    if (status == ML_OK && stat(path, &s) == 0 && S_ISDIR(s.st_mode))
        return ml_fail(err, ML_RUN_LOST, "--outfile: %.400s is a folder", path);
    return status;
}

enum ml_status ml_outfile_check(const struct ml_outfile *file, struct ml_error *err)
{
    return file->may_move ? ML_OK : check_name(file, file->path, err);
}

int ml_outfile_free_number(const struct ml_outfile *file, int number)
{
    char path[sizeof file->path + 16];
    for (; file->may_move && number < MOST_NUMBERS; number++) {
        ml_outfile_name(file, number, path, sizeof path);
        if (check_name(file, path, NULL) == ML_OK)
            break;
    }
    return number;
}

int ml_outfile_agree(const struct ml_outfile *file, int number, MPI_Comm comm)
{
    for (;;) {
        number = ml_outfile_free_number(file, number);
        int ends[2] = {number, -number};
        MPI_Allreduce(MPI_IN_PLACE, ends, 2, MPI_INT, MPI_MAX, comm);
        if (ends[0] == -ends[1])
            return number;
        number = ends[0];
    }
}

/* ---- what was asked for ---- */

static enum ml_status check_folder(const char *folder, const char *purpose, struct ml_error *err)
{
    struct stat s;
    if (stat(folder, &s))
        return ml_fail_errno(err, ML_RUN_LOST, "%s: folder %.300s", purpose, folder);
    if (!S_ISDIR(s.st_mode))
        return ml_fail(err, ML_RUN_LOST, "%s: %.300s is no folder", purpose, folder);
    if (access(folder, W_OK | X_OK))
        return ml_fail_errno(err, ML_RUN_LOST, "%s: write in folder %.300s", purpose, folder);
    return ML_OK;
}

enum ml_status ml_outfile_find(const struct ml_options *options, struct ml_outfile *out_file,
                               struct ml_error *err)
{
    const char *job = ml_scheduler_job();
    struct ml_outfile f = {.force = options->force, .ours = !*options->outfile};
    char name[256];
    ml_outfile_default(job, name, sizeof name);
    const char *wanted = f.ours ? name : options->outfile;
    f.may_move = f.ours || job;
    ML_AUTO_FREE char *cwd = getcwd(NULL, 0);
    ML_AUTO_FREE char *path =
        *wanted == '/' ? ml_strdup(wanted) : ml_format("%s/%s", cwd ? cwd : ".", wanted);
    if (strlen(path) + 16 >= sizeof f.path || strlen(options->journal_dir) >= sizeof f.journals)
        return ml_fail(err, ML_RUN_LOST, "--outfile: the path is too long");
    snprintf(f.path, sizeof f.path, "%s", path);
    const char *beside = dirname(path);
    bool apart = *options->journal_dir;
    snprintf(f.journals, sizeof f.journals, "%s", apart ? options->journal_dir : beside);
    enum ml_status status = check_folder(beside, "--outfile", err);
    if (status == ML_OK && apart)
        status = check_folder(f.journals, "--journal-dir", err);
    if (status == ML_OK)
        *out_file = f;
    return status;
}
