/* Values of a run as JSON; for src/report's own use. All tolerate a NULL object, as jansson does.
 */
#ifndef ML_REPORT_JSON_VALUES_H
#define ML_REPORT_JSON_VALUES_H

#include <jansson.h>
#include <stdint.h>

/* TEXT as valid UTF-8; NULL becomes null. */
json_t *ml_json_text(const char *text);

/* Bytes, counts, ids: null where VALUE is negative. */
json_t *ml_json_count(int64_t value);

/* Nanoseconds as seconds; null where negative. */
json_t *ml_json_seconds(int64_t ns);

/* Null where VALUE is no number. */
json_t *ml_json_real(double value);

#endif
