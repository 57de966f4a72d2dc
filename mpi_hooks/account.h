/* What a call adds to the messages and bytes of its function, by the words of table.def. They stand
 * inside a wrapper, after the call succeeded (so types and communicators are valid), and use its
 * parameters root, comm and sendbuf.
 *
 * Bytes are those that this rank hands over: to a point-to-point send or one-sided call whose
 * target is not MPI_PROC_NULL, each of which is a message; to a collective, what it contributes
 * from its send buffer, once for each rank that gets a part of its own; to a file call, what it
 * asks to read or write. Persistent requests and alltoall over neighbours count as calls only. */
#ifndef ML_HOOKS_ACCOUNT_H
#define ML_HOOKS_ACCOUNT_H

#include "mpi_hooks/page.h"

#include <mpi.h>
#include <stddef.h>

#define ML_NOTHING (void)0
#define ML_SENT(count, type, target) ml_account_sent(frame.tally, count, type, target)
#define ML_GAVE(count, type) ml_account_bytes(frame.tally, count, type)
#define ML_TYPE_FREED ml_account_forget_types()

#define ML_PEERS ml_account_peers(comm)
#define ML_GAVE_TO_EACH(count, type) ML_GAVE((count)*ML_PEERS, type)
#define ML_GAVE_EACH(counts, type) ML_GAVE(ml_account_sum(counts, sizeof *(counts), ML_PEERS), type)

/* Where the root is none of ours, MPI_ROOT or MPI_PROC_NULL (both negative), nothing is sent. */
#define ML_GAVE_TO_ROOT(count, type) (root < 0 ? (void)0 : ML_GAVE(count, type))
#define ML_GAVE_UNLESS_IN_PLACE(buffer, count, type)                                               \
    ((buffer) == MPI_IN_PLACE ? (void)0 : ML_GAVE_TO_ROOT(count, type))
#define ML_GAVE_AT_ROOT(count, type, times)                                                        \
    (ml_account_is_root(root, comm) ? ML_GAVE((count) * (times), type) : (void)0)
#define ML_GAVE_EACH_AT_ROOT(counts, type)                                                         \
    (ml_account_is_root(root, comm) ? ML_GAVE_EACH(counts, type) : (void)0)

/* In place, what is sent stands where it is received. */
#define ML_GAVE_OR(buffer, count, type, recvcount, recvtype, times)                                \
    ((buffer) == MPI_IN_PLACE ? ML_GAVE((recvcount) * (times), recvtype)                           \
                              : ML_GAVE((count) * (times), type))
#define ML_GAVE_OR_OWN(buffer, count, type, recvcounts, recvtype)                                  \
    ((buffer) == MPI_IN_PLACE ? ML_GAVE((recvcounts)[ml_account_rank(comm)], recvtype)             \
                              : ML_GAVE(count, type))
#define ML_GAVE_EACH_OR(buffer, counts, type, recvcounts, recvtype)                                \
    ((buffer) == MPI_IN_PLACE ? ML_GAVE_EACH(recvcounts, recvtype) : ML_GAVE_EACH(counts, type))
#define ML_GAVE_EACH_TYPE_OR(buffer, counts, types, recvcounts, recvtypes)                         \
    ((buffer) == MPI_IN_PLACE                                                                      \
         ? ml_account_each(frame.tally, recvcounts, sizeof *(recvcounts), recvtypes, ML_PEERS)     \
         : ml_account_each(frame.tally, counts, sizeof *(counts), types, ML_PEERS))

void ml_account_sent(struct ml_page_tally *tally, int64_t count, MPI_Datatype type, int target);
void ml_account_bytes(struct ml_page_tally *tally, int64_t count, MPI_Datatype type);

/* COUNTS are of SIZE bytes each: int or MPI_Count. */
int64_t ml_account_sum(const void *counts, size_t size, int64_t n);
void ml_account_each(struct ml_page_tally *tally, const void *counts, size_t size,
                     const MPI_Datatype *types, int64_t n);

int64_t ml_account_peers(MPI_Comm comm); /* of an intercommunicator: the remote ones */
int ml_account_rank(MPI_Comm comm);
int ml_account_is_root(int root, MPI_Comm comm);

/* To be called when a type is freed: its handle may come back as another type's. */
void ml_account_forget_types(void);

#endif
