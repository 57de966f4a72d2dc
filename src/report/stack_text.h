/* Pieces of text that the reports on stacks share. Pure. */
#ifndef ML_REPORT_STACK_TEXT_H
#define ML_REPORT_STACK_TEXT_H

#include "base/buffer.h"
#include "read/stacks.h"
#include "report/style.h"

/* How much of a frame's place is shown. */
enum ml_stack_place { ML_PLACE_FILE, ML_PLACE_LINE, ML_PLACE_PATH };

/* Appends "function at file.c:12" in at most WIDTH columns: with ML_PLACE_PATH the whole path
 * if it fits, with ML_PLACE_FILE no line. */
void ml_stack_text_frame(const struct ml_frame_row *frame, enum ml_stack_place place, int width,
                         const struct ml_style *style, struct ml_buffer *out);

/* Calls that follow one another and are shown together. */
struct ml_stack_run {
    size_t first, n;
    bool hidden; /* all of them; else the first is shown, and the others are equal to it */
};

/* Cuts N calls into runs: three or more with equal NUMBERS are one; of more than 14 runs those in
 * the middle are hidden. With ALL each call is one. OUT_RUNS has room for N; how many there are. */
size_t ml_stack_text_runs(const int32_t *numbers, size_t n, bool all,
                          struct ml_stack_run *out_runs);

/* Appends N ranks, of which the order is lost, as "0-3,7" in at most WIDTH columns; returns the
 * columns taken. -1 is "other". */
int ml_stack_text_ranks(int32_t *ranks, size_t n, int width, const struct ml_style *style,
                        struct ml_buffer *out);

/* Appends a blank line and TEXT on lines of its own. */
void ml_stack_text_note(const char *text, const struct ml_style *style, struct ml_buffer *out);

#endif
