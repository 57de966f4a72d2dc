#include "python/layout.h"

#include <string.h>

/* offsetof() in CPython's own headers, the same in all releases of a version on x86_64 and aarch64:
 * Include/internal/pycore_runtime.h, pycore_interp.h, pycore_frame.h, Include/cpython/pystate.h,
 * code.h, unicodeobject.h, bytesobject.h. */
static const struct ml_python_layout python_3_11 = {
    .version = 0x030b0000,
    .interpreters = 40,
    .next_interpreter = 0,
    .threads = 16,
    .next_thread = 8,
    .native_thread = 160,
    .chunk = 296,
    .current = 56,
    .cframe_current = 8,
    .cframe_outer = 16,
    .code = 32,
    .previous = 48,
    .instruction = 56,
    .owner = 69,
    .is_entry = 68,
    .file = 112,
    .name = 128,
    .lines = 136,
    .first_line = 72,
    .instructions = 184,
    .type = 8,
    .count = 16,
    .bytes = 32,
    .text_length = 16,
    .text_state = 32,
    .text_ascii = 48,
    .text_other = 72,
    .kind_shift = 2,
};

static const struct ml_python_layout python_3_12 = {
    .version = 0x030c0000,
    .interpreters = 40,
    .next_interpreter = 0,
    .threads = 72,
    .next_thread = 8,
    .native_thread = 144,
    .chunk = 232,
    .current = 56,
    .cframe_current = 0,
    .cframe_outer = 8,
    .code = 0,
    .previous = 8,
    .instruction = 56,
    .owner = 70,
    .file = 112,
    .name = 128,
    .lines = 136,
    .first_line = 68,
    .instructions = 192,
    .type = 8,
    .count = 16,
    .bytes = 32,
    .text_length = 16,
    .text_state = 32,
    .text_ascii = 40,
    .text_other = 56,
    .kind_shift = 2,
};

bool ml_python_layout_known(uint32_t version, struct ml_python_layout *out_layout)
{
    if (version >> 16 == python_3_11.version >> 16)
        *out_layout = python_3_11;
    else if (version >> 16 == python_3_12.version >> 16)
        *out_layout = python_3_12;
    else
        return false;
    return true;
}

/* Where _Py_DebugOffsets has what: numbers of 8-byte words from its start.
 * Include/internal/pycore_runtime.h (3.13), pycore_debug_offsets.h (3.14). */
enum word {
    INTERPRETERS,
    NEXT_INTERPRETER,
    THREADS,
    NEXT_THREAD,
    CURRENT,
    NATIVE_THREAD,
    CHUNK,
    PREVIOUS,
    CODE,
    INSTRUCTION,
    OWNER,
    FILE_NAME,
    NAME,
    LINES,
    FIRST_LINE,
    INSTRUCTIONS,
    TYPE,
    COUNT,
    BYTES,
    TEXT_STATE,
    TEXT_LENGTH,
    TEXT_ASCII,
    N_WORDS,
};

static const uint8_t words_3_13[N_WORDS] = {
    [INTERPRETERS] = 5, [NEXT_INTERPRETER] = 8, [THREADS] = 9,     [NEXT_THREAD] = 21,
    [CURRENT] = 23,     [NATIVE_THREAD] = 25,   [CHUNK] = 26,      [PREVIOUS] = 29,
    [CODE] = 30,        [INSTRUCTION] = 31,     [OWNER] = 33,      [FILE_NAME] = 35,
    [NAME] = 37,        [LINES] = 38,           [FIRST_LINE] = 39, [INSTRUCTIONS] = 43,
    [TYPE] = 45,        [COUNT] = 65,           [BYTES] = 66,      [TEXT_STATE] = 68,
    [TEXT_LENGTH] = 69, [TEXT_ASCII] = 70,
};

static const uint8_t words_3_14[N_WORDS] = {
    [INTERPRETERS] = 5, [NEXT_INTERPRETER] = 8, [THREADS] = 9,     [NEXT_THREAD] = 24,
    [CURRENT] = 26,     [NATIVE_THREAD] = 28,   [CHUNK] = 29,      [PREVIOUS] = 32,
    [CODE] = 33,        [INSTRUCTION] = 34,     [OWNER] = 36,      [FILE_NAME] = 40,
    [NAME] = 42,        [LINES] = 43,           [FIRST_LINE] = 44, [INSTRUCTIONS] = 48,
    [TYPE] = 51,        [COUNT] = 75,           [BYTES] = 76,      [TEXT_STATE] = 78,
    [TEXT_LENGTH] = 79, [TEXT_ASCII] = 80,
};

/* Those of runtime and interpreter may be large: these structures hold much else. */
static uint64_t limit_of(enum word word)
{
    return word <= THREADS ? 1 << 24 : ML_PYTHON_PART_MAX_B - sizeof(uint64_t);
}

static bool read_words(const uint8_t *bytes, size_t n, const uint8_t *words, uint32_t *out)
{
    for (int i = 0; i < N_WORDS; i++) {
        uint64_t value;
        size_t at = words[i] * sizeof value;
        if (at + sizeof value > n)
            return false;
        memcpy(&value, bytes + at, sizeof value);
        if (value > limit_of(i))
            return false;
        out[i] = (uint32_t)value;
    }
    return true;
}

bool ml_python_layout_parse(const uint8_t *bytes, size_t n, struct ml_python_layout *out_layout)
{
    static const char cookie[] = "xdebugpy";
    const size_t cookie_B = strlen(cookie);
    uint64_t version;
    uint32_t at[N_WORDS];
    if (n < cookie_B + sizeof version || memcmp(bytes, cookie, cookie_B) != 0)
        return false;
    memcpy(&version, bytes + cookie_B, sizeof version);
    bool is_13 = version >> 16 == 0x030d, is_14 = version >> 16 == 0x030e;
    if ((!is_13 && !is_14) || !read_words(bytes, n, is_13 ? words_3_13 : words_3_14, at))
        return false;
    *out_layout = (struct ml_python_layout){
        .version = (uint32_t)version,
        .interpreters = at[INTERPRETERS],
        .next_interpreter = at[NEXT_INTERPRETER],
        .threads = at[THREADS],
        .next_thread = at[NEXT_THREAD],
        .native_thread = at[NATIVE_THREAD],
        .chunk = at[CHUNK],
        .current = at[CURRENT],
        .code = at[CODE],
        .previous = at[PREVIOUS],
        .instruction = at[INSTRUCTION],
        .owner = at[OWNER],
        .file = at[FILE_NAME],
        .name = at[NAME],
        .lines = at[LINES],
        .first_line = at[FIRST_LINE],
        .instructions = at[INSTRUCTIONS],
        .type = at[TYPE],
        .count = at[COUNT],
        .bytes = at[BYTES],
        .text_length = at[TEXT_LENGTH],
        .text_state = at[TEXT_STATE],
        .text_ascii = at[TEXT_ASCII],
        .text_other = at[TEXT_ASCII] + 16, /* utf8_length and utf8 stand between */
        .kind_shift = is_13 ? 2 : 16,      /* interned has 2 bits, or is a uint16_t */
    };
    return true;
}
