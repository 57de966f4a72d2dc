/* The application ranks of a node: what each is to run, how far it is, how it ended. */
#ifndef ML_LAUNCH_SEATS_H
#define ML_LAUNCH_SEATS_H

#include "base/intern.h"
#include "launch/environment.h"
#include "launch/settings.h"
#include "verdict/verdict.h"

#include <sys/types.h>

/* A rank that can start. Texts are valid during the call only. */
struct ml_host_offer {
    int seat; /* number among all worlds of the run; in the first world the rank */
    struct ml_settings_rank who;
    const char *folder; /* "": ours */
    bool here_too;      /* as in struct ml_start */
    char *const *words; /* of its command; none: its rank process's */
    size_t n_words;
    int n_settings;
    const void *settings; /* packed texts NAME=value */
    size_t settings_size;
    int pmi; /* its PMI-1 socket, which the link to the world host owns */
};

struct ml_seat {
    int rank;     /* number among all worlds of the run; -1: a command that is a launcher */
    int starter;  /* rank process that starts it */
    char *cpus;   /* to bind it to; NULL: as mpiexec bound us */
    bool spawned; /* by MPI_Comm_spawn */
    bool offered; /* its settings and its socket are here */
    struct ml_settings_rank who;
    struct ml_buffer words;    /* of its command, as ml_pack_texts; empty: its rank process's */
    char *folder;              /* to start in; NULL: ours */
    bool here_too;             /* as in struct ml_start */
    struct ml_buffer settings; /* packed texts NAME=value */
    int n_settings;
    int pmi; /* its PMI-1 socket, until it is started */
    bool started, exited, closed;
    struct ml_rank_end end; /* as far as it is known by now */
    size_t next;            /* in the list, of the same starter; 0: none */
};

struct ml_seats_of {
    size_t first, last; /* in the list */
};

struct ml_seats {
    struct ml_seat *list;
    size_t n, capacity;
    size_t n_offered, n_exited, n_closed;
    struct ml_intern ranks;      /* the number of one is the place in the list */
    struct ml_intern starters;   /* of one: the place among */
    struct ml_seats_of *started; /* [starters.n] */
    size_t started_capacity;
};

/* The seats of PLAN on this node. */
void ml_seats_fill(struct ml_seats *seats, const struct ml_plan *plan,
                   const struct ml_place *place);

/* Gives each its share of the node's CPUs. Errors: the topology cannot be read; unbound then. */
enum ml_status ml_seats_bind(struct ml_seats *seats, int bind_to, struct ml_error *err);

/* A seat that a spawn adds: rank process STARTER starts it, on whatever CPUs the job has. Pointers
 * to other seats are invalid then. */
struct ml_seat *ml_seats_add(struct ml_seats *seats, const struct ml_host_offer *offer,
                             int starter);

struct ml_seat *ml_seats_find(const struct ml_seats *seats, int rank); /* NULL: none */

/* Those of rank process STARTER, one after the other; NULL: no more. */
struct ml_seat *ml_seats_first(const struct ml_seats *seats, int starter);
struct ml_seat *ml_seats_next(const struct ml_seats *seats, const struct ml_seat *seat);

/* Its settings are here; its rank has ended; its output has too. */
void ml_seats_offered(struct ml_seats *seats, struct ml_seat *seat);
void ml_seats_exited(struct ml_seats *seats, struct ml_seat *seat);
void ml_seats_closed(struct ml_seats *seats, struct ml_seat *seat);

bool ml_seats_all_offered(const struct ml_seats *seats);
bool ml_seats_all_closed(const struct ml_seats *seats);
int ml_seats_count_running(const struct ml_seats *seats);  /* started and not ended */
int ml_seats_count_expected(const struct ml_seats *seats); /* not ended, started or not */

/* The message that makes a rank process start it (ML_MEMBER_START); TRACER may then trace it, and
 * libraries of the folder HOOKS are preloaded ("": none). */
void ml_seat_pack_start(const struct ml_seat *seat, enum ml_strip strip, pid_t tracer,
                        const char *hooks, struct ml_buffer *out);

/* How rank process STARTER is to end so that mpiexec sees what it would have seen: a rank's own
 * failure is its process's; one that we ended is no failure of its own. Of several that failed, the
 * one that JOB names counts. */
struct ml_leave ml_seats_leave(const struct ml_seats *seats, int starter,
                               const struct ml_verdict *job);

void ml_seats_free(struct ml_seats *seats);

#endif
