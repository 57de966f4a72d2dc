/* A temporary file without a name, for what does not fit into memory. */
#ifndef ML_BASE_SPILL_H
#define ML_BASE_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_spill;

/* The file comes with the first bytes: beside the file NEAR, else in TMPDIR or /tmp. */
struct ml_spill *ml_spill_open(const char *near);

/* Appends N bytes, which lie at *OUT_AT. False: neither these can be kept nor any later ones (disk
 * full, no folder); what was kept before still is. */
bool ml_spill_add(struct ml_spill *spill, const void *bytes, size_t n, uint64_t *out_at);

/* N bytes from AT on, 256 KiB at most, all of which were added; valid until the next call. Of the
 * file no more is read than the AHEAD bytes from AT on, which are wanted next. NULL: they cannot be
 * read. */
const uint8_t *ml_spill_read(struct ml_spill *spill, uint64_t at, size_t n, size_t ahead);

/* Whether N more bytes may stay in memory, of 16 MiB that all who spill to this file have for what
 * is not worth the way there. */
bool ml_spill_spares(struct ml_spill *spill, size_t n);

void ml_spill_close(struct ml_spill *spill); /* NULL is fine */

#endif
