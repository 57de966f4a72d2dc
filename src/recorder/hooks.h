/* The MPI hooks that are preloaded into the node's ranks: what each needs to have them, and who
 * cannot have them. */
#ifndef ML_RECORDER_HOOKS_H
#define ML_RECORDER_HOOKS_H

#include "flavour/which_mpi.h"
#include "launch/options.h"
#include "launch/seats.h"
#include "recorder/sampler.h"

struct ml_hooks;

/* The folder of all that is preloaded, found from this program's own, for the caller to free; NULL:
 * that is not known. */
char *ml_hooks_folder(void);

/* ONCE: around a launcher, whose ranks are told apart only when they run. OPTIONS and SAMPLER stay
 * the caller's. */
struct ml_hooks *ml_hooks_open(const struct ml_options *options, struct ml_sampler *sampler,
                               int node, bool once);

/* Adds to SEAT's settings what leads its rank to its page. Returns the folder of the libraries to
 * preload, "" for none; valid until the hooks are closed. */
const char *ml_hooks_prepare(struct ml_hooks *hooks, struct ml_seat *seat);

/* The starter's word about a program; the first that cannot have hooks is told of. */
void ml_hooks_told(struct ml_hooks *hooks, enum ml_which_mpi which);

void ml_hooks_close(struct ml_hooks *hooks); /* NULL is fine */

#endif
