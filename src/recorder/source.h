/* What the sampling rank measures at a tick, behind one table of functions. The sampler walks the
 * table and knows none of the sources; docs/how-to-add.md. */
#ifndef ML_RECORDER_SOURCE_H
#define ML_RECORDER_SOURCE_H

#include "base/loop.h"
#include "gather/epochs.h"
#include "journal/journal.h"
#include "launch/options.h"
#include "launch/starter.h"
#include "probe/wanted.h"

/* The open sources that others ask. Each `open` puts its own in; NULL: it is not open. */
struct ml_sources {
    struct ml_node_probe *node;
    struct ml_process_source *processes;
    struct ml_joined *joined;
    struct ml_calls *calls;
    struct ml_heap *heap;
    struct ml_gpu_source *gpu;
    struct ml_gpu_watch *gpus;
    struct ml_stacks *stacks;
};

struct ml_source_setup {
    struct ml_loop *loop;
    const struct ml_options *options;
    int node;
    const char *mark;             /* in the environment of the run's processes */
    const struct ml_wanted *join; /* what others have started; NULL: we start what is recorded */
    struct ml_starter *starter;
    struct ml_journal *journal;
    struct ml_sources *sources; /* those before it in the table are open */
};

struct ml_tick {
    int64_t number;
    struct ml_mono now;
    struct ml_node_sample_row node; /* each source sets its columns */
    double share; /* of the wall time, left by --overhead for work that can wait */
};

/* How a rank ended. */
struct ml_rank_exit {
    int status;         /* of wait(2) */
    int64_t peak_rss_B; /* its largest resident set, or that of the largest child that it waited
                           for, by the kernel; -1: not known */
};

/* All but name, open and close may be NULL. Each is called for one source after the other, in the
 * order of the table. */
struct ml_source {
    const char *name;
    /* Texts of SETUP outlive it. *OUT_STATE stays NULL where there is nothing to do in this run. */
    enum ml_status (*open)(const struct ml_source_setup *setup, void **out_state,
                           struct ml_error *err);
    /* What is fixed about the node. */
    void (*describe)(void *state, struct ml_node_row *row);
    /* The ticks begin. */
    void (*start)(void *state);
    /* Before the others work: what they do from then on keeps some of the application's processes
     * from running, and so makes others wait for them. */
    void (*look)(void *state);
    /* Measures, and writes to the journal. */
    void (*tick)(void *state, struct ml_tick *tick);
    /* The tick is written; no more than TICK->share may be spent. Not after the last one. */
    void (*react)(void *state, const struct ml_tick *tick);
    /* Something is there that no tick has seen yet. */
    bool (*news)(const void *state);
    /* RANK (-1: the command, where it is a launcher) ended. A tick has seen it before. */
    void (*rank_ended)(void *state, int rank, const struct ml_rank_exit *end);
    /* For rank 0, once a second; LAST: of the last tick. */
    void (*summarize)(const void *state, const struct ml_node_sample_row *last,
                      struct ml_summary *summary);
    /* The last tick is over; totals go into ROW. */
    void (*stop)(void *state, struct ml_node_row *row);
    void (*close)(void *state);
};

/* All there are, ended by NULL. */
extern const struct ml_source *const ml_source_table[];

extern const struct ml_source ml_source_processes, ml_source_node, ml_source_joined,
    ml_source_calls, ml_source_heap, ml_source_gpu, ml_source_stacks;

#endif
