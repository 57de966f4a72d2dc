/* To which rank a process belongs: helpers belong to the one that started them. */
#ifndef ML_SUMS_OWNERS_H
#define ML_SUMS_OWNERS_H

#include "record/tables.h"

#include <stddef.h>
#include <stdint.h>

/* The row of the rank process that process I is, or descends from; -1: none, which is so too where
 * a damaged file has I descend from nowhere or from itself. PROCESSES are N rows. */
int64_t ml_owner_of(const struct ml_process_row *processes, size_t n, size_t i);

/* The rank of each process's owner, -1 where it has none; the caller frees it. */
int32_t *ml_owner_ranks(const struct ml_process_row *processes, size_t n);

#endif
