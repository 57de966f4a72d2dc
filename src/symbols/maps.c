#include "symbols/maps.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "7f1c2a000000-7f1c2a021000 r-xp 00001000 fe:01 4711    /usr/lib/libc.so.6 (deleted)"; LINE ends
 * with a NUL. */
static bool parse_line(char *line, struct ml_map *out)
{
    static const char deleted[] = " (deleted)";
    unsigned long long start, end, offset, inode;
    unsigned major, minor;
    char access[5];
    int path = 0;
    if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, access, &offset, &major,
               &minor, &inode, &path) != 7 ||
        strlen(access) != 4 || start >= end)
        return false;
    char *name = line + path;
    size_t length = strlen(name), tail = sizeof deleted - 1;
    bool gone = *name == '/' && length > tail && strcmp(name + length - tail, deleted) == 0;
    if (gone)
        name[length - tail] = 0;
    *out = (struct ml_map){.start = start,
                           .end = end,
                           .offset = offset,
                           .device = (uint64_t)major << 32 | minor,
                           .inode = inode,
                           .executable = access[2] == 'x',
                           .deleted = gone,
                           .path = name};
    return true;
}

void ml_maps_parse(const char *text, size_t n, struct ml_maps *maps)
{
    free(maps->text);
    maps->text = ml_alloc(n + 1);
    memcpy(maps->text, text, n);
    maps->n = 0;
    char *end;
    for (char *line = maps->text; (end = strchr(line, '\n')); line = end + 1) {
        struct ml_map map;
        *end = 0;
        if (!parse_line(line, &map))
            return;
        ML_GROW(maps->list, maps->n, maps->capacity);
        maps->list[maps->n++] = map;
    }
}

const struct ml_map *ml_maps_find(const struct ml_maps *maps, uint64_t address)
{
    size_t low = 0, high = maps->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (maps->list[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < maps->n && maps->list[low].start <= address ? &maps->list[low] : NULL;
}

void ml_maps_free(struct ml_maps *maps)
{
    free(maps->list);
    free(maps->text);
    *maps = (struct ml_maps){0};
}
