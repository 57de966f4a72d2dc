/* Many sampling ranks in one process, over a network that counts: what of MPI they call
 * (network_mpi.c), time, and who runs. Each is a coroutine; time passes on the links alone. */
#ifndef ML_TESTS_NETWORK_H
#define ML_TESTS_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETWORK_NEVER INT64_MAX

struct network_message {
    struct network_message *next;
    int from, to, comm, tag, n;
    char bytes[];
};

/* What a node has sent and received since network_count_anew. */
struct network_traffic {
    int64_t messages, bytes;
    int partners; /* since the start: the connections that it needs */
};

/* N nodes, each of which runs BODY(node) from time 0 on. A message takes LATENCY_NS, and 1 us of
 * each end's time, one after the other; 10 Gbit/s. */
void network_open(int n, int64_t latency_ns, void (*body)(int node));
void network_close(void);

/* Runs until DONE, or until nothing happens any more: false. */
bool network_run_until(bool (*done)(void));

int64_t network_now(void);

/* The node that runs, -1: none. */
int network_here(void);
int network_size(void);

/* The node that runs waits until a message comes, it is woken, or UNTIL_NS. */
void network_wait(int64_t until_ns);
void network_sleep(int64_t ns); /* whatever comes */
void network_wake(int node);

/* A node that is stopped hears all when it goes on; one that is lost never. */
void network_stop(int node);
void network_go_on(int node);
void network_lose(int node);

void network_count_anew(void);
struct network_traffic network_traffic(int node);

/* For the layer that is MPI. */
void network_send(int to, int comm, int tag, const void *bytes, int n);
struct network_message *network_find(int from, int comm, int tag, bool take); /* -1: any */
void network_count(int node, int64_t messages);                               /* of a collective */

#endif
