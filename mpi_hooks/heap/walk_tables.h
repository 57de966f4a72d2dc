/* Unwind tables: .eh_frame_hdr and .eh_frame (LSB 5.0 core, 10.6), of x86_64. All is read between
 * the ends of the segments given, whatever the tables say. */
#ifndef ML_HOOKS_HEAP_WALK_TABLES_H
#define ML_HOOKS_HEAP_WALK_TABLES_H

#include "mpi_hooks/heap/walk_bytes.h"
#include "mpi_hooks/heap/walk_rule.h"

enum { ML_HEAP_WALK_SEGMENTS = 8 };

struct ml_heap_walk_segments {
    unsigned n;
    struct {
        uintptr_t start, end;
        bool readable, executable;
    } list[ML_HEAP_WALK_SEGMENTS];
};

/* From ADDRESS to the end of its readable segment; bad where there is none. */
struct ml_heap_walk_bytes ml_heap_walk_bytes_at(const struct ml_heap_walk_segments *segments,
                                                uintptr_t address);

/* One function's entry of the table, and the entry that it shares with others. */
struct ml_heap_walk_entry {
    uintptr_t address; /* where the entry stands */
    uintptr_t start, end;
    uint64_t code_align;
    int64_t data_align;
    uint8_t encoding;
    bool has_augmentation;
    bool is_signal_frame;
    struct ml_heap_walk_bytes first, then; /* instructions: shared ones, its own */
};

/* The entry of the function that PC lies in, by the sorted table of the .eh_frame_hdr at HEADER.
 * False where none covers it, and where the table is damaged or of another kind. */
bool ml_heap_walk_find_entry(const struct ml_heap_walk_segments *segments, uintptr_t header,
                             uintptr_t pc, struct ml_heap_walk_entry *out);

/* Runs the entry's instructions (DWARF 4, 6.4.2) up to PC. False where they say what a rule cannot
 * hold. */
bool ml_heap_walk_work_out(const struct ml_heap_walk_entry *entry, uintptr_t pc,
                           struct ml_heap_walk_rule *out);

#endif
