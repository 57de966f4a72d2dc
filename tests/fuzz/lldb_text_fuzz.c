/* libFuzzer: lldb's answers, line by line. */
#include "debuggers/lldb_text.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ML_AUTO_FREE char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    for (char *end, *line = text; line; line = end) {
        struct ml_lldb_line said;
        end = strchr(line, '\n');
        if (end)
            *end++ = 0;
        ml_lldb_is_end(line, "@@ml1@@");
        must(ml_lldb_version_parse(line) >= -1);
        enum ml_lldb_kind kind = ml_lldb_line_parse(line, &said);
        must(kind != ML_LLDB_THREAD || said.thread > 0);
        must(said.symbol && said.file && said.module && said.error && said.line != 0);
    }
    return 0;
}
