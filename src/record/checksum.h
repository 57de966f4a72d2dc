/* What a column of the file is checked by. It does not depend on who wrote which of the rows, nor
 * on the pieces in which they are read. */
#ifndef ML_RECORD_CHECKSUM_H
#define ML_RECORD_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ML_CHECKSUM_NAME "checksum" /* of the column's attribute */
#define ML_CHECKSUM_TEXT_B 17       /* as hexadecimal digits, with a NUL */

/* The part of N cells of WIDTH bytes that begin at row FIRST: the sum, modulo 2^64, of the XXH3
 * hash of each cell's bytes, of 64 bits and with the row as its seed. The column's is the sum of
 * its parts. */
uint64_t ml_checksum(const void *cells, size_t width, uint64_t first, size_t n);

void ml_checksum_format(char out[ML_CHECKSUM_TEXT_B], uint64_t checksum);

/* False: TEXT is none. */
bool ml_checksum_parse(const char *text, uint64_t *out);

#endif
