/* Text of outside origin on a terminal: whatever could act on it is shown as an escape. Pure. */
#ifndef ML_REPORT_TEXT_H
#define ML_REPORT_TEXT_H

#include "base/buffer.h"

#include <stdbool.h>

/* Appends TEXT in at most WIDTH columns (cut with an ellipsis) and returns the columns taken.
 * Controls and bytes that are not UTF-8 become \n or \x1b, hidden characters \u202e; without UTF8
 * so does everything that is not ASCII. */
int ml_text_append(struct ml_buffer *out, const char *text, int width, bool utf8);

/* Appends TEXT as lines of at most WIDTH columns, broken between words where there are any, lines
 * after the first indented by INDENT; past MAX_LINES it is cut. No newline at the end. */
void ml_text_wrap(struct ml_buffer *out, const char *text, int indent, int width, int max_lines,
                  bool utf8);

/* Appends N blanks. */
void ml_text_pad(struct ml_buffer *out, int n);

#endif
