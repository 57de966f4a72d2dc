/* The address space of a process: what is mapped where, kept from one look to the next as long as
 * nothing says that it changed. */
#ifndef ML_UNWIND_SPACE_H
#define ML_UNWIND_SPACE_H

#include "symbols/maps.h"
#include "symbols/modules.h"

#include <stdint.h>
#include <sys/types.h>

struct ml_space {
    pid_t pid;
    struct ml_maps maps;
    struct ml_module **modules; /* [maps.n], of mappings that were asked for */
    bool *asked;                /* [maps.n] */
    struct ml_modules *all;     /* not owned */
    char *text, *fresh;         /* what maps said last, and says now */
    size_t length, capacity;    /* of text; of both */
    int statm_fd;               /* -1: not open */
    char statm[128];
    int64_t read_ns;     /* CLOCK_MONOTONIC at which maps was read; 0: never */
    int64_t life_ns;     /* for so long what it said is believed */
    uint64_t generation; /* grows when other code is mapped */
};

/* A place in the process. */
struct ml_place {
    const struct ml_map *map;
    struct ml_module *module; /* NULL: of no ELF file */
    uint64_t address;         /* as linked; the process's, where there is no module */
};

void ml_space_open(struct ml_space *space, pid_t pid, struct ml_modules *modules);

/* Makes the maps right: they are read again if the sizes in statm changed, with ANYWAY, or after
 * 50 ms; maps that are long to read after up to 2 s, so that reading takes a thousandth of the
 * time. Returns 0, or the errno of what could not be read; ESRCH where nothing is mapped (a zombie,
 * a process that is just ending). */
int ml_space_refresh(struct ml_space *space, int64_t now_ns, bool anyway);

/* False: nothing is mapped at ADDRESS. */
bool ml_space_find(struct ml_space *space, uint64_t address, struct ml_place *out_place);

/* The same, false also if no code may be there. */
bool ml_space_code(struct ml_space *space, uint64_t pc, struct ml_place *out_place);

void ml_space_close(struct ml_space *space);

#endif
