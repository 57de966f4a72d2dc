/* The hosted world: what a process manager knows of the application's MPI_COMM_WORLD. */
#ifndef ML_WORLD_WORLD_H
#define ML_WORLD_WORLD_H

#include "base/buffer.h"
#include "base/pack.h"
#include "base/runs.h"

/* A host is a node that takes part, counted 0, 1, ... in the order of the nodes; each has one
 * world host and one sampling rank. */
struct ml_world {
    char id[64];    /* name of the world: PMIx namespace, PMI-1 key-value space */
    int first_seat; /* number of its rank 0 among all ranks of the run */
    int n_ranks;
    struct ml_runs host_of; /* of each rank */
    struct ml_runs app_of;  /* MPI_APPNUM: which of its commands each runs; empty: there is one */
    int n_hosts;
    char **host_names; /* [n_hosts] */
    int here;          /* this host */
    int universe_size; /* MPI_UNIVERSE_SIZE as the outer launcher has it; -1: none */
    char scratch[256]; /* directory of this host for session files; "": none */
};

/* The worlds of a run: first mpiexec's, then those that were spawned. */
struct ml_worlds {
    struct ml_world **list;
    size_t n, capacity;
};

/* The world called ID, or NULL. */
const struct ml_world *ml_worlds_find(const struct ml_worlds *worlds, const char *id);

int ml_world_host(const struct ml_world *w, int rank);

int ml_world_local_size(const struct ml_world *w, int host);

/* That of each host: an array, to be freed. */
int *ml_world_local_sizes(const struct ml_world *w);

/* How many ranks lower than RANK are on its host. */
int ml_world_local_rank(const struct ml_world *w, int rank);

int ml_world_app(const struct ml_world *w, int rank);

/* How many commands its ranks run. */
int ml_world_count_apps(const struct ml_world *w);

/* How many hosts have ranks of it. */
int ml_world_count_hosts(const struct ml_world *w);

/* "n1,n2,n3": the hosts that have ranks, in order, for PMIx_generate_regex. Appends without a NUL.
 */
void ml_world_node_map(const struct ml_world *w, struct ml_buffer *out);

/* "0,1;2,3;4": the ranks of each of these, for PMIx_generate_ppn, which knows no host without. */
void ml_world_proc_map(const struct ml_world *w, struct ml_buffer *out);

/* "0,1": the ranks of HOST. */
void ml_world_local_peers(const struct ml_world *w, int host, struct ml_buffer *out);

/* "(vector,(0,3,2))": MPICH's PMI_process_mapping, blocks of (first host, hosts, ranks a host) that
 * a reader repeats until every rank has its place. */
void ml_world_process_mapping(const struct ml_world *w, struct ml_buffer *out);

void ml_world_pack(const struct ml_world *w, struct ml_buffer *out);

/* False if the bytes are no world; OUT is then to be freed all the same. */
bool ml_world_unpack(struct ml_unpacker *u, struct ml_world *out);
void ml_world_free(struct ml_world *w);

#endif
