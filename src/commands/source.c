#include "commands/source.h"

#include "assemble/recover.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "commands/guard.h"
#include "commands/import_log.h"
#include "report/text.h"
#include "store/draft.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

bool ml_command_is_journal(const char *path)
{
    return ends_with(path, ".journal");
}

static void say_missing(const struct ml_recover_report *report)
{
    for (size_t i = 0; i < report->n_unreadable; i++)
        ml_log(ML_LOG_WARNING, "%s; what that journal holds is missing here",
               report->unreadable[i]);
    if (!report->n_missing)
        return;
    struct ml_buffer name = {
        0}; /* it comes from a journal: nothing in it may act on the terminal */
    ml_text_append(&name, report->missing[0], 64, true);
    ml_log(ML_LOG_WARNING, "%zu node%s no journal here, the first is %.*s; their ranks are missing",
           report->n_missing, report->n_missing == 1 ? " has" : "s have", (int)name.length,
           name.length ? name.data : "");
    ml_buffer_free(&name);
}

/* mkstemp, so that nobody else's file is hit; ml_recover then replaces it. */
static char *temporary_name(struct ml_error *err)
{
    const char *folder = getenv("TMPDIR");
    ML_AUTO_FREE char *name =
        ml_format("%s/memlog-read-XXXXXX", folder && *folder ? folder : "/tmp");
    ML_AUTO_FD int fd = mkstemp(name);
    if (fd < 0) {
        ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be made; set TMPDIR to a writable folder",
                      name);
        return NULL;
    }
    return ML_TAKE_POINTER(name);
}

enum ml_status ml_command_open_journals(char *const *paths, size_t n, struct ml_run **out_run,
                                        struct ml_error *err)
{
    struct ml_recover_report report = {0};
    ML_AUTO_FREE char *name = temporary_name(err);
    if (!name)
        return ML_RUN_LOST;
    enum ml_status status = ml_recover(paths, n, name, ML_RECOVER_LOOK, &report, err);
    if (!status) {
        say_missing(&report);
        status = ml_run_open(name, out_run, err);
        ml_recover_report_free(&report);
    }
    unlink(name);
    return status;
}

static enum ml_status open_log(const char *path, struct ml_run **out_run, struct ml_error *err)
{
    ML_AUTO_FREE char *name = temporary_name(err);
    if (!name)
        return ML_RUN_LOST;
    enum ml_status status = ml_command_import_log(path, name, err);
    if (!status)
        status = ml_run_open(name, out_run, err);
    unlink(name);
    return status;
}

/* The journals of OUTFILE, the file that they did not become; PATH, as it was named, is that or its
 * draft. */
static enum ml_status open_found(const char *path, const char *outfile, const char *why,
                                 struct ml_run **out_run, struct ml_error *err)
{
    char **journals = NULL;
    size_t n = 0;
    ml_recover_find(outfile, NULL, &journals, &n);
    if (n == 0) {
        free(journals);
        return ml_fail(err, ML_RUN_LOST, "%.300s: %s, and no journal of it lies beside it", path,
                       why);
    }
    ml_log(ML_LOG_NOTICE, "%s: %s; reading its %zu journal%s instead", path, why, n,
           n == 1 ? "" : "s");
    enum ml_status status = ml_command_open_journals(journals, n, out_run, err);
    for (size_t i = 0; i < n; i++)
        free(journals[i]);
    free(journals);
    return status;
}

enum ml_status ml_command_open_run(const char *path, struct ml_run **out_run, struct ml_error *err)
{
    struct stat st;
    char *journal = (char *)path;
    ml_command_guard();
    if (ml_command_is_journal(path))
        return ml_command_open_journals(&journal, 1, out_run, err);
    ML_AUTO_FREE char *target = ml_draft_target(path);
    if (target)
        return open_found(path, target, "not complete", out_run, err);
    if (ml_command_is_log(path))
        return open_log(path, out_run, err);
    bool there = stat(path, &st) == 0;
    if (!there && errno != ENOENT)
        return ml_fail_errno(err, ML_RUN_LOST, "%.300s", path);
    if (there && (!S_ISREG(st.st_mode) || st.st_size > 0))
        return ml_run_open(path, out_run, err);
    /* On a file system without links who died while it took the name left an empty file. */
    return open_found(path, path, there ? "empty" : "not there", out_run, err);
}
