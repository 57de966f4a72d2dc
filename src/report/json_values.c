#include "report/json_values.h"

#include "base/buffer.h"
#include "base/utf8.h"

#include <math.h>

json_t *ml_json_text(const char *text)
{
    uint32_t point;
    struct ml_buffer valid = {0};
    if (!text)
        return json_null();
    for (size_t n; (n = ml_utf8_decode(text, &point)); text += n) {
        if (point == ML_UTF8_INVALID)
            ml_buffer_append(&valid, "\xef\xbf\xbd", 3);
        else
            ml_buffer_append(&valid, text, n);
    }
    json_t *json = json_stringn(valid.length ? valid.data : "", valid.length);
    ml_buffer_free(&valid);
    return json;
}

json_t *ml_json_count(int64_t value)
{
    return value < 0 ? json_null() : json_integer(value);
}

json_t *ml_json_seconds(int64_t ns)
{
    return ns < 0 ? json_null() : json_real((double)ns / 1e9);
}

json_t *ml_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}
