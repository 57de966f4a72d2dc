/* One lldb, kept alive, that takes a stack by attach, backtrace, detach.
 *
 * What can hurt a target, and what is done about it (lldb 13 to 16 on x86_64):
 * - On attach lldb writes a breakpoint over ld.so's _dl_debug_state. Whoever kills lldb or its
 *   lldb-server while they are attached leaves it there, and the target's next dlopen ends in a
 *   SIGTRAP: 4 targets of 5. With `target.require-hardware-breakpoint` lldb does not write into the
 *   code at all. Hardware breakpoints lldb-server has none on x86_64; on aarch64 it has, and there
 *   an lldb-server that is killed may leave one behind.
 * - lldb-server is the one that traces. If lldb dies, it detaches by itself; if it is stopped, the
 *   target is held until we continue or kill it.
 * - An lldb-server that is killed while it attaches leaves a SIGSTOP: the target is continued.
 * - Where threads come and go while it attaches, it may detach with a SIGSTOP still on its way to
 * one of them (1 of some 200 samples): the target is looked at for a moment, and continued.
 * - From version 19 on, lldb continues what it detaches from: it does not get targets that are
 *   stopped by job control.
 * Whatever `detach` answers: the target is let go when /proc says so.
 *
 * Targets go one after the other. Held together by one lldb the first would wait for the attaching
 * of all others: 4 LAMMPS ranks on 2 busy cores were stopped for up to 1.7 s instead of 0.3 s. */
#include "debuggers/debuggers.h"

#include "base/memory.h"
#include "base/own.h"
#include "debuggers/debugger.h"
#include "debuggers/lldb_frames.h"
#include "trace/tracing.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OPEN_NS (30 * ML_NS_PER_S) /* of a cold disk */
#define ATTACH_NS (10 * ML_NS_PER_S)
#define BACKTRACE_NS (10 * ML_NS_PER_S)
#define COMMAND_NS (5 * ML_NS_PER_S)
#define GRACE_NS (2 * ML_NS_PER_S)
#define LOOK_NS (ML_NS_PER_MS / 2)   /* between looks at whether the target is held yet */
#define WAKE_NS (100 * ML_NS_PER_MS) /* a SIGSTOP that was left behind acts by then */
#define SETTLE_NS (20 * ML_NS_PER_MS)

struct lldb {
    struct ml_debugger debugger;
    struct ml_modules *modules;
    struct ml_symbols *symbols;
    unsigned n_commands;
    bool continues; /* what it detaches from */
};

/* A command and its answer. */
struct exchange {
    char end[24];                  /* the unknown command that marks the answer's end */
    struct ml_error error;         /* the first that it tells; "" none */
    int version;                   /* where it tells one; else -1 */
    struct ml_lldb_frames *frames; /* where to add them; NULL: nowhere */
};

static bool on_line(void *context, const char *text)
{
    struct exchange *e = context;
    struct ml_lldb_line said;
    if (ml_lldb_is_end(text, e->end))
        return true;
    if (e->version < 0)
        e->version = ml_lldb_version_parse(text);
    ML_AUTO_FREE char *line = ml_strdup(text);
    enum ml_lldb_kind kind = ml_lldb_line_parse(line, &said);
    if (kind == ML_LLDB_ERROR && !e->error.text[0])
        ml_fail(&e->error, ML_OK, "%s", said.error);
    if (e->frames)
        ml_lldb_frames_add(e->frames, kind, &said);
    return false;
}

static enum ml_status ask(struct lldb *lldb, const char *command, struct ml_mono deadline,
                          struct exchange *out, struct ml_error *err)
{
    *out = (struct exchange){.version = -1};
    snprintf(out->end, sizeof out->end, "@@ml%u@@", ++lldb->n_commands);
    enum ml_status status = ml_debugger_send(&lldb->debugger, deadline, command, err);
    return status == ML_OK ? ml_debugger_send(&lldb->debugger, deadline, out->end, err) : status;
}

static enum ml_status hear(struct lldb *lldb, struct ml_mono deadline, struct exchange *e,
                           struct ml_error *err)
{
    return ml_debugger_read(&lldb->debugger, deadline, on_line, e, err);
}

static enum ml_status run(struct lldb *lldb, const char *command, int64_t limit_ns,
                          struct exchange *out, struct ml_error *err)
{
    struct ml_mono deadline = ml_debugger_in(&lldb->debugger, limit_ns);
    enum ml_status status = ask(lldb, command, deadline, out, err);
    return status == ML_OK ? hear(lldb, deadline, out, err) : status;
}

static const struct {
    const char *text;
    bool required;
} settings[] = {
    {"target.require-hardware-breakpoint true", true},
    {"frame-format " ML_LLDB_FRAME_FORMAT, true},
    {"thread-format " ML_LLDB_THREAD_FORMAT, true},
    {"thread-stop-format " ML_LLDB_THREAD_FORMAT, false},
    {"auto-confirm true", false},
    {"use-color false", false},
    {"stop-line-count-before 0", false},
    {"stop-line-count-after 0", false},
    {"stop-disassembly-display never", false}, /* it costs half of the time of an attach */
    {"target.preload-symbols false", false},
    {"target.load-script-from-symbol-file false", false},
    {"symbols.enable-external-lookup false", false},
    {"plugin.jit-loader.gdb.enable off", false},
};

static enum ml_status configure(struct lldb *lldb, struct ml_error *err)
{
    struct exchange e;
    enum ml_status status = run(lldb, "version", OPEN_NS, &e, err);
    lldb->continues = e.version < 0 || e.version >= 19;
    for (size_t i = 0; status == ML_OK && i < sizeof settings / sizeof *settings; i++) {
        ML_AUTO_FREE char *command = ml_format("settings set %s", settings[i].text);
        status = run(lldb, command, COMMAND_NS, &e, err);
        if (status == ML_OK && e.error.text[0] && settings[i].required)
            status =
                ml_fail(err, ML_NODE_LOST, "lldb of this version cannot be used: %s", e.error.text);
    }
    return status;
}

static void close_lldb(void *state)
{
    struct lldb *lldb = state;
    if (!lldb)
        return;
    ml_debugger_end(&lldb->debugger, GRACE_NS);
    ml_symbols_close(lldb->symbols);
    ml_modules_close(lldb->modules);
    free(lldb);
}

static enum ml_status open_lldb(void **out_state, struct ml_error *err)
{
    static char *const argv[] = {"lldb", "-x", NULL};
    struct lldb *lldb = ml_alloc(sizeof *lldb);
    enum ml_status status = ml_debugger_start(argv, &lldb->debugger, err);
    if (status == ML_OK)
        status = configure(lldb, err);
    if (status != ML_OK)
        goto fail;
    lldb->modules = ml_modules_open();
    lldb->symbols = ml_symbols_open();
    *out_state = lldb;
    return ML_OK;
fail:
    close_lldb(lldb);
    return status;
}

/* One target, from the order to its stacks. */
struct sample {
    pid_t pid;
    struct ml_tracing before;
    struct stat program; /* st_ino 0: unknown */
    pid_t tracer;        /* our lldb-server, once it holds the target */
    bool stop_pending;
    int64_t asked_ns, held_ns, released_ns; /* CLOCK_MONOTONIC */
    struct ml_maps maps;                    /* while it was held */
    struct ml_lldb_frames frames;
    struct ml_error error; /* why there are no frames; "" none */
};

static struct stat program_of(pid_t pid)
{
    struct stat program = {0};
    ML_AUTO_FREE char *path = ml_format("/proc/%d/exe", (int)pid);
    if (stat(path, &program) < 0)
        program.st_ino = 0;
    return program;
}

/* Lets lldb read the program's file while the target still runs. That it cannot is no error: lldb
 * finds the file by itself then, with the target held. */
static enum ml_status create_target(struct lldb *lldb, pid_t pid, struct ml_error *err)
{
    char path[4096];
    struct exchange e;
    ML_AUTO_FREE char *link = ml_format("/proc/%d/exe", (int)pid);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    bool is_plain = path[0] == '/';
    for (const char *p = path; *p; p++)
        is_plain &= (unsigned char)*p >= ' ' && !strchr("\"\\`", *p);
    if (!is_plain || access(path, R_OK) < 0)
        return ML_OK;
    ML_AUTO_FREE char *command = ml_format("target create \"%s\"", path);
    return run(lldb, command, COMMAND_NS, &e, err);
}

/* Sees whether our lldb-server holds the target. */
static void look(const struct lldb *lldb, struct sample *s)
{
    struct ml_tracing now = ml_tracing_of(s->pid);
    if (!now.tracer || ml_tracing_of(now.tracer).parent != lldb->debugger.pid)
        return;
    s->tracer = now.tracer;
    s->held_ns = ml_mono_now().ns;
}

/* lldb needs most of the time of an attach to start lldb-server: the target runs until it is seen
 * to be traced. */
static enum ml_status attach(struct lldb *lldb, struct sample *s, struct exchange *e,
                             struct ml_error *err)
{
    struct ml_mono deadline = ml_debugger_in(&lldb->debugger, ATTACH_NS);
    ML_AUTO_FREE char *command = ml_format("process attach -p %d", (int)s->pid);
    enum ml_status status = ask(lldb, command, deadline, e, err);
    while (status == ML_OK && !s->tracer) {
        struct ml_mono next = ml_debugger_in(&lldb->debugger, LOOK_NS);
        status = hear(lldb, next, e, err);
        look(lldb, s);
        if (status == ML_OK)
            return ML_OK;
        bool late = ml_debugger_is_late(&lldb->debugger, next);
        if (late && next.ns < deadline.ns)
            status = ML_OK;
    }
    return status == ML_OK ? hear(lldb, deadline, e, err) : status;
}

static enum ml_status backtrace(struct lldb *lldb, struct sample *s, struct exchange *e,
                                struct ml_error *err)
{
    struct ml_mono deadline = ml_debugger_in(&lldb->debugger, BACKTRACE_NS);
    /* one frame more than are kept, so that it is seen whether some are missing */
    ML_AUTO_FREE char *command = ml_format("thread backtrace -c %d all", ML_STACK_DEPTH_MAX + 1);
    enum ml_status status = ask(lldb, command, deadline, e, err);
    e->frames = &s->frames;
    if (status != ML_OK)
        return status;
    ml_told_read_maps(s->pid, &s->maps); /* while lldb is busy */
    s->stop_pending = ml_tracing_of(s->pid).stop_pending;
    return hear(lldb, deadline, e, err);
}

/* lldb's own errors go to S; an error that is returned means that it is of no use any more. */
static enum ml_status hold(struct lldb *lldb, struct sample *s, struct ml_error *err)
{
    struct exchange e = {.version = -1};
    enum ml_status status = create_target(lldb, s->pid, err);
    if (status == ML_OK)
        status = attach(lldb, s, &e, err);
    if (status == ML_OK && !e.error.text[0])
        status = backtrace(lldb, s, &e, err);
    s->error = status == ML_OK ? e.error : *err;
    return status;
}

static bool is_held(const struct sample *s)
{
    return s->tracer && ml_tracing_of(s->pid).tracer == s->tracer;
}

/* `target delete` detaches what `detach` failed to, and forgets the breakpoints of this attach, of
 * which lldb tries to set more and more otherwise. */
static enum ml_status let_go(struct lldb *lldb, struct sample *s, struct ml_error *err)
{
    struct exchange e;
    enum ml_status status = run(lldb, "detach", COMMAND_NS, &e, err);
    s->released_ns = ml_mono_now().ns;
    if (status == ML_OK)
        status = run(lldb, "target delete --all", COMMAND_NS, &e, err);
    if (status == ML_OK && is_held(s))
        status = ml_fail(err, ML_NODE_LOST, "lldb does not let go of pid %d", (int)s->pid);
    return status;
}

/* After an error of lldb itself. */
static void let_go_by_force(struct lldb *lldb, struct sample *s)
{
    struct exchange e;
    if (!s->tracer)
        look(lldb, s);
    if (is_held(s))
        s->stop_pending |= ml_tracing_of(s->pid).stop_pending;
    if (s->tracer && is_held(s))
        kill(s->tracer, SIGCONT);
    kill(lldb->debugger.pid, SIGCONT);
    run(lldb, "detach", GRACE_NS, &e, NULL);
    ml_debugger_end(&lldb->debugger, GRACE_NS);
    if (s->tracer)
        ml_tracing_release(s->pid, s->tracer, GRACE_NS);
    s->released_ns = ml_mono_now().ns;
}

static void tell_failure(const struct sample *s, const struct ml_stack_target *target,
                         const struct ml_stack_sink *sink, const char *text)
{
    struct ml_tracing now = ml_tracing_of(s->pid);
    struct stat program = program_of(s->pid);
    bool is_other = s->program.st_ino && program.st_ino &&
                    (program.st_ino != s->program.st_ino || program.st_dev != s->program.st_dev);
    enum ml_stack_failure why = ML_STACK_FAILED;
    if (now.gone || is_other)
        why = ML_STACK_GONE;
    else if (now.tracer)
        why = ML_STACK_TRACED;
    else if (strstr(text, "Operation not permitted"))
        why = ML_STACK_REFUSED;
    sink->failed(sink->context, target, why, text);
}

static void pass_on(struct lldb *lldb, const struct sample *s, const struct ml_stack_target *target,
                    const struct ml_stack_sink *sink)
{
    const struct ml_told_process process = {s->pid, &s->maps, lldb->modules, lldb->symbols};
    int64_t held_ns = s->held_ns ? s->held_ns : s->asked_ns;
    const struct ml_stack_thread thread = {.process = target->process,
                                           .time_ns = held_ns,
                                           .stopped_ns = s->released_ns - held_ns,
                                           .took_ns = ml_mono_now().ns - s->asked_ns};
    if (s->error.text[0])
        tell_failure(s, target, sink, s->error.text);
    else if (!s->frames.n)
        tell_failure(s, target, sink, "lldb tells of no stack");
    else
        ml_lldb_frames_pass(&s->frames, &process, &thread, sink);
}

static enum ml_status take_one(struct lldb *lldb, const struct ml_stack_target *target,
                               const struct ml_stack_sink *sink, struct ml_error *err)
{
    struct sample s = {.pid = target->pid,
                       .before = ml_tracing_of(target->pid),
                       .program = program_of(target->pid),
                       .asked_ns = ml_mono_now().ns};
    if (s.before.gone || s.before.tracer) {
        tell_failure(&s, target, sink, s.before.gone ? "it has ended" : "a debugger holds it");
        return ML_OK;
    }
    if (s.before.stopped && lldb->continues) {
        tell_failure(&s, target, sink, "it is stopped, and lldb would make it run on");
        return ML_OK;
    }
    enum ml_status status = hold(lldb, &s, err);
    if (status == ML_OK)
        status = let_go(lldb, &s, err);
    if (status != ML_OK)
        let_go_by_force(lldb, &s);
    bool is_wrong = status != ML_OK || s.error.text[0];
    if (!s.before.stopped && !s.stop_pending)
        ml_tracing_wake(s.pid, is_wrong ? WAKE_NS : SETTLE_NS);
    pass_on(lldb, &s, target, sink);
    ml_lldb_frames_free(&s.frames);
    ml_maps_free(&s.maps);
    return status;
}

static enum ml_status take(void *state, const struct ml_stack_target *targets, size_t n,
                           const struct ml_stack_sink *sink, struct ml_error *err)
{
    struct ml_error unheard = {{0}};
    enum ml_status status = ML_OK;
    size_t done = 0;
    err = err ? err : &unheard;
    while (status == ML_OK && done < n)
        status = take_one(state, &targets[done++], sink, err);
    for (; done < n; done++)
        sink->failed(sink->context, &targets[done], ML_STACK_FAILED, err->text);
    return status;
}

static int64_t cpu_ns(void *state)
{
    const struct lldb *lldb = state;
    return ml_debugger_cpu_ns(&lldb->debugger);
}

const struct ml_stack_backend ml_stack_lldb = {
    .name = "lldb", .open = open_lldb, .take = take, .cpu_ns = cpu_ns, .close = close_lldb};
