#include "verdict/verdict.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static bool is_openmpi(void)
{
    return strcmp(MEMLOG_FLAVOUR, "openmpi") == 0;
}

enum ml_cause ml_verdict_cause(const struct ml_rank_end *end, int *out_value)
{
    *out_value = 0;
    if (end->ended_by_us)
        return ML_CAUSE_NONE;
    if (end->abort_code >= 0) {
        *out_value = end->abort_code;
        return ML_CAUSE_ABORT;
    }
    if (WIFSIGNALED(end->status)) {
        *out_value = WTERMSIG(end->status);
        return ML_CAUSE_SIGNAL;
    }
    *out_value = WEXITSTATUS(end->status);
    if (*out_value != 0)
        return ML_CAUSE_EXIT;
    if (end->state == ML_RANK_CONNECTED)
        return ML_CAUSE_NO_FINALIZE;
    return ML_CAUSE_NONE;
}

void ml_verdict_merge(struct ml_verdict *job, const struct ml_verdict *other)
{
    bool earlier = job->cause == ML_CAUSE_NONE || other->time_ns < job->time_ns;
    int refused = job->refused ? job->refused : other->refused;
    if (other->cause != ML_CAUSE_NONE && earlier)
        *job = *other;
    job->refused = refused;
}

struct ml_leave ml_verdict_leave(const struct ml_rank_end *end, const struct ml_verdict *job)
{
    bool no_finalize = job->cause == ML_CAUSE_NO_FINALIZE;
    if (end->abort_code >= 0)
        return (struct ml_leave){.code = end->abort_code};
    /* For a rank that never called MPI_Finalize Open MPI's mpiexec gives 1; Hydra kills the others
     * and gives their status. */
    if (no_finalize && is_openmpi() && job->rank == end->rank)
        return (struct ml_leave){.code = 1};
    if (no_finalize && !is_openmpi() && end->ended_by_us && WIFSIGNALED(end->status))
        return (struct ml_leave){.signal = SIGKILL};
    if (end->ended_by_us)
        return (struct ml_leave){0};
    if (WIFSIGNALED(end->status))
        return (struct ml_leave){.signal = WTERMSIG(end->status)};
    return (struct ml_leave){.code = WEXITSTATUS(end->status)};
}

int ml_verdict_exit_code(const struct ml_verdict *v)
{
    if (v->refused && v->cause != ML_CAUSE_US)
        return v->refused;
    switch (v->cause) {
    case ML_CAUSE_NONE:
    case ML_CAUSE_LEFT:
        return 0;
    case ML_CAUSE_NO_FINALIZE:
        return is_openmpi();
    case ML_CAUSE_SIGNAL:
        return 128 + v->value;
    case ML_CAUSE_US:
        return 70;
    default:
        return v->value & 0xff;
    }
}

void ml_verdict_describe(const struct ml_verdict *v, char *out, size_t size)
{
    char who[32] = "the command";
    if (*v->why.words) {
        snprintf(out, size, "%s", v->why.words);
        return;
    }
    if (v->rank >= 0)
        snprintf(who, sizeof who, "rank %d", v->rank);
    switch (v->cause) {
    case ML_CAUSE_NONE:
        snprintf(out, size, "completed%s", v->refused ? ", but a spawn was refused" : "");
        break;
    case ML_CAUSE_EXIT:
        snprintf(out, size, "%s exited with code %d", who, v->value);
        break;
    case ML_CAUSE_SIGNAL:
        snprintf(out, size, "%s was ended by signal %d (%s)", who, v->value, strsignal(v->value));
        break;
    case ML_CAUSE_ABORT:
        snprintf(out, size, "%s called MPI_Abort with code %d", who, v->value);
        break;
    case ML_CAUSE_NO_FINALIZE:
        snprintf(out, size, "%s ended without MPI_Finalize", who);
        break;
    case ML_CAUSE_LEFT:
        if (v->value == SIGINT)
            snprintf(out, size, "left at ^C, while it ran");
        else
            snprintf(out, size, "left at signal %d (%s), while it ran", v->value,
                     strsignal(v->value));
        break;
    case ML_CAUSE_US:
        snprintf(out, size, "memlog-mpi failed and ended the application");
        break;
    }
}

void ml_verdict_pack(const struct ml_verdict *v, struct ml_buffer *out)
{
    ml_pack_int(out, v->cause);
    ml_pack_int(out, v->rank);
    ml_pack_int(out, v->value);
    ml_pack_int(out, v->time_ns);
    ml_pack_int(out, v->why.death);
    ml_pack_int(out, v->why.sure);
    ml_pack_text(out, v->why.words);
    ml_pack_int(out, v->refused);
}

struct ml_verdict ml_verdict_unpack(struct ml_unpacker *u)
{
    struct ml_verdict v = {.cause = (enum ml_cause)ml_unpack_int(u)};
    v.rank = (int)ml_unpack_int(u);
    v.value = (int)ml_unpack_int(u);
    v.time_ns = ml_unpack_int(u);
    v.why.death = (enum ml_death)ml_unpack_int(u);
    v.why.sure = ml_unpack_int(u) != 0;
    snprintf(v.why.words, sizeof v.why.words, "%s", ml_unpack_text(u));
    v.refused = (int)ml_unpack_int(u);
    return v;
}
