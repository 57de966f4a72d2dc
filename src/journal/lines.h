/* What an application wrote, cut into rows of one line each. Pure. */
#ifndef ML_JOURNAL_LINES_H
#define ML_JOURNAL_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With its NUL: the width of a text in the file. */
#define ML_LINE_WIDTH 512

/* The row at the front of BYTES: OUT_LENGTH of them are its text, OUT_ENDED says whether the line
 * is over. Returns how many bytes are used up (text and line end; 0 only if N is 0). */
size_t ml_line_cut(const uint8_t *bytes, size_t n, size_t *out_length, bool *out_ended);

/* N bytes, as ml_line_cut found them, as text: control bytes but the tab, and what is no UTF-8,
 * become \xNN. */
void ml_line_text(const uint8_t *bytes, size_t n, char out_text[ML_LINE_WIDTH]);

#endif
