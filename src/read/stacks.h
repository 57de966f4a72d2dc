/* The stacks of a run, with the memory that its processes had when they were taken. */
#ifndef ML_READ_STACKS_H
#define ML_READ_STACKS_H

#include "base/ranges.h"
#include "read/slice.h"

#define ML_STACKS_DEPTH_MAX 4096 /* calls of a stack; a file with deeper ones is damaged */

enum ml_stacks_threads {
    ML_THREADS_ALL,
    ML_THREADS_OWN,  /* none that MPI's libraries made for themselves */
    ML_THREADS_FIRST /* of each process */
};

/* Which samples are wanted. */
struct ml_stacks_choice {
    const struct ml_ranges *ranks; /* NULL: all, also of processes that belong to no rank */
    int64_t since_ns, until_ns;    /* INT64_MIN, INT64_MAX: all */
    int trigger;                   /* enum ml_trigger; 0: any */
    enum ml_stacks_threads threads;
};

/* One thread's stack. Those of a process that were taken at once have the same TAKING. */
struct ml_stacks_sample {
    int64_t time_ns;
    int64_t rss_B;    /* of the process then; -1: not measured before */
    int64_t growth_B; /* of the process since its taking before (the first: since its start), on
                         the threads that were at work; never negative */
    int32_t process;
    int32_t rank;   /* of the process, or of the one that started it; -1: none */
    int64_t weight; /* what it counts; 1 */
    int32_t thread;
    int32_t stack;
    int32_t taking; /* ascending by process and time */
    int8_t trigger;
    bool first;  /* the process's first thread */
    bool worked; /* was held for it, so not blocked in a system call */
};

struct ml_stacks {
    bool recorded; /* the file has the tables; an older one has not */
    const struct ml_frame_row *frames;
    size_t n_frames;
    const struct ml_stack_row *stacks; /* parents come before their children */
    size_t n_stacks;
    struct ml_stacks_sample *samples; /* by process, by time */
    size_t n_samples;
    size_t n_recorded; /* in the file, chosen or not */
    size_t n_of_mpi;   /* left out by ML_THREADS_OWN alone */
    struct ml_slice frame_slice, stack_slice;
};

/* Loads the stacks that CHOICE wants. PROCESSES are the rows of the table. Errors: those of
 * reading; numbers that refer to nothing; more than 2^24 samples of the chosen ranks. */
enum ml_status ml_stacks_load(struct ml_run *run, const struct ml_process_row *processes,
                              size_t n_processes, const struct ml_stacks_choice *choice,
                              struct ml_stacks *out_stacks, struct ml_error *err);

/* Loads frames and stacks, without samples: these are the caller's to add. */
enum ml_status ml_stacks_load_tree(struct ml_run *run, struct ml_stacks *out_stacks,
                                   struct ml_error *err);

/* Leaves of each process what was taken nearest to TIME_NS; of two that are as near, the earlier.
 */
void ml_stacks_nearest(struct ml_stacks *stacks, int64_t time_ns);

/* Numbers in /frames of the calls of STACK into OUT_FRAMES (room for ML_STACKS_DEPTH_MAX),
 * innermost first; their number. */
size_t ml_stacks_frames(const struct ml_stacks *stacks, int32_t stack, int32_t *out_frames);

/* Appends the name of FRAME's function with its NUL, as it is in the file; where nobody knows it
 * "libx.so+0x1234", the module without its folder. */
void ml_stacks_name(const struct ml_frame_row *frame, struct ml_buffer *out);

void ml_stacks_free(struct ml_stacks *stacks);

#endif
