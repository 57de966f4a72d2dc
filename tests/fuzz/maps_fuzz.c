/* libFuzzer: /proc/PID/maps, and what /proc says of threads. */
#include "base/memory.h"
#include "symbols/maps.h"
#include "unwind/thread_state.h"

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
    struct ml_maps maps = {0};
    ml_maps_parse((const char *)data, size, &maps);
    for (size_t i = 0; i < maps.n; i++) {
        const struct ml_map *map = &maps.list[i];
        must(map->start < map->end && strlen(map->path) <= size);
        const struct ml_map *found = ml_maps_find(&maps, map->start);
        must(!found || (found->start <= map->start && map->start < found->end));
    }
    ml_maps_parse("", 0, &maps);
    must(maps.n == 0);
    ml_maps_free(&maps);
    char *text = ml_alloc(size + 1);
    memcpy(text, data, size);
    struct ml_blocked blocked;
    if (ml_blocked_parse(text, &blocked))
        must(blocked.call >= -1 && blocked.sp && blocked.pc);
    ml_runs_parse(text);
    free(text);
    return 0;
}
