#include "export/clean.h"

#include "base/utf8.h"

void ml_export_clean(const char *text, struct ml_buffer *out)
{
    uint32_t point;
    ml_buffer_clear(out);
    for (size_t n; (n = ml_utf8_decode(text, &point)); text += n) {
        if (point == ML_UTF8_INVALID || ml_utf8_is_hidden(point))
            ml_buffer_append(out, "\xef\xbf\xbd", 3);
        else
            ml_buffer_append(out, text, n);
    }
    ml_buffer_append(out, "", 1);
}
