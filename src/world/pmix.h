/* Serves PMIx, by which Open MPI talks to its process manager, to the ranks of this host. The
 * only place that knows libpmix. Its upcalls come on libpmix's own thread: they hand a message to
 * the loop and return. */
#ifndef ML_WORLD_PMIX_H
#define ML_WORLD_PMIX_H

#include "base/error.h"
#include "base/loop.h"
#include "world/meeting.h"
#include "world/names.h"
#include "world/protocol.h"
#include "world/spawn.h"
#include "world/world.h"

#include <stdbool.h>

struct ml_pmix;

/* What the server needs of its world host; all outlive it. */
struct ml_pmix_host {
    struct ml_loop *loop;
    const struct ml_worlds *worlds; /* the first is there from the start */
    struct ml_names *names;
    struct ml_meetings *meetings;
    struct ml_spawns *spawns;
    const struct ml_post *post; /* to the PMIx servers of other hosts: ml_pmix_receive */
    void *context;
    void (*gather)(void *context, const void *bytes, size_t n); /* then ml_pmix_gathered */
    void (*state)(void *context, const struct ml_world *world, int rank, enum ml_rank_state state);
    void (*abort)(void *context, const struct ml_world *world, int rank, int code,
                  const char *text);
    /* A spawn of this rank, for which mpiexec ends with CODE. */
    void (*refused)(void *context, const struct ml_world *world, int rank, int code,
                    const char *why);
};

/* Whether libpmix was there when this was built. */
bool ml_pmix_built(void);

/* Errors (the ranks can then be served by PMI-1 only): built without libpmix, or it fails. */
enum ml_status ml_pmix_open(const struct ml_pmix_host *host, struct ml_pmix **out_pmix,
                            struct ml_error *err);

/* Makes a further WORLD of the list known to libpmix. */
enum ml_status ml_pmix_add_world(struct ml_pmix *pmix, const struct ml_world *world,
                                 struct ml_error *err);

/* What RANK of WORLD needs in its environment to find the server: texts "NAME=value" packed to OUT
 * (ml_pack_text). Returns their number. */
int ml_pmix_environment(struct ml_pmix *pmix, const struct ml_world *world, int rank,
                        struct ml_buffer *out);

void ml_pmix_gathered(struct ml_pmix *pmix, const void *bytes, size_t n);
void ml_pmix_receive(struct ml_pmix *pmix, int from, const void *bytes, size_t n);
void ml_pmix_close(struct ml_pmix *pmix);

#endif
