/* Drivers of the kernel's DRM: amdgpu, i915, xe and others. Memory by process is what they write to
 * fdinfo of its open files; that of a device, where its driver tells it, is in sysfs. */
#include "gpu/backend.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MOST 4096 /* of a process that are looked at */
#define CARDS_MOST 256

static DIR *open_list(int dir, const char *path)
{
    int fd = openat(dir, path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !list)
        close(fd);
    return list;
}

/* What only shows pictures (of a management controller, of a framebuffer) has no render node. */
static bool renders(int device, int32_t *out_minor)
{
    DIR *list = open_list(device, "drm");
    const struct dirent *e;
    int64_t minor = -1;
    while (list && minor < 0 && (e = readdir(list))) {
        if (strncmp(e->d_name, "renderD", 7) == 0)
            minor = ml_gpu_parse_number(e->d_name + 7, strlen(e->d_name + 7));
    }
    if (list)
        closedir(list);
    *out_minor = minor > INT32_MAX ? -1 : (int32_t)minor;
    return minor >= 0;
}

/* The first line of a file. */
static void read_line(int dir, const char *path, char *out, size_t size)
{
    char text[256];
    ssize_t n = ml_gpu_read(dir, path, text, sizeof text);
    ml_gpu_parse_value(text, n < 0 ? 0 : (size_t)n, "", out, size);
}

static const char *maker(const char *vendor)
{
    return !strcmp(vendor, "0x1002")   ? "AMD"
           : !strcmp(vendor, "0x8086") ? "Intel"
           : !strcmp(vendor, "0x10de") ? "NVIDIA"
                                       : vendor;
}

static void name_device(struct ml_gpu_device *d)
{
    char vendor[ML_GPU_WORD / 2], model[ML_GPU_WORD / 2];
    read_line(d->dir, "product_name", d->name, sizeof d->name);
    if (*d->name)
        return;
    read_line(d->dir, "vendor", vendor, sizeof vendor);
    read_line(d->dir, "device", model, sizeof model);
    snprintf(d->name, sizeof d->name, "%s %s", maker(vendor), model);
}

/* NVIDIA's own driver tells DRM no memory; nvidia.c has its devices. */
static bool is_nvidias(int dir)
{
    char text[2048], driver[ML_GPU_WORD];
    ssize_t n = ml_gpu_read(dir, "uevent", text, sizeof text);
    ml_gpu_parse_value(text, n < 0 ? 0 : (size_t)n, "DRIVER=", driver, sizeof driver);
    return strcmp(driver, "nvidia") == 0;
}

static void add_card(struct ml_gpu_set *set, int card)
{
    char path[64], text[2048];
    snprintf(path, sizeof path, "drm/card%d/device", card);
    int dir = openat(set->sys, path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    int32_t minor;
    bool is_ours = dir >= 0 && renders(dir, &minor) && !is_nvidias(dir);
    struct ml_gpu_device *d = is_ours ? ml_gpu_add_device(set) : NULL;
    if (!d) {
        if (dir >= 0)
            close(dir);
        return;
    }
    d->dir = dir;
    d->minor = minor;
    ssize_t n = ml_gpu_read(dir, "uevent", text, sizeof text);
    ml_gpu_parse_value(text, n < 0 ? 0 : (size_t)n, "DRIVER=", d->driver, sizeof d->driver);
    ml_gpu_parse_value(text, n < 0 ? 0 : (size_t)n, "PCI_SLOT_NAME=", d->pci, sizeof d->pci);
    read_line(dir, "unique_id", d->uuid, sizeof d->uuid);
    name_device(d);
    d->memory_B = ml_gpu_read_number(dir, "mem_info_vram_total");
    int64_t numa = ml_gpu_read_number(dir, "numa_node");
    d->numa_node = numa > INT_MAX ? -1 : (int)numa;
}

/* "card0", and not its connectors, "card0-DP-1". -1: another name. */
static int card_number(const char *name)
{
    int64_t n = -1;
    if (strncmp(name, "card", 4) == 0)
        n = ml_gpu_parse_number(name + 4, strlen(name + 4));
    return n > INT_MAX ? -1 : (int)n;
}

static int by_number(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void find(struct ml_gpu_set *set)
{
    int cards[CARDS_MOST] = {0};
    size_t n = 0;
    DIR *list = open_list(set->sys, "drm");
    const struct dirent *e;
    while (list && n < CARDS_MOST && (e = readdir(list))) {
        int card = card_number(e->d_name);
        if (card >= 0)
            cards[n++] = card;
    }
    if (list)
        closedir(list);
    qsort(cards, n, sizeof *cards, by_number);
    for (size_t i = 0; i < n; i++)
        add_card(set, cards[i]);
}

static void measure(struct ml_gpu_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        struct ml_gpu_device *d = &set->devices[i];
        if (d->dir < 0)
            continue;
        int64_t busy = ml_gpu_read_number(d->dir, "gpu_busy_percent");
        d->used_B = ml_gpu_read_number(d->dir, "mem_info_vram_used");
        d->utilisation = busy > 100 ? -1 : (int32_t)busy;
    }
}

/* Files that were duplicated or inherited stand for one client, which counts once. */
static bool is_new(struct ml_gpu_set *set, size_t gpu, int64_t id)
{
    uint64_t key = (uint64_t)id * ML_GPU_DEVICES + gpu + 1;
    uint64_t slot = key * 0x9e3779b97f4a7c15u >> 32;
    for (size_t i = 0; i < ML_GPU_CLIENTS; i++) {
        uint64_t *c = &set->clients[(slot + i) & (ML_GPU_CLIENTS - 1)];
        if (*c == key)
            return false;
        if (!*c) {
            *c = key;
            return true;
        }
    }
    return true;
}

static void add(int64_t *sum_B, int64_t more_B)
{
    if (more_B > 0 && __builtin_add_overflow(*sum_B, more_B, sum_B))
        *sum_B = INT64_MAX;
}

static void add_client(struct ml_gpu_set *set, const struct ml_gpu_client *c,
                       struct ml_gpu_use *uses)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct ml_gpu_device *d = &set->devices[i];
        if (strcmp(d->pci, c->pci) != 0 || strcmp(d->driver, c->driver) != 0)
            continue;
        if (is_new(set, i, c->id)) {
            add(&uses[i].used_B, c->device_B);
            add(&uses[i].host_B, c->host_B);
        }
        return;
    }
}

/* Where FD of a process leads, without opening it. */
static bool is_of_a_device(int files, const char *fd)
{
    static const char folder[] = "/dev/dri/";
    char target[sizeof folder];
    ssize_t n = readlinkat(files, fd, target, sizeof target);
    return n == sizeof folder && memcmp(target, folder, sizeof folder - 1) == 0;
}

static void look(struct ml_gpu_set *set, pid_t pid, struct ml_gpu_use *uses)
{
    char path[64], text[4096];
    const struct dirent *e;
    snprintf(path, sizeof path, "%d/fd", (int)pid);
    DIR *list = !set->n || set->devices[0].dir < 0 ? NULL : open_list(set->proc, path);
    for (int i = 0; list && i < FILES_MOST && (e = readdir(list)); i++) {
        int64_t fd = ml_gpu_parse_number(e->d_name, strlen(e->d_name));
        struct ml_gpu_client client;
        if (fd < 0 || fd > INT_MAX || !is_of_a_device(dirfd(list), e->d_name))
            continue;
        snprintf(path, sizeof path, "%d/fdinfo/%d", (int)pid, (int)fd);
        ssize_t n = ml_gpu_read(set->proc, path, text, sizeof text);
        if (n > 0 && ml_gpu_parse_fdinfo(text, (size_t)n, &client))
            add_client(set, &client, uses);
    }
    if (list)
        closedir(list);
}

const struct ml_gpu_backend ml_gpu_drm = {find, measure, look};
