/* /proc/PID/maps (proc_pid_maps(5)): what is mapped where in a process. Pure. */
#ifndef ML_SYMBOLS_MAPS_H
#define ML_SYMBOLS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_map {
    uint64_t start, end; /* addresses [start, end) */
    uint64_t offset;     /* of `start` in the file */
    uint64_t device;     /* major << 32 | minor */
    uint64_t inode;
    bool executable, deleted;
    const char *path; /* without " (deleted)"; "[vdso]", "[stack]"; "" anonymous */
};

struct ml_maps {
    struct ml_map *list; /* by address, as the kernel writes them */
    size_t n, capacity;
    char *text; /* where the paths lie */
};

/* Replaces what OUT_MAPS (zeroed, or filled before) holds by what N bytes of TEXT say. A line that
 * is none ends it. */
void ml_maps_parse(const char *text, size_t n, struct ml_maps *out_maps);

/* The mapping that holds ADDRESS, or NULL. */
const struct ml_map *ml_maps_find(const struct ml_maps *maps, uint64_t address);

void ml_maps_free(struct ml_maps *maps);

#endif
