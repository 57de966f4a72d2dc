/* A file mapped to be read, which somebody may cut meanwhile: what is gone reads as zeros, where it
 * else would end the process by SIGBUS.
 *
 * The signal's handler is there while a view is open, and passes on what is none of theirs. Views
 * are opened, read and closed by one thread. */
#ifndef ML_BASE_VIEW_H
#define ML_BASE_VIEW_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct ml_view;

/* Of the file of FD, which stays the caller's, as long as it is now: one byte or more. Errors
 * (ML_NODE_LOST): not a regular file, an empty one, those of mmap(2). */
enum ml_status ml_view_open(int fd, struct ml_view **out_view, struct ml_error *err);

const uint8_t *ml_view_bytes(const struct ml_view *view);
size_t ml_view_size(const struct ml_view *view);

/* So many bytes from the start are still there, and could be read as far as they were. */
size_t ml_view_whole(const struct ml_view *view);

/* AT is looked at next: what lies far from it leaves memory, until somebody looks there again. */
void ml_view_go(struct ml_view *view, size_t at);

void ml_view_close(struct ml_view *view); /* NULL is fine */

#endif
