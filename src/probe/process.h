/* One watched process: its files of /proc, kept open, and what was last read from them. */
#ifndef ML_PROBE_PROCESS_H
#define ML_PROBE_PROCESS_H

#include "probe/probe.h"
#include "probe/proc_parse.h"
#include "probe/procfs.h"
#include "record/tables.h"
#include "sums/share.h"

#include <time.h>

/* The environment of a new process is looked at again for so long: between fork and execve it is
 * that of the process that forked it. */
#define ML_PROCESS_YOUNG_NS (5 * 1000000000LL)

enum ml_process_file { ML_FILE_STAT, ML_FILE_STATM, ML_FILE_STATUS, ML_N_FILES };

/* setrlimit(2), those that the kernel keeps to: RLIMIT_RSS has had no effect since Linux 2.4.30.
 * ML_NOT_MEASURED without one. */
struct ml_process_limits {
    int64_t address_B; /* RLIMIT_AS, ulimit -v */
    int64_t data_B;    /* RLIMIT_DATA, ulimit -d; private mappings count since Linux 4.7 */
    int64_t stack_B;   /* RLIMIT_STACK, ulimit -s */
};

struct ml_process {
    int number;
    pid_t pid;
    int64_t start_ticks; /* with the PID, what makes it this process and no other */
    int parent;          /* number; -1 */
    int rank;            /* -1: a helper */
    size_t given;        /* place of that among all that were given, + 1 */
    bool under_rank;     /* some ancestor that is watched has a rank */
    bool ended;          /* a zombie, or gone */
    int64_t empty_ns;    /* since then it has no memory, as it is about to end; 0: it has */
    bool announced;      /* `started` was called with the present name and rank */
    bool seen;           /* `row` holds a measurement, and it has memory still */
    int files[ML_N_FILES];
    char name[ML_COMM_SIZE];
    struct ml_sample_row row;   /* as of now */
    struct ml_sample_row shown; /* passed on last */
    int64_t young_until_ns;
    struct ml_proc_statm statm; /* as read last; with 0 pages: not yet */
    clockid_t clock;            /* of its CPU time, */
    bool has_clock;             /* where there is one */
    int64_t stat_ns;            /* when stat was read last */
    int64_t minor_faults;       /* as read then */
    int64_t status_ns;          /* when status was read last */
    bool status_due;            /* at the next tick, whatever statm says */
    bool status_stale;          /* statm has changed since */
    bool forked;                /* found as a child, and has not called execve since */
    struct ml_share share;      /* as read in the last round that is over */
    struct ml_share fresh;      /* as read in the round under way, where IS_FRESH */
    bool is_fresh;
    bool share_refused;
    int64_t round_mapped_B; /* pages of files and shared memory when the round of readings began */
    int64_t round_anon_B, round_faults_B; /* anonymous pages, and what faults had filled, then */
    int64_t io_ns;                        /* when io was read last; 0: not yet */
    int64_t memory_error_B;               /* so much more than row.memory_B it may have */
    struct ml_process_limits limits;
    int64_t data_B, stack_B; /* what two of these are of, as last read; or -1 */
    int64_t stack_peak_B;    /* the largest resident set until then */
    uint64_t mems;           /* NUMA nodes of which it may take memory, a bit each; 0: not known */
    int64_t mems_due_ns;     /* when they are to be read again */
    struct ml_probe_rank family; /* of a rank: with what it started, when that was added up last */
    struct ml_process *next;     /* in its bucket of the process table */
};

/* Watches PID. NULL if it is gone, or a thread of another process. A zombie is opened, and has
 * `ended` set. */
struct ml_process *ml_process_open(struct ml_procfs *fs, pid_t pid, int64_t now_ns);

/* A process that was gone before it could be opened. */
struct ml_process *ml_process_open_lost(pid_t pid);

/* Reads everything but the share into p->row, the files that seldom have news not each time, and
 * sets `ended` if the process has ended. False if there is nothing to show: it ended, or its memory
 * is gone because it is about to. */
bool ml_process_read(struct ml_procfs *fs, struct ml_process *p, int64_t now_ns);

/* The CPU time as of NOW_NS, where ml_process_read did not need to read it then. */
void ml_process_read_clock(const struct ml_procfs *fs, struct ml_process *p, int64_t now_ns);

/* Whether PID is still that process, and no zombie. */
bool ml_process_is_there(struct ml_procfs *fs, const struct ml_process *p);

struct ml_probe_last ml_process_last(const struct ml_process *p);

/* Reads the stat of any process. False: there is none of that PID. */
bool ml_process_stat(struct ml_procfs *fs, pid_t pid, struct ml_proc_stat *out_stat);

/* Reads the words of its command, with blanks between them, into fs->text. "" if it is refused. */
const char *ml_process_read_command(struct ml_procfs *fs, pid_t pid);

/* Reads the environment into fs->text and returns its length; -1 if it is refused. */
ssize_t ml_process_read_environ(struct ml_procfs *fs, pid_t pid);

void ml_process_close(struct ml_procfs *fs, struct ml_process *p);

#endif
