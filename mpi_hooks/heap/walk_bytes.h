/* Reads numbers one after the other; past the end it is bad, and all further ones are 0. */
#ifndef ML_HOOKS_HEAP_WALK_BYTES_H
#define ML_HOOKS_HEAP_WALK_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_heap_walk_bytes {
    const uint8_t *at, *end;
    bool bad;
};

/* SIZE bytes, at most 8, little endian. */
uint64_t ml_heap_walk_fixed(struct ml_heap_walk_bytes *bytes, size_t size);
int64_t ml_heap_walk_fixed_signed(struct ml_heap_walk_bytes *bytes, size_t size);

/* LEB128 (DWARF 4, 7.6); what is past 64 bits is dropped. */
uint64_t ml_heap_walk_uleb(struct ml_heap_walk_bytes *bytes);
int64_t ml_heap_walk_sleb(struct ml_heap_walk_bytes *bytes);

/* Takes the next SIZE bytes off. */
struct ml_heap_walk_bytes ml_heap_walk_take(struct ml_heap_walk_bytes *bytes, uint64_t size);

/* A pointer as .eh_frame has them (LSB 5.0 core, 10.5 DWARF Exception Header Encoding): absolute,
 * or relative to its own place or to DATA. Bad where it stands elsewhere (indirect) or is relative
 * to something else. */
uint64_t ml_heap_walk_pointer(struct ml_heap_walk_bytes *bytes, uint8_t encoding, uintptr_t data);

/* The number that such a pointer is stored as. */
uint64_t ml_heap_walk_stored(struct ml_heap_walk_bytes *bytes, uint8_t encoding);

#endif
