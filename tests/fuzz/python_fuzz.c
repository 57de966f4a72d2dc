/* libFuzzer: the memory of a Python interpreter. The first byte is its version, the rest its
 * memory, addresses in which count from BASE. */
#include "python/calls.h"
#include "python/lines.h"
#include "python/names.h"
#include "python/threads.h"

#include <stdlib.h>
#include <string.h>

/* As in unit/python_image.h. */
#define BASE 0x100000u
#define CODE_TYPE (BASE + 0x6000u)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
    const uint8_t *bytes;
    size_t size;
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

static bool read_memory(void *context, uint64_t address, void *out, size_t n)
{
    const struct memory *m = context;
    if (address < BASE || n > m->size || address - BASE > m->size - n)
        return false;
    memcpy(out, m->bytes + (address - BASE), n);
    return true;
}

static bool open_layout(int version, const struct memory *m, struct ml_python_layout *out)
{
    return version < 2 ? ml_python_layout_known(0x030b0000u + (uint32_t)version * 0x10000u, out)
                       : ml_python_layout_parse(m->bytes, m->size, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ml_python_calls calls;
    struct memory memory = {data + 1, size - 1};
    struct ml_python_memory m = {&memory, read_memory, NULL};
    struct ml_python_layout layout;
    struct ml_python_thread list[16];
    struct ml_python_name name;
    if (!size)
        return 0;
    ml_python_line(memory.bytes, memory.size, 1, size);
    if (!open_layout(*data % 3, &memory, &layout))
        return 0;
    size_t n = ml_python_threads_read(&layout, &m, BASE, 16, list);
    must(n <= 16);
    struct ml_python_names *names = ml_python_names_open();
    for (size_t i = 0; i < n; i++) {
        ml_python_calls_read(&layout, &m, list[i].state, list[i].native, &calls);
        must(calls.n <= ML_PYTHON_CALLS_MAX);
        for (size_t k = 0; k < calls.n; k++)
            ml_python_names_at(names, &layout, &m, 1, CODE_TYPE, calls.list[k].code,
                               calls.list[k].instruction, &name);
    }
    ml_python_names_close(names);
    return 0;
}
