/* The ticks of a sampling rank: when they are, what they cost, and what all sources write at them
 * (recorder/source.h). */
#ifndef ML_RECORDER_SAMPLER_H
#define ML_RECORDER_SAMPLER_H

#include "recorder/source.h"
#include "verdict/death.h"

#include <sys/types.h>

struct ml_sampler;

struct ml_sampler_setup {
    const struct ml_options *options;
    int node;
    const char *node_name;
    const char *mark;             /* in the environment of the run's processes */
    const struct ml_wanted *join; /* as struct ml_source_setup */
    const char *journal;          /* path */
    const struct ml_journal_header *header;
    struct ml_starter *starter; /* of helpers that a source may want */
    const struct ml_source *const *table;
};

/* Creates the journal and writes what is known of the node. Errors: the journal cannot be made, a
 * source cannot be opened; then there is no journal of ours. */
enum ml_status ml_sampler_open(struct ml_loop *loop, const struct ml_sampler_setup *setup,
                               struct ml_sampler **out_sampler, struct ml_error *err);

/* For what others record beside the samples: attributes, nodes, clocks, output, job samples. */
struct ml_journal *ml_sampler_journal(struct ml_sampler *s);

/* The sources, for what is asked of them alone. */
const struct ml_sources *ml_sampler_sources(const struct ml_sampler *s);

/* Ticks from now on (or after --sample-delay). */
void ml_sampler_start(struct ml_sampler *s);

/* RANK (-1: the command, where it is a launcher) ended. */
void ml_sampler_rank_ended(struct ml_sampler *s, int rank, const struct ml_rank_exit *end);

/* Why RANK, which ended so, did; ASKED: the signal that was passed on to the application before, or
 * 0. */
struct ml_judgement ml_sampler_judge(struct ml_sampler *s, int rank, const struct ml_rank_exit *end,
                                     int asked);

/* RANK called MPI_Abort. */
struct ml_judgement ml_sampler_judge_abort(const struct ml_sampler *s, int rank, int code,
                                           const char *text);

/* An event of now. RANK: -1: of none. */
void ml_sampler_event(struct ml_sampler *s, int rank, enum ml_event_kind kind, int64_t value,
                      const char *text);

/* Also writes what waits, so that no more than a second is lost at slow rates. */
void ml_sampler_summary(struct ml_sampler *s, struct ml_summary *out_summary);

/* The world host's CPU time counts as the node's; it is asked for while the host lives. */
void ml_sampler_host_cpu(struct ml_sampler *s, pid_t host);

/* Ends the ticks, with a last one, and writes the node's totals. */
void ml_sampler_stop(struct ml_sampler *s);

/* The application has ended and all is recorded: the journal's last frame, and closes it. */
void ml_sampler_complete(struct ml_sampler *s);

/* NULL is fine. The journal stays. */
void ml_sampler_close(struct ml_sampler *s);

#endif
