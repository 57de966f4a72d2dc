/* Aligns the nodes' clocks to the root's, each by ping-pong with its parent in a tree: the offset
 * is that of the quickest round, and half its duration bounds the error (Cristian 1989); the errors
 * on the way to the root add up. */
#ifndef ML_GATHER_CLOCK_H
#define ML_GATHER_CLOCK_H

#include <mpi.h>
#include <stdint.h>

/* To be added to this node's CLOCK_MONOTONIC to get the root's, as of LOCAL_NS; 0, with error 0, on
 * the root. */
struct ml_clock_offset {
    int64_t local_ns, offset_ns, error_ns;
};

/* Collective over COMM. A node has some ten round trips with its parent and with each child, of
 * which it has log2 of all nodes at most; so the whole takes the square of that. */
struct ml_clock_offset ml_clock_align(MPI_Comm comm, int root);

#endif
