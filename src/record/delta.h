/* A row as what differs from the row before it, for rows that wait on their way and are read again
 * by the same process: it depends on the struct's layout. Most values of a process stay as they
 * were from one sample to the next. */
#ifndef ML_RECORD_DELTA_H
#define ML_RECORD_DELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ML_DELTA_WORDS_MAX 62                          /* of 8 bytes, in a row */
#define ML_DELTA_MAX_B ((1 + ML_DELTA_WORDS_MAX) * 10) /* of one row */

/* What ROW differs by from BEFORE, both of WORDS words and without texts; returns its length. Bytes
 * between the fields must have been set. */
size_t ml_delta_pack(const void *before, const void *row, size_t words,
                     uint8_t out[ML_DELTA_MAX_B]);

/* Makes the row before, in ROW, the one that was packed. False: the N bytes are none. */
bool ml_delta_unpack(void *row, size_t words, const uint8_t *bytes, size_t n);

#endif
