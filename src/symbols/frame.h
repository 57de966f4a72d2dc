/* What is known of a place in a program. */
#ifndef ML_SYMBOLS_FRAME_H
#define ML_SYMBOLS_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* One function call. Texts are valid during the call that passes it on. */
struct ml_stack_frame {
    const char *function; /* as ml_function_name makes it; "" where nobody knows it */
    const char *file;   /* source file, absolute where the debug information says so; "" unknown */
    int32_t line;       /* -1: unknown */
    const char *module; /* path of the mapped ELF file, "[vdso]", "python" for code that its
                           interpreter runs; "" for code of no file */
    int64_t offset_B; /* where `function` is "": address of the code in the module, as linked (what
                         addr2line takes), or in the process where there is no module; else -1 */
    bool inlined;     /* into the function of the next frame outwards */
};

#endif
