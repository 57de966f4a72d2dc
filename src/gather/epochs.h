/* About each second the memory of all nodes is added up at the root: on the way there, in a tree,
 * so that nobody hears of more than log2 of all nodes. */
#ifndef ML_GATHER_EPOCHS_H
#define ML_GATHER_EPOCHS_H

#include "base/error.h"
#include "sums/memory.h"

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

struct ml_epochs;

/* The sum of all nodes, without a time; called on the root only. */
typedef void ml_epochs_gathered(void *context, const struct ml_job_sample_row *job);

/* Collective over COMM, which is duplicated. */
enum ml_status ml_epochs_open(MPI_Comm comm, int root, ml_epochs_gathered *gathered, void *context,
                              struct ml_epochs **out_epochs, struct ml_error *err);

/* Contributes what is known of this node to the next epoch. False, and nothing is done, while the
 * one before is under way. */
bool ml_epochs_contribute(struct ml_epochs *e, const struct ml_job_sample_row *node);

/* Epochs that this node has contributed to. */
int64_t ml_epochs_count(const struct ml_epochs *e);

/* True while one is under way. */
bool ml_epochs_progress(struct ml_epochs *e);

/* Collective: every node contributes until all have COUNT epochs, and they are done; then closes.
 */
void ml_epochs_close(struct ml_epochs *e, int64_t count);

#endif
