/* From addresses to functions, files, lines and inlined calls: libdw, with a cache by address. */
#ifndef ML_SYMBOLS_SYMBOLS_H
#define ML_SYMBOLS_SYMBOLS_H

#include "symbols/frame.h"
#include "symbols/modules.h"

struct ml_symbols;

struct ml_symbols *ml_symbols_open(void);

/* The same with the folder of the system's debug information: "/usr/lib/debug" above. */
struct ml_symbols *ml_symbols_open_in(const char *debug_folder);

/* The frames at ADDRESS (as linked) of MODULE: one, before it those that are inlined there,
 * innermost first. IS_CALLER: ADDRESS is a return address, and the call before it is meant.
 * MODULE may be NULL (code of no file): ADDRESS is then the process's. OUT_FRAMES is owned by
 * SYMBOLS and valid until it is closed. The first call for a module reads its symbol table and
 * debug information (also separate ones, by build id and .gnu_debuglink, from the system's folders;
 * never from the network). */
size_t ml_symbols_at(struct ml_symbols *symbols, struct ml_module *module, uint64_t address,
                     bool is_caller, const struct ml_stack_frame **out_frames);

void ml_symbols_close(struct ml_symbols *symbols); /* NULL is fine */

#endif
