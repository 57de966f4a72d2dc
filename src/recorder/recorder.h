/* The record of a run at a sampling rank: its journal at the start, the HDF5 file at the end. */
#ifndef ML_RECORDER_RECORDER_H
#define ML_RECORDER_RECORDER_H

#include "launch/options.h"
#include "launch/plan.h"
#include "recorder/joining.h"
#include "recorder/sampler.h"
#include "verdict/verdict.h"

/* What all rank processes know of the run. */
struct ml_run_identity {
    char id[40];
    int64_t origin_ns;   /* start, on rank 0's clock */
    int64_t origin_wall; /* the same, unix time */
    char outfile[4096];  /* absolute; at sampling ranks */
};

/* Collective over memlog-mpi's own MPI_COMM_WORLD: rank 0 decides, but for the outfile. */
void ml_recorder_identify(struct ml_run_identity *identity, int rank);

struct ml_recorder;

/* Collective over the sampling ranks. JOINING: what others have started, NULL: nothing; it outlives
 * the recorder. STARTER starts the stack server, where stacks are wanted.
 * OUT_RECORDER is there also after an error, for ml_recorder_is_taken and ml_recorder_abandon. */
enum ml_status ml_recorder_open(struct ml_loop *loop, const struct ml_options *options,
                                const struct ml_place *place, const struct ml_plan *plan,
                                const struct ml_run_identity *identity,
                                const struct ml_joining *joining, struct ml_starter *starter,
                                struct ml_recorder **out_recorder, struct ml_error *err);

/* Whether it could not be opened since the journal is another run's, which began just now. */
bool ml_recorder_is_taken(const struct ml_recorder *r);

struct ml_sampler *ml_recorder_sampler(struct ml_recorder *r);
int64_t ml_recorder_clock_offset(const struct ml_recorder *r);

/* Collective. After the sampler has stopped: writes the file from the journals and removes them.
 * OUT_WORDS says where the record is, whatever the outcome. On an error (ML_RUN_LOST) there is no
 * file, and the journals stay; with a smaller one the file lacks what somebody took from a
 * journal. */
enum ml_status ml_recorder_finish(struct ml_recorder *r, const struct ml_verdict *verdict,
                                  struct ml_error *out_words);

void ml_recorder_close(struct ml_recorder *r); /* NULL is fine */

/* Closes a recorder of a run that has not begun, and removes its journal. NULL is fine. */
void ml_recorder_abandon(struct ml_recorder *r);

#endif
