#include "mpi_hooks/heap/code.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/system.h"

#include <stdbool.h>
#include <string.h>

#define PART 20 /* of the time at most */
#define LONGEST_NS INT64_C(10000000000)

static char text[16384]; /* lines of maps, the last of which may not be whole */
static int64_t next_ns;  /* when it may be read again */
static int64_t pause_ns; /* after the last time */
static bool owed;        /* some address was in no module, and they might not be read */

/* The last module that holds ADDRESS; NULL: none. */
static const struct ml_heap_module *module_at(const struct ml_heap_page *page, uintptr_t address)
{
    for (uint32_t i = ML_LOAD(page->n_modules); i > 0; i--) {
        const struct ml_heap_module *m = &page->modules[i - 1];
        if (address >= m->start && address < m->end)
            return m;
    }
    return NULL;
}

static uint64_t read_hex(const char **p)
{
    uint64_t value = 0;
    for (;; ++*p) {
        char c = **p;
        if (c >= '0' && c <= '9')
            value = value * 16 + (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (uint64_t)(c - 'a' + 10);
        else
            return value;
    }
}

static const char *skip_field(const char *p)
{
    while (*p && *p != ' ')
        p++;
    while (*p == ' ')
        p++;
    return p;
}

/* LINE, ended by a NUL (proc_pid_maps(5)): start-end rwxp offset dev inode path. False: no code of
 * a file. */
static bool parse(const char *line, struct ml_heap_module *out)
{
    memset(out, 0, sizeof *out);
    out->start = read_hex(&line);
    if (*line++ != '-')
        return false;
    out->end = read_hex(&line);
    const char *rights = skip_field(line);
    line = skip_field(rights);
    out->offset = read_hex(&line);
    const char *path = skip_field(skip_field(skip_field(line)));
    if (rights[0] == '\0' || rights[2] != 'x' || *path != '/')
        return false;
    size_t n = strlen(path);
    memcpy(out->path, path, n < sizeof out->path ? n : sizeof out->path - 1);
    return n < sizeof out->path;
}

static bool is_known(const struct ml_heap_page *page, const struct ml_heap_module *read)
{
    const struct ml_heap_module *m = module_at(page, read->start);
    return m && m->start == read->start && m->end == read->end && m->offset == read->offset &&
           strcmp(m->path, read->path) == 0;
}

/* Returns whether LINE was news. */
static bool add(struct ml_heap_page *page, const char *line)
{
    struct ml_heap_module read;
    uint32_t n = ML_LOAD(page->n_modules);
    if (n >= ML_HEAP_MODULES || !parse(line, &read) || is_known(page, &read))
        return false;
    page->modules[n] = read;
    atomic_store_explicit(&page->n_modules, n + 1, memory_order_release);
    return true;
}

/* Takes whole lines from the N bytes of text; what is left moves to its begin. Returns how much. */
static size_t take_lines(struct ml_heap_page *page, size_t n, bool *out_news)
{
    size_t begin = 0;
    for (char *end; (end = memchr(text + begin, '\n', n - begin));) {
        *end = '\0';
        *out_news |= add(page, text + begin);
        begin = (size_t)(end - text) + 1;
    }
    memmove(text, text + begin, n - begin);
    return n - begin;
}

static bool read_maps(struct ml_heap_page *page)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
    bool news = false;
    size_t n = 0;
    for (ssize_t got = 1; fd >= 0 && got > 0 && n < sizeof text;) {
        got = syscall(SYS_read, fd, text + n, sizeof text - n);
        n = got > 0 ? take_lines(page, n + (size_t)got, &news) : 0;
    }
    if (fd >= 0)
        syscall(SYS_close, fd);
    return news;
}

static bool all_are_known(const struct ml_heap_page *page, const uintptr_t *pcs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!module_at(page, pcs[i] - 1))
            return false;
    return true;
}

void ml_code_catch_up(struct ml_heap_page *page)
{
    int64_t begin_ns = owed ? ml_sys_ns(CLOCK_MONOTONIC) : 0;
    if (!owed || (ML_LOAD(page->n_modules) > 0 && begin_ns < next_ns))
        return;
    bool news = read_maps(page);
    int64_t end_ns = ml_sys_ns(CLOCK_MONOTONIC), least_ns = PART * (end_ns - begin_ns);
    pause_ns = news || 2 * pause_ns < least_ns ? least_ns : 2 * pause_ns;
    pause_ns = pause_ns < LONGEST_NS ? pause_ns : LONGEST_NS;
    next_ns = end_ns + pause_ns;
    owed = false;
}

void ml_code_know(struct ml_heap_page *page, const uintptr_t *pcs, size_t n)
{
    owed = owed || !all_are_known(page, pcs, n);
    ml_code_catch_up(page);
}
