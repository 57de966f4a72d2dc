/* Which maps are sampled, and what becomes of them. Each, as long as there is room: a system call
 * costs more than that. */
#ifndef ML_HOOKS_HEAP_SAMPLER_MAPS_H
#define ML_HOOKS_HEAP_SAMPLER_MAPS_H

#include "mpi_hooks/heap/page.h"
#include "mpi_hooks/heap/regions.h"

#include <stddef.h>
#include <stdint.h>

/* Pieces of maps, to be put back where the kernel refuses what they were taken out for. */
struct ml_pieces {
    size_t n;
    struct ml_region pieces[8]; /* there may have been more */
};

/* A map of KIND is there, at BEGIN. */
void ml_maps_made(uintptr_t begin, size_t size, enum ml_heap_kind kind);

/* What is in [BEGIN, BEGIN + SIZE) goes: before the system call. */
void ml_maps_leave(uintptr_t begin, size_t size, struct ml_pieces *out_pieces);

/* What was mapped in one piece at BEGIN goes (shmdt(2)). */
void ml_maps_detach(uintptr_t begin, struct ml_pieces *out_pieces);

void ml_maps_stay(const struct ml_pieces *pieces);

/* The map at FROM, which PIECES was, is one of SIZE bytes at TO by now. It keeps its owner. */
void ml_maps_moved(const struct ml_pieces *pieces, uintptr_t from, uintptr_t to, size_t size);

#endif
