#include "symbols/place.h"

#include <string.h>

size_t ml_code_place_frames(struct ml_symbols *symbols, const struct ml_code_place *place,
                            size_t most, struct ml_stack_frame *out_frames)
{
    const struct ml_stack_frame *frames;
    size_t n = ml_symbols_at(symbols, place->module, place->address, place->is_caller, &frames);
    if (n > most)
        n = most;
    if (n)
        memcpy(out_frames, frames, n * sizeof *frames);
    if (n && place->trampoline)
        out_frames[n - 1].function = "<signal handler called>";
    return n;
}
