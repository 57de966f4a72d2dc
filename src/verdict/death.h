/* Why a rank died, judged by what is known of it and of its node. Pure: facts in, judgement out. */
#ifndef ML_VERDICT_DEATH_H
#define ML_VERDICT_DEATH_H

#include "sums/room.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ml_death {
    ML_DEATH_PLAIN,      /* of what its exit code or signal says */
    ML_DEATH_OOM_CGROUP, /* killed by the kernel: a cgroup that it was in was full */
    ML_DEATH_OOM_ABOVE,  /* likewise, one above all that can be seen */
    ML_DEATH_OOM_NODE,   /* likewise, the node was */
    ML_DEATH_NO_MEMORY,  /* it asked for memory and was refused: ulimit -v or -d */
    ML_DEATH_TMPFS_FULL, /* it wrote to a page that the file system had no room for */
    ML_DEATH_HUGETLB,    /* it touched a huge page, and the pool was empty */
    ML_DEATH_BUS,        /* a page could not be had: one of these two, or a mapped file was cut */
    ML_DEATH_ASKED,      /* by a signal that was passed on to it: qdel, scancel, a time limit */
    ML_DEATH_KILLED,     /* by KILL, and it was none of the above; not sure where the kernel killed
                            some process of the node meanwhile */
    ML_DEATH_ABORT,      /* it called MPI_Abort */
    ML_DEATH_OOM_NUMA,   /* killed by the kernel: the NUMA nodes that it was bound to were full */
    ML_DEATH_STACK,      /* the stack of its first thread was full: ulimit -s */
    ML_DEATH_SCHEDULER,  /* by a signal from outside, when it had what the batch system allows */
    ML_DEATH_GPU,        /* it ended by itself when the memory of a GPU was full */
};

/* Kills for want of memory that the kernel has counted since the one before, on the node. */
struct ml_oom {
    bool in_cgroup; /* of a process of the job's cgroups */
    bool at_limit;  /* one of these had reached its limit, LIMIT_B */
    bool on_node;   /* of any process */
    int64_t limit_B;
};

/* The stack of its first thread. */
struct ml_death_stack {
    int64_t used_B;  /* as last seen; -1: never */
    int64_t limit_B; /* RLIMIT_STACK; -1: none, or not known */
    int64_t after_B; /* memory of any kind that it took after that; -1: not known */
};

/* The fullest GPU that it used, shortly before. */
struct ml_death_gpu {
    int gpu;                  /* number on the node */
    int64_t left_B, memory_B; /* MEMORY_B not above 0: no such GPU */
    int64_t step_B;           /* the most by which what is used rose from a look to the next */
};

struct ml_death_facts {
    int rank;         /* -1: the command, where it is a launcher */
    const char *node; /* name */
    int status;       /* of wait(2) */
    struct ml_oom oom;
    struct ml_room room; /* the least that was left shortly before */
    int64_t fall_B;      /* the most by which that fell from a tick to the next */
    int64_t node_B;      /* the node's memory */
    int asked;           /* the signal that was passed on to the application; 0: none was */
    bool tmpfs_full;     /* /dev/shm is, or was shortly before */
    bool hugetlb_empty;  /* there is a pool of huge pages, and none was free */
    struct ml_death_stack stack;
    struct ml_death_gpu gpu;
};

struct ml_judgement {
    enum ml_death death;
    bool sure;       /* else it is likely */
    char words[256]; /* "rank 1 on n03 was ended by the kernel: out of memory, ..."; "": PLAIN */
};

struct ml_judgement ml_death_judge(const struct ml_death_facts *facts);

/* RANK on NODE called MPI_Abort with CODE; TEXT: what MPI told the process manager of it, of which
 * the first line is kept where it says more than the code. */
struct ml_judgement ml_death_abort(int rank, const char *node, int code, const char *text);

/* If GPU was full, an end that J says is by the program itself is likely for want of its memory: J
 * says so then. */
void ml_death_blame_gpu(struct ml_judgement *j, const struct ml_death_gpu *gpu);

/* "oom_cgroup"; "plain". */
const char *ml_death_name(enum ml_death death);

#endif
