/* What the sampling rank does at each tick: probe, journal, stacks where they are wanted. */
#ifndef ML_RECORDER_SAMPLER_H
#define ML_RECORDER_SAMPLER_H

#include "base/loop.h"
#include "gather/epochs.h"
#include "journal/journal.h"
#include "launch/options.h"
#include "launch/starter.h"

#include <sys/types.h>

struct ml_sampler;

struct ml_sampler_setup {
    const struct ml_options *options;
    int node;
    const char *node_name;
    const char *mark;    /* in the environment of the run's processes */
    const char *journal; /* path */
    const struct ml_journal_header *header;
    struct ml_starter *starter; /* of the stack server */
};

/* Creates the journal and writes what is known of the node. Errors: the journal cannot be made. */
enum ml_status ml_sampler_open(struct ml_loop *loop, const struct ml_sampler_setup *setup,
                               struct ml_sampler **out_sampler, struct ml_error *err);

/* For what others record beside the samples: attributes, nodes, clocks, job samples. */
struct ml_journal *ml_sampler_journal(struct ml_sampler *s);

void ml_sampler_add_rank(struct ml_sampler *s, int rank, pid_t pid);

/* A page for the MPI hooks of RANK, which is about to be started: the entry of its environment that
 * leads there, to be freed. NULL and ERR: it cannot be made. */
char *ml_sampler_add_page(struct ml_sampler *s, int rank, struct ml_error *err);

/* The same for a launcher, whose ranks are found later. */
char *ml_sampler_add_pages(struct ml_sampler *s, struct ml_error *err);

/* Ticks from now on (or after --sample-delay). */
void ml_sampler_start(struct ml_sampler *s);

/* RANK ended with STATUS of wait(2). */
void ml_sampler_rank_ended(struct ml_sampler *s, int rank, int status);

void ml_sampler_output(struct ml_sampler *s, int64_t time_ns, int rank, enum ml_stream stream,
                       const void *bytes, size_t n);

/* RANK: -1: none. */
void ml_sampler_event(struct ml_sampler *s, int rank, enum ml_event_kind kind, int64_t value,
                      const char *text);

/* The starter has started the stack server. */
void ml_sampler_stack_server_started(struct ml_sampler *s, pid_t pid);

/* Takes the stacks of the node's ranks now, if stacks are wanted at all. */
void ml_sampler_stacks_now(struct ml_sampler *s);

/* Also writes what waits, so that no more than a second is lost at slow rates. */
void ml_sampler_summary(struct ml_sampler *s, struct ml_summary *out_summary);

/* The world host's CPU time counts as the node's; it is asked for while the host lives. */
void ml_sampler_host_cpu(struct ml_sampler *s, pid_t host);

/* Sends SIGNAL to every process of the run on the node, helpers too. */
void ml_sampler_signal_all(struct ml_sampler *s, int signal);

/* Ends the ticks, with a last one, and writes the node's totals. */
void ml_sampler_stop(struct ml_sampler *s);

/* The application has ended and all is recorded: the journal's last frame, and closes it. */
void ml_sampler_complete(struct ml_sampler *s);

/* NULL is fine. The journal stays. */
void ml_sampler_close(struct ml_sampler *s);

#endif
