#include "symbols/place.h"

#include <string.h>

#define SIGNAL_HANDLER "<signal handler called>"
#define PYTHON_MODULE "python"

/* The frame of Python code. */
static struct ml_stack_frame told_frame(const struct ml_code_place *place)
{
    return (struct ml_stack_frame){.function = place->function,
                                   .file = place->file,
                                   .line = place->line,
                                   .module = PYTHON_MODULE,
                                   .offset_B = -1};
}

size_t ml_code_place_frames(struct ml_symbols *symbols, const struct ml_code_place *place,
                            size_t most, struct ml_stack_frame *out_frames)
{
    const struct ml_stack_frame *frames;
    if (!most)
        return 0;
    if (place->function) {
        *out_frames = told_frame(place);
        return 1;
    }
    size_t n = ml_symbols_at(symbols, place->module, place->address, place->is_caller, &frames);
    if (n > most)
        n = most;
    if (n)
        memcpy(out_frames, frames, n * sizeof *frames);
    if (n && place->trampoline)
        out_frames[n - 1].function = SIGNAL_HANDLER;
    return n;
}

struct ml_stack_frame ml_code_place_unnamed(const struct ml_code_place *place)
{
    if (place->function)
        return told_frame(place);
    return (struct ml_stack_frame){
        .function = place->trampoline ? SIGNAL_HANDLER : "",
        .file = "",
        .line = -1,
        .module = place->module ? place->module->path : "",
        .offset_B = place->trampoline ? -1 : (int64_t)place->address,
    };
}
