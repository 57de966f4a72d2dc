#include "stack/sites.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/pack.h"
#include "symbols/modules.h"

#include <stdlib.h>

struct ml_sites {
    struct ml_modules *modules;
    struct ml_map *maps; /* [n_maps] of the present question */
    size_t n_maps, maps_capacity;
    struct ml_code_place places[ML_STACK_DEPTH_MAX];
};

struct ml_sites *ml_sites_open(void)
{
    struct ml_sites *s = ml_alloc(sizeof *s);
    s->modules = ml_modules_open();
    return s;
}

static void read_maps(struct ml_sites *s, struct ml_unpacker *u)
{
    int64_t n = ml_unpack_int(u);
    s->n_maps = 0;
    for (int64_t i = 0; i < n && !u->failed; i++) {
        ML_GROW(s->maps, s->n_maps, s->maps_capacity);
        struct ml_map *map = &s->maps[s->n_maps++];
        *map = (struct ml_map){.start = (uint64_t)ml_unpack_int(u),
                               .end = (uint64_t)ml_unpack_int(u),
                               .offset = (uint64_t)ml_unpack_int(u),
                               .executable = true};
        map->path = ml_unpack_text(u);
    }
}

/* Of several that were there one after the other, the last. */
static const struct ml_map *find_map(const struct ml_sites *s, uint64_t pc)
{
    for (size_t i = s->n_maps; i > 0; i--) {
        const struct ml_map *map = &s->maps[i - 1];
        if (pc >= map->start && pc < map->end)
            return map;
    }
    return NULL;
}

static struct ml_code_place place_of(struct ml_sites *s, pid_t pid, uint64_t pc)
{
    struct ml_code_place place = {.address = pc, .is_caller = true};
    const struct ml_map *map = find_map(s, pc - 1);
    struct ml_module *module = map ? ml_modules_of(s->modules, pid, map) : NULL;
    if (module && ml_module_address(module, map, pc, &place.address))
        place.module = module;
    return place;
}

bool ml_sites_read(struct ml_sites *s, const void *bytes, size_t n,
                   void (*visit)(void *context, const struct ml_stack_thread *thread),
                   void *context)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    pid_t pid = (pid_t)ml_unpack_int(&u);
    int process = (int)ml_unpack_int(&u);
    read_maps(s, &u);
    for (int64_t left = ml_unpack_int(&u); left > 0 && !u.failed; left--) {
        struct ml_stack_thread t = {
            .process = process, .places = s->places, .time_ns = ml_mono_now().ns};
        t.thread = (pid_t)ml_unpack_int(&u);
        t.cut = ml_unpack_int(&u) != 0;
        int64_t calls = ml_unpack_int(&u);
        for (int64_t i = 0; i < calls && i < ML_STACK_DEPTH_MAX && !u.failed; i++)
            s->places[t.n_places++] = place_of(s, pid, (uint64_t)ml_unpack_int(&u));
        if (u.failed || calls < 0 || calls > ML_STACK_DEPTH_MAX)
            return false;
        visit(context, &t);
    }
    return !u.failed;
}

void ml_sites_close(struct ml_sites *s)
{
    if (!s)
        return;
    ml_modules_close(s->modules);
    free(s->maps);
    free(s);
}
