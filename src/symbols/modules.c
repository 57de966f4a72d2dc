#include "symbols/modules.h"

#include "base/memory.h"
#include "base/own.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#if defined __x86_64__
#define MACHINE EM_X86_64
#elif defined __aarch64__
#define MACHINE EM_AARCH64
#else
#error "stacks are known for x86_64 and aarch64"
#endif

enum { N_BUCKETS = 1024, VDSO_MAX_B = 1 << 20 };

struct entry {
    struct ml_module module;
    uint64_t device, inode;
    char *path;
    bool usable; /* else it was tried in vain */
    bool mapped; /* by mmap; else `memory` holds it */
    uint8_t *memory;
    struct entry *next; /* in the bucket */
};

struct ml_modules {
    struct entry *buckets[N_BUCKETS];
};

struct ml_modules *ml_modules_open(void)
{
    return ml_alloc(sizeof(struct ml_modules));
}

static size_t bucket_of(const struct ml_map *map)
{
    uint64_t hash = map->device * 31 + map->inode;
    for (const char *c = map->path; *c; c++)
        hash = hash * 31 + (unsigned char)*c;
    return hash % N_BUCKETS;
}

/* Opens PATH if it is a regular file; with INODE, only if it is that one. What is something else is
 * not even opened: that may wait for ever (a fifo), or do something (a device). */
static int open_regular(const char *path, uint64_t inode)
{
    struct stat before, after;
    if (stat(path, &before) < 0 || !S_ISREG(before.st_mode) || (inode && before.st_ino != inode))
        return -1;
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &after) < 0 || !S_ISREG(after.st_mode) || after.st_ino != before.st_ino)
        return -1;
    return ML_TAKE_FD(fd);
}

/* The file that MAP of process PID maps, as that process sees it. overlayfs and btrfs show other
 * devices, and older overlayfs other inodes, in maps than in stat: for a path that was not deleted
 * the name is enough. */
static int open_mapped(pid_t pid, const struct ml_map *map)
{
    ML_AUTO_FREE char *in_root = ml_format("/proc/%d/root%s", (int)pid, map->path);
    ML_AUTO_FREE char *range =
        ml_format("/proc/%d/map_files/%llx-%llx", (int)pid, (unsigned long long)map->start,
                  (unsigned long long)map->end);
    ML_AUTO_FREE char *executable = ml_format("/proc/%d/exe", (int)pid);
    int fd = open_regular(in_root, map->inode);
    if (fd < 0)
        fd = open_regular(range, 0);
    if (fd < 0 && map->inode)
        fd = open_regular(executable, map->inode);
    if (fd < 0 && !map->deleted) {
        fd = open_regular(in_root, 0);
        if (fd < 0)
            fd = open_regular(map->path, map->inode);
    }
    return fd;
}

/* If somebody truncates the file later, reading on gives SIGBUS, as it does in the program that
 * runs it. */
static void map_file(struct entry *e, pid_t pid, const struct ml_map *map)
{
    struct stat status;
    ML_AUTO_FD int fd = open_mapped(pid, map);
    if (fd < 0 || fstat(fd, &status) < 0 || status.st_size <= 0)
        return;
    void *memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED)
        return;
    e->mapped = true;
    e->memory = memory;
    e->module.size = (size_t)status.st_size;
}

static void read_vdso(struct entry *e, pid_t pid, const struct ml_map *map)
{
    uint64_t n = map->end - map->start;
    if (n > VDSO_MAX_B)
        return;
    e->memory = ml_alloc((size_t)n);
    struct iovec local = {e->memory, (size_t)n};
    struct iovec remote = {(void *)map->start, (size_t)n}; // NOLINT(performance-no-int-to-ptr)
    ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    e->module.size = got > 0 ? (size_t)got : 0;
}

static bool of_this_machine(const uint8_t *bytes, size_t size)
{
    Elf64_Half machine;
    if (size < sizeof(Elf64_Ehdr))
        return false;
    memcpy(&machine, bytes + offsetof(Elf64_Ehdr, e_machine), sizeof machine);
    return machine == MACHINE;
}

static void release(struct entry *e)
{
    if (e->module.free_user)
        e->module.free_user(e->module.user);
    ml_elf_image_free(&e->module.image);
    if (e->mapped)
        munmap(e->memory, e->module.size);
    else
        free(e->memory);
    free(e->path);
    free(e);
}

static struct entry *load(pid_t pid, const struct ml_map *map)
{
    struct entry *e = ml_alloc(sizeof *e);
    e->device = map->device;
    e->inode = map->inode;
    e->path = ml_strdup(map->path);
    if (map->path[0] == '/')
        map_file(e, pid, map);
    else
        read_vdso(e, pid, map);
    struct ml_module *m = &e->module;
    m->path = e->path;
    m->bytes = e->memory;
    e->usable =
        of_this_machine(m->bytes, m->size) && ml_elf_image_parse(m->bytes, m->size, &m->image);
    m->segments = m->image.segments;
    m->n_segments = m->image.n_segments;
    return e;
}

struct ml_module *ml_modules_of(struct ml_modules *modules, pid_t pid, const struct ml_map *map)
{
    bool vdso = strcmp(map->path, "[vdso]") == 0;
    if (map->path[0] != '/' && !vdso)
        return NULL;
    struct entry **bucket = &modules->buckets[bucket_of(map)];
    for (struct entry *e = *bucket; e; e = e->next) {
        if (e->device == map->device && e->inode == map->inode && strcmp(e->path, map->path) == 0)
            return e->usable ? &e->module : NULL;
    }
    struct entry *e = load(pid, map);
    if (vdso && !e->usable) { /* of a 32-bit process, or one that ended: others have a better one */
        release(e);
        return NULL;
    }
    e->next = *bucket;
    *bucket = e;
    return e->usable ? &e->module : NULL;
}

/* The segment that holds file offset OFFSET, among those that are mapped like MAP. */
static const struct ml_segment *segment_at(const struct ml_module *m, uint64_t offset,
                                           bool executable, uint64_t page_B)
{
    for (size_t i = 0; i < m->n_segments; i++) {
        const struct ml_segment *s = &m->segments[i];
        uint64_t start = s->offset & ~(page_B - 1);
        uint64_t end = (s->offset + s->size + page_B - 1) & ~(page_B - 1);
        if (s->executable == executable && offset >= start && offset < end)
            return s;
    }
    return NULL;
}

bool ml_module_address(const struct ml_module *module, const struct ml_map *map, uint64_t pc,
                       uint64_t *out_address)
{
    uint64_t page_B = (uint64_t)sysconf(_SC_PAGESIZE);
    const struct ml_segment *s = segment_at(module, map->offset, map->executable, page_B);
    if (!s) /* mprotect changed what the linker wanted */
        s = segment_at(module, map->offset, !map->executable, page_B);
    if (!s)
        return false;
    *out_address = pc - map->start + map->offset - s->offset + s->address;
    return true;
}

void ml_modules_close(struct ml_modules *modules)
{
    if (!modules)
        return;
    for (size_t i = 0; i < N_BUCKETS; i++) {
        struct entry *next;
        for (struct entry *e = modules->buckets[i]; e; e = next) {
            next = e->next;
            release(e);
        }
    }
    free(modules);
}
