#include "unwind/space.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_MIN_NS (50 * ML_NS_PER_MS)
#define LIFE_MAX_NS (2 * ML_NS_PER_S)

void ml_space_open(struct ml_space *space, pid_t pid, struct ml_modules *modules)
{
    *space = (struct ml_space){.pid = pid, .statm_fd = -1, .all = modules};
}

static void close_statm(struct ml_space *s)
{
    if (s->statm_fd >= 0)
        close(s->statm_fd);
    s->statm_fd = -1;
}

/* statm holds the sizes of all memory, of code and of data. Resident and shared memory, which
 * change all the time, are left out. Returns 0 or an errno. */
static int read_statm(struct ml_space *s, char *out, size_t size)
{
    char path[64], text[128];
    unsigned long long all, code, data;
    if (s->statm_fd < 0) {
        snprintf(path, sizeof path, "/proc/%d/statm", (int)s->pid);
        s->statm_fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    ssize_t n = s->statm_fd < 0 ? -1 : pread(s->statm_fd, text, sizeof text - 1, 0);
    if (n < 0) {
        int error = errno == ENOENT ? ESRCH : errno;
        close_statm(s); /* its number may become another process's */
        return error;
    }
    text[n] = 0;
    if (sscanf(text, "%llu %*u %*u %llu %*u %llu", &all, &code, &data) != 3)
        all = code = data = 0;
    snprintf(out, size, "%llu %llu %llu", all, code, data);
    return 0;
}

static int read_maps(struct ml_space *s, size_t *out_length)
{
    char path[64];
    size_t length = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)s->pid);
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ESRCH : errno;
    for (;;) {
        if (s->capacity - length < 4096) {
            s->capacity = s->capacity ? 2 * s->capacity : 1 << 16;
            s->text = ml_realloc_array(s->text, s->capacity, 1);
            s->fresh = ml_realloc_array(s->fresh, s->capacity, 1);
        }
        ssize_t n = read(fd, s->fresh + length, s->capacity - length);
        if (n < 0 && errno != EINTR)
            return errno;
        if (n == 0)
            break;
        length += n > 0 ? (size_t)n : 0;
    }
    *out_length = length;
    return length ? 0 : ESRCH;
}

/* Whether A and B map the same code to the same addresses. */
static bool same_code(const struct ml_maps *a, const struct ml_maps *b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a->n && !a->list[i].executable)
            i++;
        while (k < b->n && !b->list[k].executable)
            k++;
        if (i == a->n || k == b->n)
            return i == a->n && k == b->n;
        const struct ml_map *x = &a->list[i++], *y = &b->list[k++];
        if (x->start != y->start || x->end != y->end || x->offset != y->offset ||
            x->device != y->device || x->inode != y->inode)
            return false;
    }
}

static void parse(struct ml_space *s, size_t length)
{
    struct ml_maps maps = {0};
    char *text = s->text;
    s->text = s->fresh;
    s->fresh = text;
    s->length = length;
    ml_maps_parse(s->text, length, &maps);
    if (!same_code(&maps, &s->maps))
        s->generation++;
    ml_maps_free(&s->maps);
    s->maps = maps;
    free(s->modules);
    free(s->asked);
    s->modules = ml_alloc((maps.n + 1) * sizeof(struct ml_module *));
    s->asked = ml_alloc(maps.n + 1);
}

int ml_space_refresh(struct ml_space *s, int64_t now_ns, bool anyway)
{
    char statm[sizeof s->statm];
    size_t length = 0;
    int error = read_statm(s, statm, sizeof statm);
    if (error)
        return error;
    if (!anyway && s->read_ns && now_ns - s->read_ns < s->life_ns && strcmp(statm, s->statm) == 0)
        return 0;
    int64_t begin_ns = ml_mono_now().ns;
    error = read_maps(s, &length);
    if (error)
        return error;
    memcpy(s->statm, statm, sizeof statm);
    s->read_ns = now_ns;
    if (length != s->length || memcmp(s->fresh, s->text, length) != 0)
        parse(s, length);
    int64_t life_ns = 1000 * (ml_mono_now().ns - begin_ns);
    s->life_ns = life_ns < LIFE_MIN_NS   ? LIFE_MIN_NS
                 : life_ns > LIFE_MAX_NS ? LIFE_MAX_NS
                                         : life_ns;
    return 0;
}

bool ml_space_find(struct ml_space *s, uint64_t address, struct ml_place *out_place)
{
    const struct ml_map *map = ml_maps_find(&s->maps, address);
    if (!map)
        return false;
    size_t i = (size_t)(map - s->maps.list);
    if (!s->asked[i]) {
        s->asked[i] = true;
        s->modules[i] = ml_modules_of(s->all, s->pid, map);
    }
    struct ml_place place = {map, s->modules[i], address};
    if (place.module && !ml_module_address(place.module, map, address, &place.address))
        place.module = NULL;
    *out_place = place;
    return true;
}

bool ml_space_code(struct ml_space *s, uint64_t pc, struct ml_place *out_place)
{
    return ml_space_find(s, pc, out_place) && out_place->map->executable;
}

void ml_space_close(struct ml_space *s)
{
    ml_maps_free(&s->maps);
    free(s->modules);
    free(s->asked);
    free(s->text);
    free(s->fresh);
    close_statm(s);
    *s = (struct ml_space){0};
}
