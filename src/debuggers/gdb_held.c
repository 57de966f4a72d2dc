#include "debuggers/gdb_held.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "debuggers/gdb_stack.h"
#include "trace/tracing.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ATTACH_NS (10 * ML_NS_PER_S)
#define WAKE_NS (100 * ML_NS_PER_MS) /* a SIGSTOP that was left behind acts by then */
#define ANSWER_NS (5 * ML_NS_PER_S)

/* A thread, and gdb's answer about its frames. */
struct stack {
    pid_t thread;
    int64_t told_ns;
    struct ml_mi_record answer;
};

struct ml_held {
    struct ml_gdb *gdb;
    char inferior[16]; /* gdb's name of it, "i1" */
    dev_t device;      /* of the program that gdb knows it to run */
    ino_t inode;
    /* Of the present order: */
    const struct ml_stack_target *target;
    bool attached, was_stopped;
    int64_t begin_ns, there_ns, end_ns; /* order to attach, stop, detach; 0: not yet */
    struct ml_maps maps;
    struct stack *stacks;
    size_t n_stacks, capacity;
    enum ml_stack_failure failure; /* 0: none */
    struct ml_error text;
};

enum ml_status ml_held_open(struct ml_gdb *gdb, bool first, struct ml_held **out_held,
                            struct ml_error *err)
{
    struct ml_mi_record answer = {0};
    struct ml_error text;
    struct ml_held *held = ml_alloc(sizeof *held);
    held->gdb = gdb;
    strcpy(held->inferior, "i1");
    if (!first) {
        enum ml_status status = ml_gdb_ask(gdb, ANSWER_NS, 0, &answer, err, "-add-inferior");
        const struct ml_mi_value *name = ml_mi_find(&answer, "inferior");
        if (!status && ml_gdb_failed(&answer, &text))
            status = ml_fail(err, ML_NODE_LOST, "gdb adds no inferior: %s", text.text);
        snprintf(held->inferior, sizeof held->inferior, "%s", name ? name->text : "");
        ml_mi_free(&answer);
        if (status) {
            ml_held_close(held);
            return status;
        }
    }
    *out_held = held;
    return ML_OK;
}

static void fail_target(struct ml_held *held, enum ml_stack_failure why, const char *text)
{
    held->failure = why;
    ml_fail(&held->text, ML_OK, "%s", text);
}

static void note_end(struct ml_held *held)
{
    struct ml_error text;
    ml_fail(&text, ML_OK, "pid %d ended", (int)held->target->pid);
    fail_target(held, ML_STACK_GONE, text.text);
}

/* Tells from the process's state why gdb, which SAID so, could not have it. */
static void explain(struct ml_held *held, const char *said)
{
    struct ml_error text;
    int pid = (int)held->target->pid;
    struct ml_tracing now = ml_tracing_of(held->target->pid);
    enum ml_stack_failure why = ML_STACK_FAILED;
    if (now.gone || strstr(said, "No such process")) {
        note_end(held);
        return;
    }
    ml_fail(&text, ML_OK, "pid %d: gdb: %s", pid, said);
    if (now.tracer && now.tracer != held->gdb->debugger.pid) {
        why = ML_STACK_TRACED;
        ml_fail(&text, ML_OK, "pid %d is traced by pid %d", pid, (int)now.tracer);
    } else if (strstr(said, "Operation not permitted")) {
        why = ML_STACK_REFUSED;
    }
    fail_target(held, why, text.text);
}

/* gdb keeps the program of the process before: older ones take it for the new one's, too. */
static enum ml_status forget_program(struct ml_held *held, struct ml_error *err)
{
    char path[32];
    struct stat program;
    struct ml_mi_record answer = {0};
    snprintf(path, sizeof path, "/proc/%d/exe", (int)held->target->pid);
    if (stat(path, &program) < 0 ||
        (program.st_dev == held->device && program.st_ino == held->inode))
        return ML_OK;
    held->device = program.st_dev;
    held->inode = program.st_ino;
    enum ml_status status = ml_gdb_ask(held->gdb, ANSWER_NS, 0, &answer, err,
                                       "-file-exec-and-symbols --thread-group %s", held->inferior);
    ml_mi_free(&answer);
    return status;
}

static enum ml_status attach(struct ml_held *held, struct ml_error *err)
{
    struct ml_error said;
    struct ml_mi_record answer = {0};
    held->begin_ns = ml_mono_now().ns;
    held->attached = true; /* as far as anybody knows, until gdb has answered */
    enum ml_status status =
        ml_gdb_ask(held->gdb, ATTACH_NS, held->target->pid, &answer, err,
                   "-target-attach --thread-group %s %d", held->inferior, (int)held->target->pid);
    held->there_ns = held->gdb->held_ns ? held->gdb->held_ns : ml_mono_now().ns;
    if (!status && ml_gdb_failed(&answer, &said)) {
        explain(held, said.text);
        held->attached = held->gdb->held_ns && !held->gdb->left_ns; /* it failed half-way */
    } else if (!status && held->gdb->left_ns) {
        note_end(held);
        held->attached = false;
    } else if (!status && ml_tracing_of(held->target->pid).gone) {
        note_end(held);
    }
    ml_mi_free(&answer);
    return status;
}

enum ml_status ml_held_attach(struct ml_held *held, const struct ml_stack_target *target,
                              struct ml_error *err)
{
    struct ml_tracing before = ml_tracing_of(target->pid);
    held->target = target;
    held->was_stopped = before.stopped || before.stop_pending;
    if (before.gone || before.tracer) {
        explain(held, "");
        return ML_OK;
    }
    enum ml_status status = forget_program(held, err);
    if (!status)
        status = attach(held, err);
    if (!status && held->attached)
        ml_told_read_maps(held->target->pid, &held->maps);
    return status;
}

static enum ml_status ask_frames(struct ml_held *held, const struct ml_gdb_thread *thread,
                                 struct ml_error *err)
{
    struct ml_error said;
    struct stack stack = {.thread = thread->thread};
    enum ml_status status = ml_gdb_ask(held->gdb, ANSWER_NS, 0, &stack.answer, err,
                                       "-stack-list-frames --thread %s --no-frame-filters 0 %d",
                                       thread->id, ML_STACK_DEPTH_MAX);
    stack.told_ns = ml_mono_now().ns;
    if (status || ml_gdb_failed(&stack.answer, &said)) {
        ml_mi_free(&stack.answer);
        if (!status && !held->failure)
            explain(held, said.text);
        return status;
    }
    ML_GROW(held->stacks, held->n_stacks, held->capacity);
    held->stacks[held->n_stacks++] = stack;
    return ML_OK;
}

enum ml_status ml_held_ask(struct ml_held *held, struct ml_error *err)
{
    struct ml_error said;
    struct ml_mi_record answer = {0};
    size_t n = 0;
    if (!held->attached || held->failure)
        return ML_OK;
    enum ml_status status =
        ml_gdb_ask(held->gdb, ANSWER_NS, 0, &answer, err, "-list-thread-groups %s", held->inferior);
    if (!status && ml_gdb_failed(&answer, &said))
        explain(held, said.text);
    ML_AUTO_FREE struct ml_gdb_thread *threads = ml_gdb_threads(&answer, &n);
    for (size_t i = 0; i < n && !status; i++)
        status = ask_frames(held, &threads[i], err);
    if (!status && !held->n_stacks && !held->failure)
        explain(held, "no threads");
    ml_mi_free(&answer);
    return status;
}

enum ml_status ml_held_detach(struct ml_held *held, struct ml_error *err)
{
    struct ml_error said;
    struct ml_mi_record answer = {0};
    if (!held->attached)
        return ML_OK;
    if (ml_tracing_of(held->target->pid).gone) {
        held->gdb->spoilt = true;
        held->attached = false;
        held->end_ns = ml_mono_now().ns;
        return ML_OK;
    }
    enum ml_status status = ml_gdb_ask(held->gdb, ANSWER_NS, 0, &answer, err,
                                       "-target-detach --thread-group %s", held->inferior);
    held->end_ns = held->gdb->left_ns ? held->gdb->left_ns : ml_mono_now().ns;
    if (!status && ml_gdb_failed(&answer, &said) &&
        ml_tracing_of(held->target->pid).tracer == held->gdb->debugger.pid)
        status = ml_fail(err, ML_NODE_LOST, "gdb does not let go of pid %d: %.300s",
                         (int)held->target->pid, said.text);
    held->attached = status != ML_OK;
    ml_mi_free(&answer);
    return status;
}

/* PTRACE_ATTACH sends a SIGSTOP, and the kernel delivers it when a gdb that was killed cannot take
 * it away any more. SIGCONT does, at once and in all threads (also what was taken from the queue,
 * see JOBCTL_STOP_DEQUEUED in the kernel); a process that runs does not notice it. */
void ml_held_lose(struct ml_held *held, const char *why)
{
    if (held->attached && !held->was_stopped && !ml_tracing_of(held->target->pid).gone)
        kill(held->target->pid, SIGCONT);
    if (held->attached)
        held->end_ns = ml_mono_now().ns;
    held->attached = false;
    if (!held->n_stacks && !held->failure)
        explain(held, why);
}

void ml_held_settle(const struct ml_held *held)
{
    bool cut_off = held->failure == ML_STACK_FAILED || held->failure == ML_STACK_GONE;
    if (!held->was_stopped && (cut_off || held->gdb->spoilt))
        ml_tracing_wake(held->target->pid, WAKE_NS);
}

static void pass_stack(const struct ml_held *held, const struct stack *stack, int64_t order_ns,
                       const struct ml_told_process *process, const struct ml_stack_sink *sink)
{
    size_t n;
    ML_AUTO_FREE struct ml_told *told = ml_gdb_frames(&stack->answer, &n);
    const struct ml_stack_thread sample = {.process = held->target->process,
                                           .thread = stack->thread,
                                           .time_ns = held->there_ns,
                                           .stopped_ns = held->end_ns - held->begin_ns,
                                           .took_ns = stack->told_ns - order_ns};
    ml_told_pass(process, told, n, &sample, sink);
}

void ml_held_pass(struct ml_held *held, int64_t order_ns, struct ml_modules *modules,
                  struct ml_symbols *symbols, const struct ml_stack_sink *sink)
{
    const struct ml_told_process process = {held->target->pid, &held->maps, modules, symbols};
    for (size_t i = 0; i < held->n_stacks; i++) {
        pass_stack(held, &held->stacks[i], order_ns, &process, sink);
        ml_mi_free(&held->stacks[i].answer);
    }
    if (!held->n_stacks)
        sink->failed(sink->context, held->target, held->failure, held->text.text);
    held->n_stacks = 0;
    held->failure = 0;
    held->target = NULL;
}

void ml_held_close(struct ml_held *held)
{
    if (!held)
        return;
    ml_maps_free(&held->maps);
    free(held->stacks);
    free(held);
}
