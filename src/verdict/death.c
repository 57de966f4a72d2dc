#include "verdict/death.h"

#include "base/units.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* A process is refused memory before the last byte is gone: it asks for more than a page. */
#define NEAR_SHARE 20
#define STACK_PART 8

/* What a GPU has left: full is less than a 20th, or less than a fifth where it rose by more at
 * once. */
#define GPU_FULL 20
#define GPU_NEAR 5

const char *ml_death_name(enum ml_death death)
{
    static const char *const names[] = {
        [ML_DEATH_PLAIN] = "plain",           [ML_DEATH_OOM_CGROUP] = "oom_cgroup",
        [ML_DEATH_OOM_ABOVE] = "oom_above",   [ML_DEATH_OOM_NODE] = "oom_node",
        [ML_DEATH_NO_MEMORY] = "no_memory",   [ML_DEATH_TMPFS_FULL] = "tmpfs_full",
        [ML_DEATH_HUGETLB] = "hugetlb_empty", [ML_DEATH_BUS] = "bus",
        [ML_DEATH_ASKED] = "asked",           [ML_DEATH_KILLED] = "killed",
        [ML_DEATH_ABORT] = "abort",           [ML_DEATH_OOM_NUMA] = "oom_numa",
        [ML_DEATH_STACK] = "stack",           [ML_DEATH_SCHEDULER] = "scheduler",
        [ML_DEATH_GPU] = "gpu_full",
    };
    return names[death];
}

static bool is_near(const struct ml_death_facts *f)
{
    const struct ml_room *room = &f->room;
    return room->left_B >= 0 &&
           (room->left_B < room->limit_B / NEAR_SHARE || room->left_B < 2 * f->fall_B);
}

/* ulimit -v or -d. */
static bool is_refused(const struct ml_death_facts *f)
{
    bool refuses = f->room.limit == ML_LIMIT_ADDRESS_SPACE || f->room.limit == ML_LIMIT_DATA;
    return refuses && is_near(f);
}

/* By Slurm's OverMemoryKill, pbs_mom's "mem exceeded". */
static bool is_over(const struct ml_death_facts *f)
{
    return f->room.limit == ML_LIMIT_SCHEDULER && is_near(f);
}

/* It was seen full, or what it took after that fits: a recursion without an end fills its stack in
 * milliseconds. */
static bool is_stack_seen_full(const struct ml_death_stack *stack)
{
    return stack->used_B >= 0 && stack->limit_B - stack->used_B <= stack->limit_B / STACK_PART;
}

static bool is_stack_full(const struct ml_death_stack *stack)
{
    if (stack->limit_B <= 0 || stack->used_B < 0)
        return false;
    int64_t rest_B = stack->limit_B - stack->used_B;
    bool fits =
        stack->after_B >= 0 && llabs(stack->after_B - rest_B) <= stack->limit_B / STACK_PART;
    return is_stack_seen_full(stack) || fits;
}

/* cudaErrorMemoryAllocation and hipErrorOutOfMemory leave no other trace. */
static bool is_gpu_full(const struct ml_death_gpu *gpu)
{
    return gpu->memory_B > 0 &&
           (gpu->left_B < gpu->memory_B / GPU_FULL ||
            (gpu->left_B < gpu->memory_B / GPU_NEAR && gpu->left_B < gpu->step_B));
}

static enum ml_death cause_of_kill(const struct ml_death_facts *f)
{
    bool counted = f->oom.in_cgroup || f->oom.on_node;
    if (f->oom.in_cgroup && f->oom.at_limit)
        return ML_DEATH_OOM_CGROUP;
    if (counted && f->room.limit == ML_LIMIT_NUMA && is_near(f))
        return ML_DEATH_OOM_NUMA;
    if (f->oom.in_cgroup && f->room.limit != ML_LIMIT_NODE)
        return ML_DEATH_OOM_ABOVE;
    if (f->oom.in_cgroup || (f->oom.on_node && f->room.limit == ML_LIMIT_NODE && is_near(f)))
        return ML_DEATH_OOM_NODE;
    if (is_over(f))
        return ML_DEATH_SCHEDULER;
    return f->asked == SIGKILL ? ML_DEATH_ASKED : ML_DEATH_KILLED;
}

static enum ml_death cause_of_signal(const struct ml_death_facts *f, int number)
{
    if (number == SIGKILL)
        return cause_of_kill(f);
    if (number == f->asked)
        return is_over(f) ? ML_DEATH_SCHEDULER : ML_DEATH_ASKED;
    if (number == SIGSEGV && is_stack_full(&f->stack))
        return ML_DEATH_STACK;
    if (number == SIGBUS)
        return f->tmpfs_full      ? ML_DEATH_TMPFS_FULL
               : f->hugetlb_empty ? ML_DEATH_HUGETLB
                                  : ML_DEATH_BUS;
    /* malloc(3) gives NULL, operator new throws: the program ends by itself */
    bool by_itself = number == SIGABRT || number == SIGSEGV;
    if (by_itself && is_refused(f))
        return ML_DEATH_NO_MEMORY;
    return number == SIGABRT && is_gpu_full(&f->gpu) ? ML_DEATH_GPU : ML_DEATH_PLAIN;
}

static enum ml_death cause_of(const struct ml_death_facts *f)
{
    if (WIFSIGNALED(f->status))
        return cause_of_signal(f, WTERMSIG(f->status));
    if (WEXITSTATUS(f->status) == 0)
        return ML_DEATH_PLAIN;
    return is_refused(f)          ? ML_DEATH_NO_MEMORY
           : is_gpu_full(&f->gpu) ? ML_DEATH_GPU
                                  : ML_DEATH_PLAIN;
}

static int say_who(struct ml_judgement *j, int rank, const char *node)
{
    return rank < 0 ? snprintf(j->words, sizeof j->words, "the command on %.64s ", node)
                    : snprintf(j->words, sizeof j->words, "rank %d on %.64s ", rank, node);
}

static void say(struct ml_judgement *j, const struct ml_death_facts *f, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct ml_judgement *j, const struct ml_death_facts *f, const char *format, ...)
{
    va_list args;
    int n = say_who(j, f->rank, f->node);
    va_start(args, format);
    vsnprintf(j->words + n, sizeof j->words - (size_t)n, format, args);
    va_end(args);
}

static void say_end(const struct ml_death_facts *f, char *out, size_t size)
{
    if (WIFSIGNALED(f->status))
        snprintf(out, size, "was ended by signal %d (%s)", WTERMSIG(f->status),
                 strsignal(WTERMSIG(f->status)));
    else
        snprintf(out, size, "exited with code %d", WEXITSTATUS(f->status));
}

static bool is_sure(enum ml_death death, const struct ml_death_facts *f)
{
    switch (death) {
    case ML_DEATH_PLAIN:
    case ML_DEATH_OOM_CGROUP:
    case ML_DEATH_ASKED:
        return true;
    case ML_DEATH_OOM_NODE:
    case ML_DEATH_OOM_NUMA:
        return is_near(f);
    case ML_DEATH_KILLED:
        return !f->oom.on_node;
    default:
        return false;
    }
}

/* The kernel ended it for want of memory. */
static void say_oom(struct ml_judgement *j, const struct ml_death_facts *f)
{
    char size[16];
    if (j->death == ML_DEATH_OOM_CGROUP)
        say(j, f, "was ended by the kernel: out of memory; the job's cgroup (%s) was full",
            ml_size_format(size, sizeof size, f->oom.limit_B));
    else if (j->death == ML_DEATH_OOM_NODE)
        say(j, f, "was ended by the kernel%s: out of memory; the node (%s) was full",
            j->sure ? "" : ", most likely", ml_size_format(size, sizeof size, f->node_B));
    else if (j->death == ML_DEATH_OOM_NUMA)
        say(j, f,
            "was ended by the kernel: out of memory; the NUMA nodes that ranks are bound to (%s) "
            "were full",
            ml_size_format(size, sizeof size, f->room.limit_B));
    else
        say(j, f,
            "was ended by the kernel: out of memory; a cgroup above the job's was full, most "
            "likely, or the node");
}

static void say_refused(struct ml_judgement *j, const struct ml_death_facts *f, const char *end)
{
    char left[16], limit[16];
    say(j, f, "%s, most likely for want of memory: %s were left of the %s that ulimit -%c allows",
        end, ml_size_format(left, sizeof left, f->room.left_B),
        ml_size_format(limit, sizeof limit, f->room.limit_B),
        f->room.limit == ML_LIMIT_DATA ? 'd' : 'v');
}

static void say_over(struct ml_judgement *j, const struct ml_death_facts *f, const char *end)
{
    char left[16], limit[16];
    say(j, f, "%s, most likely by the batch system: %s were left of the %s that it was asked for",
        end, ml_size_format(left, sizeof left, f->room.left_B),
        ml_size_format(limit, sizeof limit, f->room.limit_B));
}

static void say_stack(struct ml_judgement *j, const struct ml_death_facts *f, const char *end)
{
    char size[16], limit[16];
    bool seen = is_stack_seen_full(&f->stack);
    ml_size_format(limit, sizeof limit, f->stack.limit_B);
    ml_size_format(size, sizeof size, seen ? f->stack.used_B : f->stack.after_B);
    say(j, f,
        seen ? "%s, most likely since its stack was full: it had %s of the %s that ulimit -s allows"
             : "%s, most likely since its stack was full: it took %s after it was last "
               "looked at, and "
               "ulimit -s allows %s",
        end, size, limit);
}

void ml_death_blame_gpu(struct ml_judgement *j, const struct ml_death_gpu *gpu)
{
    char left[16], memory[16];
    size_t n = strlen(j->words);
    if (!is_gpu_full(gpu))
        return;
    j->death = ML_DEATH_GPU;
    j->sure = false;
    snprintf(j->words + n, sizeof j->words - n,
             ", likely for want of GPU memory: %s were left of the %s of GPU %d",
             ml_size_format(left, sizeof left, gpu->left_B),
             ml_size_format(memory, sizeof memory, gpu->memory_B), gpu->gpu);
}

struct ml_judgement ml_death_judge(const struct ml_death_facts *facts)
{
    struct ml_judgement j = {.death = cause_of(facts)};
    char end[64];
    say_end(facts, end, sizeof end);
    j.sure = is_sure(j.death, facts);
    switch (j.death) {
    case ML_DEATH_PLAIN:
    case ML_DEATH_ABORT: /* of which it is told */
        break;
    case ML_DEATH_OOM_CGROUP:
    case ML_DEATH_OOM_ABOVE:
    case ML_DEATH_OOM_NODE:
    case ML_DEATH_OOM_NUMA:
        say_oom(&j, facts);
        break;
    case ML_DEATH_NO_MEMORY:
        say_refused(&j, facts, end);
        break;
    case ML_DEATH_GPU:
        say(&j, facts, "%s", end);
        ml_death_blame_gpu(&j, &facts->gpu);
        break;
    case ML_DEATH_STACK:
        say_stack(&j, facts, end);
        break;
    case ML_DEATH_SCHEDULER:
        say_over(&j, facts, end);
        break;
    case ML_DEATH_TMPFS_FULL:
        say(&j, facts, "%s, most likely since /dev/shm is full", end);
        break;
    case ML_DEATH_HUGETLB:
        say(&j, facts, "%s, most likely since the pool of huge pages was empty", end);
        break;
    case ML_DEATH_BUS:
        say(&j, facts,
            "%s: a page of a mapping could not be had, as where /dev/shm is full, huge pages run "
            "out, or a mapped file is cut",
            end);
        break;
    case ML_DEATH_ASKED:
        say(&j, facts, "%s, which came from outside: qdel, scancel, a time limit, Ctrl-C", end);
        break;
    case ML_DEATH_KILLED:
        say(&j, facts,
            j.sure ? "%s, by somebody: not by memlog-mpi, and the kernel counted no kill for want "
                     "of memory"
                   : "%s, by somebody, or by the kernel, which killed some process of the node "
                     "for want of memory meanwhile",
            end);
        break;
    }
    return j;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* What Open MPI 4 and MPICH say where the program itself has called MPI_Abort. */
static bool says_nothing(const char *text)
{
    return !*text || strcmp(text, "N/A") == 0 || begins(text, "application called MPI_Abort(");
}

struct ml_judgement ml_death_abort(int rank, const char *node, int code, const char *text)
{
    struct ml_judgement j = {.death = ML_DEATH_ABORT, .sure = true};
    size_t n = (size_t)say_who(&j, rank, node);
    n += (size_t)snprintf(j.words + n, sizeof j.words - n, "called MPI_Abort with code %d", code);
    if (!says_nothing(text))
        snprintf(j.words + n, sizeof j.words - n, ": %.*s", (int)strcspn(text, "\r\n"), text);
    return j;
}
