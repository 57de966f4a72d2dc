/* co_linetable: which line an instruction of a code object comes from (3.11 on). Pure. */
#ifndef ML_PYTHON_LINES_H
#define ML_PYTHON_LINES_H

#include <stddef.h>
#include <stdint.h>

/* The line of the instruction OFFSET_B bytes into the code, of which TABLE (N bytes) tells and
 * which begins at FIRST_LINE; -1: it has none, or the table does not reach so far. */
int32_t ml_python_line(const uint8_t *table, size_t n, int32_t first_line, uint64_t offset_B);

#endif
