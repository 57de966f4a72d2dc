/* str and bytes of CPython. */
#ifndef ML_PYTHON_TEXT_H
#define ML_PYTHON_TEXT_H

#include "python/layout.h"
#include "python/memory.h"

#include "base/buffer.h"

/* Appends the str at ADDRESS, MOST characters of it, as UTF-8, to OUT_TEXT; controls and lone
 * surrogates become '?'. False: there is none. */
bool ml_python_text_read(const struct ml_python_layout *layout,
                         const struct ml_python_memory *memory, uint64_t address, size_t most,
                         struct ml_buffer *out_text);

/* Appends the bytes object at ADDRESS to OUT_BYTES. False: there is none, or it is larger than
 * MOST. */
bool ml_python_bytes_read(const struct ml_python_layout *layout,
                          const struct ml_python_memory *memory, uint64_t address, size_t most,
                          struct ml_buffer *out_bytes);

#endif
