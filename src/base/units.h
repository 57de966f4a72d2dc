/* Durations, sizes and shares as people write them. Pure. */
#ifndef ML_BASE_UNITS_H
#define ML_BASE_UNITS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* "0.25", "10ms", "2s", "500us", "3min", "1h" to nanoseconds; a bare number is seconds.
 * Errors: not a number, unknown unit, negative, over 100 years. */
enum ml_status ml_duration_parse(const char *text, int64_t *out_ns, struct ml_error *err);

/* "16MiB", "16M" (both 2^20), "16MB" (10^6), "512" to bytes. Errors: as for durations. */
enum ml_status ml_size_parse(const char *text, int64_t *out_bytes, struct ml_error *err);

/* "1%" or "1" to 0.01. Errors: not in (0, 100]. */
enum ml_status ml_percent_parse(const char *text, double *out_share, struct ml_error *err);

/* A whole number from LOW to HIGH. */
enum ml_status ml_integer_parse(const char *text, int64_t low, int64_t high, int64_t *out_value,
                                struct ml_error *err);

/* "1.23 GiB" into OUT (at least 16 bytes); "-" for a negative size (not measured). */
char *ml_size_format(char *out, size_t size, int64_t bytes);

/* "1.23 GiB/s" or "-12.3 MiB/s" into OUT (at least 24 bytes). */
char *ml_rate_format(char *out, size_t size, double bytes_per_s);

/* "12.50 s" or "3.25 ms" of seconds that are not negative into OUT (at least 32 bytes). */
char *ml_seconds_format(char *out, size_t size, double s);

/* "1:02:03" or "2:03.4" into OUT (at least 24 bytes). */
char *ml_elapsed_format(char *out, size_t size, int64_t ns);

#endif
