/* Serves PMI-1, the text protocol by which MPICH and its kin talk to their process manager, to the
 * ranks of this host. */
#ifndef ML_WORLD_PMI1_H
#define ML_WORLD_PMI1_H

#include "base/loop.h"
#include "world/names.h"
#include "world/protocol.h"
#include "world/spawn.h"
#include "world/world.h"

struct ml_pmi1;

/* What the server needs of its world host. */
struct ml_pmi1_host {
    void *context;
    void (*gather)(void *context, const struct ml_buffer *bytes); /* answered by ml_pmi1_gathered */
    void (*state)(void *context, int rank, enum ml_rank_state state);
    void (*abort)(void *context, int rank, int code, const char *text);
    /* RANK waits for ml_pmi1_spawned. */
    void (*spawn)(void *context, int rank, const struct ml_spawn_call *call);
};

/* WORLD and NAMES outlive it. */
struct ml_pmi1 *ml_pmi1_new(struct ml_loop *loop, const struct ml_world *world,
                            struct ml_names *names, const struct ml_pmi1_host *host);

/* A socket for RANK; the returned end is the rank's and the caller's to close. -1 and errno if
 * there is none to be had. */
int ml_pmi1_add_rank(struct ml_pmi1 *pmi, int rank);

/* ERROR: an errno, or 0: all ranks of the new world run. */
void ml_pmi1_spawned(struct ml_pmi1 *pmi, int rank, int error);

/* Puts what is there from the start: key NUL value NUL ... */
void ml_pmi1_put(struct ml_pmi1 *pmi, const void *bytes, size_t n);

void ml_pmi1_gathered(struct ml_pmi1 *pmi, const void *bytes, size_t n);
void ml_pmi1_free(struct ml_pmi1 *pmi);

#endif
