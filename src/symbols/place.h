/* A place in the code of a process, by its address alone, and later its names; or what an
 * interpreter said of a place in the code that it runs. */
#ifndef ML_SYMBOLS_PLACE_H
#define ML_SYMBOLS_PLACE_H

#include "symbols/symbols.h"

struct ml_code_place {
    struct ml_module *module; /* NULL: code of no file. Owned by its modules */
    uint64_t address;         /* as ml_symbols_at takes it */
    bool is_caller;
    bool trampoline;      /* what a signal handler returns to */
    const char *function; /* of Python code; NULL: it is native, and all above is of it */
    const char *file;     /* likewise; these texts live as long as the modules do */
    int32_t line;         /* likewise; -1: unknown */
};

/* Writes the frames of PLACE, MOST of them at most, and returns how many. Their texts are owned by
 * SYMBOLS. May read the names of a module, which takes long for a large one. */
size_t ml_code_place_frames(struct ml_symbols *symbols, const struct ml_code_place *place,
                            size_t most, struct ml_stack_frame *out_frames);

/* The frame of PLACE without the names that would have to be read; its texts are owned by the
 * modules. */
struct ml_stack_frame ml_code_place_unnamed(const struct ml_code_place *place);

#endif
