/* Texts of outside origin as gnuplot literals. Pure. */
#ifndef ML_DRAW_QUOTE_H
#define ML_DRAW_QUOTE_H

#include "base/buffer.h"

#include <stdbool.h>

/* Appends TEXT as a double-quoted literal that shows at most WIDTH columns. Nothing in it can end
 * the literal or be run: gnuplot executes backticks even inside double quotes, and \44 followed by
 * a digit reads on, so every byte outside a small set is written as \0ooo. Controls and characters
 * that hide or reorder text are shown as signs, and marks that gnuplot's svg or scripts in a
 * browser could take for syntax as letters that look alike. */
void ml_quote_append(struct ml_buffer *out, const char *text, int width);

/* As above for a text that passes through TeX, for which nothing in it is a command; AGAIN: in
 * "with labels", where gnuplot looks for escapes once more. */
void ml_quote_append_tex(struct ml_buffer *out, const char *text, int width, bool again);

/* As above for a text of several lines, of which about the first MOST_B bytes are kept. */
void ml_quote_append_lines(struct ml_buffer *out, const char *text, size_t most_B);

#endif
