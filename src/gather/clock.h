/* Aligns the nodes' clocks to the root's by ping-pong: the offset is that of the quickest round,
 * and half its duration bounds the error (Cristian 1989). */
#ifndef ML_GATHER_CLOCK_H
#define ML_GATHER_CLOCK_H

#include <mpi.h>
#include <stdint.h>

/* Collective over COMM. OUT_OFFSET_NS is to be added to this node's CLOCK_MONOTONIC to get ROOT's,
 * as of OUT_LOCAL_NS. Both 0, with error 0, on ROOT. Takes some ten round trips a node. */
void ml_clock_align(MPI_Comm comm, int root, int64_t *out_local_ns, int64_t *out_offset_ns,
                    int64_t *out_error_ns);

#endif
