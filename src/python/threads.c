#include "python/threads.h"

enum { INTERPRETERS_MAX = 64 };

static size_t read_threads(const struct ml_python_layout *l, const struct ml_python_memory *m,
                           uint64_t state, size_t most, struct ml_python_thread *list)
{
    size_t n = 0;
    for (; state && n < most; state = ml_python_pointer(m, state + l->next_thread)) {
        uint64_t native;
        if (!ml_python_read(m, state + l->native_thread, &native, sizeof native))
            break;
        list[n++] = (struct ml_python_thread){state, native};
    }
    return n;
}

size_t ml_python_threads_read(const struct ml_python_layout *l, const struct ml_python_memory *m,
                              uint64_t runtime, size_t most, struct ml_python_thread *list)
{
    size_t n = 0;
    uint64_t interpreter = ml_python_pointer(m, runtime + l->interpreters);
    for (int i = 0; interpreter && i < INTERPRETERS_MAX; i++) {
        uint64_t first = ml_python_pointer(m, interpreter + l->threads);
        n += read_threads(l, m, first, most - n, list + n);
        interpreter = ml_python_pointer(m, interpreter + l->next_interpreter);
    }
    return n;
}
