#include "recorder/joining.h"

#include "base/log.h"
#include "flavour/launchers.h"
#include "launch/attach.h"
#include "launch/schedulers.h"
#include "probe/process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MANY_PIDS = 8 }; /* more are not named one by one */

/* The top of what belongs to this recording: mpiexec, or its daemon on this node, or ourselves. */
static pid_t own_top(struct ml_procfs *fs)
{
    struct ml_proc_stat own, parent;
    pid_t top = getpid();
    while (ml_process_stat(fs, top, &own) && ml_process_stat(fs, own.parent, &parent) &&
           ml_launcher_is_process(parent.name))
        top = own.parent;
    return top;
}

/* Our own job by its id: on another node its variable may be missing, or be another job's. */
static enum ml_status name_own_job(const struct ml_options *options, char *out, size_t size,
                                   struct ml_error *err)
{
    struct ml_attach attach;
    enum ml_status status = ml_attach_parse(options->attach, &attach, err);
    const char *job = ml_scheduler_job();
    if (status != ML_OK)
        return status;
    if (strlen(options->attach) >= size)
        return ml_fail(err, ML_RUN_LOST, "--attach: more than %zu bytes; use a name, or job:ID",
                       size);
    if (attach.to != ML_ATTACH_TO_OWN_JOB)
        snprintf(out, size, "%s", options->attach);
    else if (job)
        snprintf(out, size, "job:%s", job);
    else
        return ml_fail(err, ML_RUN_LOST,
                       "--attach: this is no batch job; name what is to be joined: --attach PIDS, "
                       "NAME or job:ID");
    return ML_OK;
}

static enum ml_status add_pids(struct ml_wanted *wanted, struct ml_procfs *fs, const char *list,
                               const struct ml_place *place, struct ml_error *err)
{
    pid_t pid;
    if (place->n_hosts > 1)
        return ml_fail(err, ML_RUN_LOST,
                       "--attach: a PID is of one node, and here are %d: use a name, or job:ID",
                       place->n_hosts);
    while (ml_attach_take_pid(&list, &pid)) {
        struct ml_error why;
        if (ml_wanted_add_pid(wanted, fs, pid, &why) != ML_OK)
            return ml_fail(err, ML_RUN_LOST, "--attach: %.400s", why.text);
    }
    return ML_OK;
}

static enum ml_status want(struct ml_joining *j, struct ml_procfs *fs, const struct ml_place *place,
                           struct ml_error *err)
{
    struct ml_attach attach;
    enum ml_status status = ml_attach_parse(j->what, &attach, err);
    if (status != ML_OK)
        return status;
    j->wanted = (struct ml_wanted){.by = ML_WANTED_BY_NAME, .text = attach.text};
    j->wanted.own = own_top(fs);
    ml_wanted_find_starters(&j->wanted, fs);
    if (attach.to == ML_ATTACH_TO_PIDS)
        return add_pids(&j->wanted, fs, attach.text, place, err);
    if (attach.to == ML_ATTACH_TO_JOB) {
        j->wanted.by = ML_WANTED_BY_JOB;
        j->wanted.variables = ml_scheduler_job_variables();
    }
    return ML_OK;
}

static void tell_missing(int without, const struct ml_place *place)
{
    if (without && place->host == place->root_host)
        ml_log(ML_LOG_NOTICE, "on %d of %d nodes there is nothing to join yet", without,
               place->n_hosts);
}

enum ml_status ml_joining_find(const struct ml_options *options, const struct ml_place *place,
                               struct ml_joining *out_joining, struct ml_error *err)
{
    struct ml_joining *j = out_joining;
    struct ml_procfs fs = {.root = -1};
    enum ml_status status = ml_procfs_open("/proc", &fs, err);
    int counts[2] = {0, 0}; /* processes; nodes without one */
    pid_t first = 0;
    if (status == ML_OK && place->host == place->root_host)
        status = name_own_job(options, j->what, sizeof j->what, err);
    MPI_Bcast(j->what, sizeof j->what, MPI_BYTE, place->root_host, place->samplers);
    if (status == ML_OK && *j->what)
        status = want(j, &fs, place, err);
    if (status == ML_OK)
        counts[0] = ml_wanted_count(&j->wanted, &fs, &first);
    counts[1] = counts[0] == 0;
    if (first)
        snprintf(j->command, sizeof j->command, "%s", ml_process_read_command(&fs, first));
    ml_procfs_close(&fs);
    MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPI_INT, MPI_SUM, place->samplers);
    if (status == ML_OK && *j->what && counts[0] == 0) {
        char words[300];
        ml_joining_describe(j, words, sizeof words);
        return ml_fail(err, ML_RUN_LOST, "--attach: there is nothing of yours to join: %s", words);
    }
    if (status == ML_OK)
        tell_missing(counts[1], place);
    return status;
}

static void describe_pids(const struct ml_wanted *w, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, w->n_pids > 1 ? "PIDs" : "PID");
    for (size_t i = 0; i < w->n_pids && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s %d", i ? "," : "", (int)w->pids[i].pid);
}

void ml_joining_describe(const struct ml_joining *j, char *out, size_t size)
{
    const struct ml_wanted *w = &j->wanted;
    if (w->by == ML_WANTED_BY_JOB)
        snprintf(out, size, "job %.250s", w->text);
    else if (w->by == ML_WANTED_BY_NAME)
        snprintf(out, size, "processes named %.250s", w->text);
    else if (w->n_pids > MANY_PIDS)
        snprintf(out, size, "%zu processes by PID", w->n_pids);
    else
        describe_pids(w, out, size);
}

void ml_joining_free(struct ml_joining *joining)
{
    ml_wanted_free(&joining->wanted);
}
