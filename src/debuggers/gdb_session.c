#include "debuggers/gdb_session.h"

#include "trace/tracing.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define START_NS (10 * ML_NS_PER_S)
#define GRACE_NS (2 * ML_NS_PER_S)

/* A gdb that does not know one of them does not need it.
 *
 * debug-file-directory is emptied: looking for separate debug information in a hundred libraries,
 * and reading libc's, makes a stop a third longer; gdb takes names from the symbol tables then.
 * libthread_db would tell the threads' pthread_t only. auto-solib-add stays on: without the
 * libraries' unwind tables the frames are garbage. */
static const char *const settings[] = {
    "debuginfod enabled off",
    "auto-load off",
    /* of its own: if gdb is killed while they are there, the target dies of them (SIGTRAP) */
    "may-insert-breakpoints off",
    "debug-file-directory",
    "libthread-db-search-path",
    "print frame-arguments none",
    "print entry-values no",
    "print thread-events off",
    "print symbol-loading off",
    "backtrace past-main on",
    "pagination off",
    "confirm off",
};

struct wait {
    struct ml_gdb *gdb;
    struct ml_mi_record *answer;
    struct ml_mi_record record; /* of the present line */
    bool answered;
    pid_t stop; /* 0: none is waited for (any more) */
};

static void note_answer(struct wait *w)
{
    struct ml_mi_record before = *w->answer;
    *w->answer = w->record;
    w->record = before;
    w->answered = true;
    if (strcmp(w->answer->word, "error") == 0)
        w->stop = 0;
}

/* If the process ends while gdb reads its libraries, gdb (13) complains, prompts, and tells of no
 * stop after it had answered "done". */
static bool is_over(const struct wait *w, const char *line)
{
    return strncmp(line, "(gdb)", 5) == 0 && ml_tracing_of(w->stop).gone;
}

static bool on_line(void *context, const char *line)
{
    struct wait *w = context;
    if (w->answered && is_over(w, line))
        return true;
    if (!ml_mi_parse(line, &w->record))
        return false;
    const struct ml_mi_record *r = &w->record;
    if (r->type == '^' && r->token == w->gdb->token) {
        note_answer(w);
    } else if (r->type == '*' && strcmp(r->word, "stopped") == 0) {
        w->stop = 0;
    } else if (r->type == '=' && strcmp(r->word, "thread-group-started") == 0) {
        w->gdb->held_ns = ml_mono_now().ns;
    } else if (r->type == '=' && strcmp(r->word, "thread-group-exited") == 0) {
        w->gdb->left_ns = ml_mono_now().ns;
        w->stop = 0;
    }
    return w->answered && !w->stop;
}

enum ml_status ml_gdb_ask(struct ml_gdb *gdb, int64_t patience_ns, pid_t stop,
                          struct ml_mi_record *answer, struct ml_error *err, const char *command,
                          ...)
{
    char words[256], line[300];
    struct ml_mono deadline = ml_debugger_in(&gdb->debugger, patience_ns);
    struct wait w = {.gdb = gdb, .answer = answer, .stop = stop};
    va_list args;
    va_start(args, command);
    vsnprintf(words, sizeof words, command, args);
    va_end(args);
    snprintf(line, sizeof line, "%lld%s", (long long)++gdb->token, words);
    gdb->held_ns = gdb->left_ns = 0;
    enum ml_status status = ml_debugger_send(&gdb->debugger, deadline, line, err);
    if (!status)
        status = ml_debugger_read(&gdb->debugger, deadline, on_line, &w, err);
    ml_mi_free(&w.record);
    return status;
}

bool ml_gdb_failed(const struct ml_mi_record *answer, struct ml_error *out_text)
{
    if (strcmp(answer->word, "error") != 0)
        return false;
    const struct ml_mi_value *message = ml_mi_find(answer, "msg");
    ml_fail(out_text, ML_OK, "%s", message ? message->text : "error");
    for (char *p = out_text->text; *p; p++)
        *p = (char)(*p == '\n' ? ' ' : *p);
    return true;
}

enum ml_status ml_gdb_open(struct ml_gdb *out_gdb, struct ml_error *err)
{
    /* mi2 is known since gdb 6; what came later changes nothing that is asked here */
    char *argv[] = {"gdb", "-nx", "-q", "--interpreter=mi2", NULL};
    struct ml_gdb gdb = {0};
    struct ml_mi_record answer = {0};
    enum ml_status status = ml_debugger_start(argv, &gdb.debugger, err);
    for (size_t i = 0; i < sizeof settings / sizeof *settings && !status; i++)
        status = ml_gdb_ask(&gdb, START_NS, 0, &answer, err, "-gdb-set %s", settings[i]);
    ml_mi_free(&answer);
    if (status)
        ml_gdb_close(&gdb);
    else
        *out_gdb = gdb;
    return status;
}

void ml_gdb_close(struct ml_gdb *gdb)
{
    if (gdb->spoilt && gdb->debugger.pid)
        kill(-gdb->debugger.pid, SIGKILL);
    ml_debugger_end(&gdb->debugger, GRACE_NS);
}
