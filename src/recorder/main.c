/* memlog-mpi: the recorder. */
#include "base/log.h"
#include "base/memory.h"
#include "base/scratch.h"
#include "gpu/server.h"
#include "launch/options.h"
#include "launch/plan.h"
#include "launch/speaker.h"
#include "launch/startup.h"
#include "launch/tasks.h"
#include "recorder/about.h"
#include "recorder/accord.h"
#include "recorder/farewell.h"
#include "recorder/helpers.h"
#include "recorder/hub.h"
#include "recorder/member.h"
#include "recorder/outfile.h"
#include "recorder/recorder.h"
#include "recorder/signals.h"
#include "recorder/source_gpu.h"
#include "recorder/stacks.h"
#include "stack/server.h"
#include "store/team_mpi.h"
#include "world/host.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_OURS = 70 };

/* All that a rank process holds. */
struct process {
    struct ml_options options;
    enum ml_launcher launcher;
    struct ml_run_identity identity;
    struct ml_outfile outfile;
    struct ml_place place;
    struct ml_plan plan;
    struct ml_joining joining; /* with --attach */
    struct ml_loop *loop;
    struct ml_starter *starter;
    pid_t starter_pid;
    int number;  /* of the outfile's name */
    int failure; /* exit code, should opening the run fail now */
    int refusal; /* exit code, since something is wrong on this node; 0: nothing */
    struct ml_error why;
    struct ml_error other_options; /* "", or who was given others than rank 0 */
    int parent;                    /* mpiexec's process; 0: not watched */
    struct ml_signals *signals;
    struct ml_member *member;
    struct ml_recorder *recorder; /* on a sampling rank, as the hub */
    struct ml_hub *hub;
    struct ml_scratch scratch;
};

static int complain(int code, const char *text)
{
    if (ml_speaker_is_us())
        ml_log(ML_LOG_ERROR, "%s", text);
    return code;
}

/* This process cannot begin; others may, and wait for it in MPI_Init. */
static _Noreturn void fail_early(const char *text)
{
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof host - 1);
    if (!ml_speaker_of_node_is_us())
        sleep(1); /* who does is to have spoken before mpiexec ends it */
    else if (!ml_speaker_is_us())
        ml_log(ML_LOG_ERROR, "%s: %s", host, text);
    ml_farewell_early(complain(EXIT_OURS, text));
}

/* What can be wrong before MPI is there; the exit code, or 0 to go on. */
static int check(struct process *p, int argc, char **argv, bool *out_done)
{
    struct ml_error err;
    enum ml_options_wish wish;
    char odd[160];
    *out_done = false;
    p->launcher = ml_launcher_ours();
    if (ml_options_parse(argc, argv, &p->options, &wish, &p->why) != ML_OK)
        p->refusal = EXIT_USAGE;
    if (wish != ML_WISH_RUN) {
        *out_done = true;
        if (wish == ML_WISH_HELP)
            ml_options_print_help(stdout);
        else
            ml_about_print(stdout);
        return 0;
    }
    if (ml_startup_check_limits(&err) != ML_OK)
        fail_early(err.text);
    if (!p->options.quiet && ml_speaker_is_us() &&
        (ml_options_misspelt(environ, odd, sizeof odd) ||
         ml_options_idle(&p->options, odd, sizeof odd)))
        ml_log(ML_LOG_WARNING, "%s", odd);
    if (ml_startup_check_launcher(p->launcher, &err) != ML_OK)
        return complain(EXIT_USAGE, err.text);
    /* Open MPI would end the process in MPI_Init, with a page of words. */
    bool mute = p->launcher == ML_LAUNCHER_NONE || !ml_task_pmi_is_ours();
    if (mute && ml_tasks_check(1, &err) != ML_OK)
        return complain(EXIT_OURS, err.text);
    return 0;
}

/* The same of what can differ from node to node. */
static int check_node(struct process *p, struct ml_error *err)
{
    if (ml_outfile_find(&p->options, &p->outfile, err) != ML_OK)
        return EXIT_USAGE;
    if (p->launcher == ML_LAUNCHER_NONE && ml_outfile_check(&p->outfile, err) != ML_OK)
        return EXIT_USAGE;
    if (ml_options_attach(&p->options))
        return 0;
    if (!p->options.command[0]) {
        ml_fail(err, ML_RUN_LOST, "no command; others of this mpiexec have one");
        return EXIT_USAGE;
    }
    return ml_startup_check_command(p->options.command[0], p->launcher == ML_LAUNCHER_OPENMPI, err);
}

static void log_setup(const struct process *p)
{
    enum ml_log_level level = p->options.quiet     ? ML_LOG_ERROR
                              : p->options.verbose ? ML_LOG_DETAIL
                                                   : ML_LOG_NOTICE;
    const char *node = p->place.n_hosts > 1 ? p->place.layout.nodes[p->place.node].name : NULL;
    ml_log_setup("memlog-mpi", node, level);
}

/* The sampler keeps some files open for each process; the application's limit is its own. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* ---- the starter's answers and the signals ---- */

static void task_started(void *context, const struct ml_started *started)
{
    struct process *p = context;
    ml_member_started(p->member, started);
}

/* Not the stack server, which may hold targets, nor the GPU server: they are killed. */
static void continue_helpers(const struct process *p)
{
    ml_signals_continue(p->starter_pid);
    if (p->hub)
        ml_signals_continue(ml_hub_host_pid(p->hub));
}

static void helper_started(void *context, int helper, pid_t pid)
{
    const struct process *p = context;
    if (helper == ML_HELPER_HOST && p->hub) {
        ml_hub_host_started(p->hub, pid);
        continue_helpers(p); /* stopped before its number was known */
    }
    if (helper == ML_HELPER_STACKS && p->recorder)
        ml_stacks_server_started(ml_sampler_sources(ml_recorder_sampler(p->recorder))->stacks, pid);
    if (helper == ML_HELPER_GPUS && p->recorder)
        ml_gpu_source_server_started(ml_sampler_sources(ml_recorder_sampler(p->recorder))->gpu,
                                     pid);
}

static void starter_lost(void *context)
{
    const struct process *p = context;
    ml_log(ML_LOG_DETAIL, "the starter is gone; nothing more can be started");
    if (p->hub)
        ml_hub_starter_lost(p->hub);
    if (p->member)
        ml_member_starter_lost(p->member);
}

/* What the terminal sends goes to the whole process group, the application's ranks included; what
 * Slurm sends often goes to all processes of the job. */
static bool has_it_already(const struct signalfd_siginfo *info)
{
    return info->ssi_code == SI_KERNEL || ml_task_signals_all((pid_t)info->ssi_pid);
}

static void signal_came(void *context, const struct signalfd_siginfo *info)
{
    struct process *p = context;
    int number = (int)info->ssi_signo;
    if (number == SIGCHLD) {
        ml_member_reap(p->member);
        continue_helpers(p);
        return;
    }
    if (number == ml_signals_parent_signal()) {
        if (p->parent && getppid() != p->parent)
            ml_member_orphaned(p->member);
        return;
    }
    if (number == p->options.stack_signal)
        ml_member_stacks_now(p->member);
    else if (has_it_already(info) && number != SIGWINCH)
        ml_member_signal_of_all(p->member, number);
    else
        ml_member_signal(p->member, number);
    /* A shell waits for us to stop, an mpiexec does not. */
    if (number == SIGTSTP && p->launcher == ML_LAUNCHER_NONE)
        raise(SIGSTOP);
}

/* ---- a run ---- */

/* The hub's address goes to the node's rank processes; each connects. Returns the member's end of
 * the connection, and on a sampling rank the listener. */
static int meet_hub(const struct process *p, int *out_listener)
{
    struct sockaddr_un address = {0};
    socklen_t length = 0;
    int node_rank;
    MPI_Comm_rank(p->place.node_comm, &node_rank);
    *out_listener = p->hub || node_rank == 0 ? ml_hub_listen(&address, &length) : -1;
    MPI_Bcast(&address, sizeof address, MPI_BYTE, 0, p->place.node_comm);
    MPI_Bcast(&length, sizeof length, MPI_BYTE, 0, p->place.node_comm);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, length))
        return -1;
    return fd;
}

/* A warning of rank 0's, which the record has too. */
static void warn(const struct process *p, const char *text)
{
    if (p->place.rank != 0 || !*text)
        return;
    ml_log(ML_LOG_WARNING, "%s", text);
    ml_sampler_event(ml_recorder_sampler(p->recorder), -1, ML_EVENT_NOTE, 0, text);
}

static enum ml_status open_hub(struct process *p, int listener, struct ml_error *err)
{
    warn(p, p->place.warning.text);
    warn(p, p->other_options.text);
    struct ml_hub_setup setup = {&p->options,
                                 &p->place,
                                 &p->plan,
                                 p->launcher,
                                 p->starter,
                                 p->scratch.path,
                                 ml_recorder_sampler(p->recorder),
                                 ml_recorder_clock_offset(p->recorder),
                                 p->identity.origin_ns};
    return ml_hub_open(p->loop, &setup, listener, &p->hub, err);
}

/* Collective over the sampling ranks. */
static enum ml_status agree(const struct process *p, enum ml_status status, struct ml_error *err)
{
    struct ml_team samplers;
    struct ml_error own = *err;
    if (status != ML_OK && p->place.n_hosts > 1)
        ml_fail(err, status, "%.100s: %.380s", p->place.layout.nodes[p->place.node].name, own.text);
    ml_team_mpi(p->place.samplers, &samplers);
    return samplers.agree(&samplers, status, err);
}

/* Collective over the sampling ranks: rank 0 knows the name. */
static enum ml_status agree_on_name(struct process *p, int number, struct ml_error *err)
{
    struct ml_outfile *file = &p->outfile;
    MPI_Bcast(file, sizeof *file, MPI_BYTE, p->place.root_host, p->place.samplers);
    p->failure = EXIT_USAGE;
    enum ml_status status = agree(p, ml_outfile_check(file, err), err);
    if (status != ML_OK)
        return status;
    p->failure = EXIT_OURS;
    p->number = ml_outfile_agree(file, number, p->place.samplers);
    ml_outfile_name(file, p->number, p->identity.outfile, sizeof p->identity.outfile);
    return ML_OK;
}

/* Collective over the sampling ranks. */
static bool is_taken(const struct process *p)
{
    int taken = ml_recorder_is_taken(p->recorder);
    MPI_Allreduce(MPI_IN_PLACE, &taken, 1, MPI_INT, MPI_MAX, p->place.samplers);
    return taken && p->outfile.may_move;
}

/* Collective over the sampling ranks. */
static enum ml_status find_joined(struct process *p, struct ml_error *err)
{
    if (p->plan.form != ML_FORM_ATTACH)
        return ML_OK;
    p->failure = EXIT_USAGE;
    return agree(p, ml_joining_find(&p->options, &p->place, &p->joining, err), err);
}

/* Collective over the sampling ranks: the journals. Another run may take the name at the same
 * moment: elements of an array begin together. */
static enum ml_status open_record(struct process *p, struct ml_error *err)
{
    const struct ml_joining *joining = p->plan.form == ML_FORM_ATTACH ? &p->joining : NULL;
    enum ml_status status = agree_on_name(p, 0, err);
    while (status == ML_OK) {
        status = agree(p,
                       ml_recorder_open(p->loop, &p->options, &p->place, &p->plan, &p->identity,
                                        joining, p->starter, &p->recorder, err),
                       err);
        if (status == ML_OK || !is_taken(p))
            break;
        ml_recorder_abandon(p->recorder);
        p->recorder = NULL;
        status = agree_on_name(p, p->number + 1, err);
    }
    if (status == ML_OK && p->number && !p->outfile.ours && p->place.rank == 0)
        ml_log(ML_LOG_NOTICE, "%.300s is taken; this run is recorded in %.300s", p->outfile.path,
               p->identity.outfile);
    return status;
}

/* Collective over the sampling ranks: where one cannot record, none does, and all know why. STATUS:
 * of the node so far. */
static enum ml_status open_recorder(struct process *p, int listener, enum ml_status status,
                                    struct ml_error *err)
{
    if (ml_form_traits(p->plan.form)->hosts && !*p->scratch.path)
        ml_scratch_make(&p->scratch, NULL); /* who cannot do without one says so */
    status = agree(p, status, err);
    if (status == ML_OK)
        status = find_joined(p, err);
    if (status == ML_OK)
        status = open_record(p, err);
    if (status == ML_OK)
        status = agree(p, open_hub(p, listener, err), err);
    if (status != ML_OK) {
        ml_hub_close(p->hub);
        p->hub = NULL;
        ml_recorder_abandon(p->recorder);
    }
    return status;
}

/* Collective over the rank processes of a node: those that reach its sampling rank. */
static enum ml_status agree_on_node(const struct process *p, enum ml_status status,
                                    struct ml_error *err)
{
    struct ml_team node;
    ml_team_mpi(p->place.node_comm, &node);
    return node.agree(&node, status, err);
}

/* Whether MPI_Init has made one world of all that the batch system's launcher started; an mpiexec
 * inside of its tasks has a world of its own. */
static enum ml_status check_world(struct process *p, struct ml_error *err)
{
    int size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    p->failure = EXIT_OURS;
    return p->launcher == ML_LAUNCHER_OTHER ? ml_tasks_check(size, err) : ML_OK;
}

/* Collective. Whether something is wrong on any node. Nobody leaves before: Hydra does not see that
 * a process ends for which the others wait in MPI_Init, and Open MPI loses what it has said. */
static enum ml_status agree_to_begin(struct process *p, struct ml_error *err)
{
    struct ml_team all;
    int least;
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof host - 1);
    if (p->launcher != ML_LAUNCHER_NONE)
        ml_accord_options(&p->options, &p->other_options);
    if (p->launcher != ML_LAUNCHER_NONE && !p->refusal)
        p->refusal = check_node(p, &p->why);
    MPI_Comm_rank(MPI_COMM_WORLD, &p->place.rank);
    MPI_Allreduce(&p->refusal, &p->failure, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Allreduce(&p->refusal, &least, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (least)
        *err = p->why;
    else if (p->refusal)
        ml_fail(err, ML_RUN_LOST, "%.100s: %.380s", host, p->why.text);
    ml_team_mpi(MPI_COMM_WORLD, &all);
    return all.agree(&all, p->refusal ? ML_RUN_LOST : ML_OK, err);
}

static enum ml_status open_run(struct process *p, int starter_fd, struct ml_error *err)
{
    struct ml_starter_events starter_events = {p, task_started, helper_started, starter_lost};
    enum ml_status status = check_world(p, err);
    if (status == ML_OK)
        status = agree_to_begin(p, err);
    if (status != ML_OK)
        return status;
    p->failure = EXIT_USAGE;
    status = ml_place_find(&p->options, &p->place, err);
    if (status != ML_OK)
        return status;
    log_setup(p);
    ml_recorder_identify(&p->identity, p->place.rank);
    status = ml_plan_make(&p->options, &p->place, p->launcher, p->identity.id, &p->plan, err);
    if (status != ML_OK)
        return status;
    p->failure = EXIT_OURS;
    p->loop = ml_loop_new();
    p->starter = ml_starter_open(p->loop, starter_fd, &starter_events);
    int listener;
    int fd = meet_hub(p, &listener);
    if (fd < 0)
        status = ml_fail_errno(err, ML_RUN_LOST, "reach the node's sampling rank");
    status = agree_on_node(p, status, err);
    if (p->place.samplers != MPI_COMM_NULL)
        status = open_recorder(p, listener, status, err);
    /* The sampling rank is the first of its node. */
    int outcome[2] = {status, p->failure};
    MPI_Bcast(outcome, 2, MPI_INT, 0, p->place.node_comm);
    status = (enum ml_status)outcome[0];
    p->failure = outcome[1];
    if (status != ML_OK) {
        if (fd >= 0)
            close(fd);
        return status;
    }
    p->member = ml_member_open(p->loop, &p->options, p->place.rank, fd, p->starter);
    p->signals = ml_signals_open(p->loop, signal_came, p);
    continue_helpers(p); /* stopped before SIGCHLD was looked at */
    return ML_OK;
}

/* On a sampling rank: all nodes have done; the file, then the node's rank processes may go. */
static void finish_record(struct process *p)
{
    struct ml_error words;
    ml_loop_run_until(p->loop, ml_hub_finished(p->hub));
    ml_hub_stop(p->hub);
    const struct ml_verdict *verdict = ml_hub_verdict(p->hub);
    enum ml_status status = ml_recorder_finish(p->recorder, verdict, &words);
    if (p->place.rank == 0)
        ml_log(status == ML_RUN_LOST ? ML_LOG_ERROR
               : status != ML_OK     ? ML_LOG_WARNING
                                     : ML_LOG_NOTICE,
               "%s", words.text);
    ml_hub_dismiss(p->hub);
}

static struct ml_leave run(struct process *p)
{
    const struct ml_leave *leave;
    if (p->hub)
        finish_record(p);
    ml_loop_run_until(p->loop, ml_member_dismissed(p->member, &leave));
    return *leave;
}

/* ---- leaving ---- */

/* Where our own MPI has its files in the scratch folder too, that goes after MPI_Finalize. */
static _Noreturn void part(struct process *p, struct ml_leave how)
{
    bool of_mpi = p->launcher == ML_LAUNCHER_NONE;
    if (!of_mpi)
        ml_scratch_remove(&p->scratch);
    ml_farewell(how, p->place.n_hosts > 1, of_mpi ? &p->scratch : NULL);
}

static _Noreturn void leave(struct process *p, struct ml_leave how)
{
    ml_signals_close(p->signals);
    ml_member_close(p->member);
    ml_hub_close(p->hub);
    ml_recorder_close(p->recorder);
    ml_joining_free(&p->joining);
    ml_starter_close(p->starter);
    part(p, how);
}

/* We cannot record, and nobody's application has started: no application, no record. */
static _Noreturn void give_up(struct process *p, const struct ml_error *err)
{
    ml_log_setup("memlog-mpi", NULL, ML_LOG_ERROR); /* the text names the node */
    if (p->place.rank == 0 && ml_speaker_is_us())   /* where each is a world, each has a rank 0 */
        ml_log(ML_LOG_ERROR, "%s", err->text);
    part(p, (struct ml_leave){.code = p->failure});
}

int main(int argc, char **argv)
{
    struct process p = {0};
    struct ml_error err = {{0}};
    bool done;
    ml_startup_hold_closed();
    prctl(PR_SET_NAME, "memlog-mpi"); /* also where the file is memlog-mpi.openmpi */
    ml_log_setup("memlog-mpi", NULL, ML_LOG_NOTICE);
    int code = check(&p, argc, argv, &done);
    if (code || done)
        return code;
    if (p.launcher == ML_LAUNCHER_NONE) {
        if (!p.refusal)
            p.refusal = check_node(&p, &p.why);
        if (p.refusal)
            return complain(p.refusal, p.why.text);
        ml_scratch_make(&p.scratch, NULL);
    }
    static const struct ml_starter_helper helpers[] = {
        [ML_HELPER_HOST] = {"memlog-host", ml_host_run},
        [ML_HELPER_STACKS] = {"memlog-stacks", ml_stack_serve},
        [ML_HELPER_GPUS] = {"memlog-gpus", ml_gpu_serve},
    };
    int starter = ml_starter_fork(p.options.command, helpers, &p.starter_pid);
    if (starter < 0) {
        ml_fail_errno(&err, ML_RUN_LOST, "start a process");
        fail_early(err.text);
    }
    ml_signals_block();
    if (p.launcher != ML_LAUNCHER_NONE) /* a shell may end before us */
        p.parent = ml_signals_watch_parent();
    raise_file_limit();
    ml_startup_lighten_mpi(p.launcher, p.scratch.path);
    ml_signals_crash_plainly();
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS)
        fail_early("MPI_Init failed");
    ml_signals_crash_plainly();
    if (open_run(&p, starter, &err) != ML_OK)
        give_up(&p, &err);
    leave(&p, run(&p));
}
