#include "gpu/parse.h"

#include "record/schema.h"

#include <stdio.h>
#include <string.h>

enum { REGIONS_MOST = 16 };

struct span {
    const char *p, *end;
};

/* What is told of a region of memory; -1: not told. */
struct region {
    struct span name;
    int64_t resident_B, memory_B, total_B;
};

struct regions {
    struct region list[REGIONS_MOST];
    size_t n;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool take_line(struct span *text, struct span *out_line)
{
    if (text->p >= text->end)
        return false;
    const char *newline = memchr(text->p, '\n', (size_t)(text->end - text->p));
    *out_line = (struct span){text->p, newline ? newline : text->end};
    text->p = newline ? newline + 1 : text->end;
    return true;
}

static bool take_text(struct span *s, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
        return false;
    s->p += n;
    return true;
}

static struct span trim(struct span s)
{
    while (s.p < s.end && is_blank(*s.p))
        s.p++;
    while (s.end > s.p && is_blank(s.end[-1]))
        s.end--;
    return s;
}

static bool equal(struct span a, struct span b)
{
    return a.end - a.p == b.end - b.p && memcmp(a.p, b.p, (size_t)(a.end - a.p)) == 0;
}

/* Digits, then what follows is left. */
static bool take_number(struct span *s, int64_t *out)
{
    const char *start = s->p;
    int64_t value = 0;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *s->p - '0', &value))
            value = INT64_MAX;
    }
    *out = value;
    return s->p > start;
}

static void copy(struct span s, char *out, size_t size)
{
    size_t n = (size_t)(s.end - s.p);
    bool fits = n < size && !memchr(s.p, 0, n);
    memcpy(out, s.p, fits ? n : 0);
    out[fits ? n : 0] = 0;
}

/* "2048 KiB"; without a unit it is bytes. */
static int64_t size_of(struct span value)
{
    static const struct {
        const char *unit;
        int64_t bytes;
    } units[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    int64_t size_B;
    if (!take_number(&value, &size_B))
        return ML_NOT_MEASURED;
    value = trim(value);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct span unit = {units[i].unit, units[i].unit + strlen(units[i].unit)};
        if (equal(value, unit))
            return __builtin_mul_overflow(size_B, units[i].bytes, &size_B) ? INT64_MAX : size_B;
    }
    return ML_NOT_MEASURED;
}

static struct region *region_of(struct regions *regions, struct span name)
{
    for (size_t i = 0; i < regions->n; i++) {
        if (equal(regions->list[i].name, name))
            return &regions->list[i];
    }
    if (regions->n == REGIONS_MOST)
        return NULL;
    regions->list[regions->n] = (struct region){name, -1, -1, -1};
    return &regions->list[regions->n++];
}

static void note_region(struct regions *regions, struct span key, struct span value)
{
    bool resident = take_text(&key, "drm-resident-");
    bool memory = !resident && take_text(&key, "drm-memory-");
    if (!resident && !memory && !take_text(&key, "drm-total-"))
        return;
    struct region *r = region_of(regions, key);
    if (!r)
        return;
    int64_t *where = resident ? &r->resident_B : memory ? &r->memory_B : &r->total_B;
    if (*where < 0)
        *where = size_of(value);
}

static bool begins(struct span name, const char *const *words)
{
    for (; *words; words++) {
        if (take_text(&name, *words))
            return true;
    }
    return false;
}

/* drm-memory is the elder name of drm-resident; drm-total also counts what has no pages yet. */
static int64_t told_B(const struct region *r)
{
    return r->resident_B >= 0 ? r->resident_B : r->memory_B >= 0 ? r->memory_B : r->total_B;
}

static void add(int64_t *sum_B, int64_t more_B)
{
    if (more_B < 0)
        return;
    if (__builtin_add_overflow(*sum_B < 0 ? 0 : *sum_B, more_B, sum_B))
        *sum_B = INT64_MAX;
}

/* Names of regions: amdgpu has vram, gtt, cpu and others that are no memory (gds, oa, doorbell);
 * xe system, gtt, vram0; i915 system0, local0, stolen-local0; drivers without memory of their own
 * "memory" (drm_show_memory_stats). */
static void add_up(const struct regions *regions, struct ml_gpu_client *client)
{
    static const char *const device[] = {"vram", "local", "stolen-local", NULL};
    static const char *const host[] = {"system", "gtt", "cpu", "memory", NULL};
    for (size_t i = 0; i < regions->n; i++) {
        const struct region *r = &regions->list[i];
        if (begins(r->name, device))
            add(&client->device_B, told_B(r));
        else if (begins(r->name, host))
            add(&client->host_B, told_B(r));
    }
}

/* drm-driver:	amdgpu
 * drm-client-id:	7
 * drm-pdev:	0000:03:00.0
 * drm-memory-vram:	2048 KiB */
bool ml_gpu_parse_fdinfo(const char *text, size_t n, struct ml_gpu_client *out_client)
{
    struct ml_gpu_client client = {.id = -1, .device_B = -1, .host_B = -1};
    struct span all = {text, text + n}, line;
    struct regions regions = {.n = 0};
    while (take_line(&all, &line)) {
        const char *colon = memchr(line.p, ':', (size_t)(line.end - line.p));
        if (!colon)
            continue;
        struct span key = {line.p, colon}, value = trim((struct span){colon + 1, line.end});
        struct span rest = key;
        if (take_text(&rest, "drm-driver") && rest.p == rest.end)
            copy(value, client.driver, sizeof client.driver);
        else if (take_text(&rest, "drm-pdev") && rest.p == rest.end)
            copy(value, client.pci, sizeof client.pci);
        else if (take_text(&rest, "drm-client-id") && rest.p == rest.end) {
            if (!take_number(&value, &client.id) || value.p != value.end)
                client.id = -1;
        } else
            note_region(&regions, key, value);
    }
    if (client.id < 0 || !*client.driver)
        return false;
    add_up(&regions, &client);
    *out_client = client;
    return true;
}

/* PCI_SLOT_NAME=0000:03:00.0
 * location_id 768 */
void ml_gpu_parse_value(const char *text, size_t n, const char *key, char *out, size_t size)
{
    struct span all = {text, text + n}, line;
    *out = 0;
    while (take_line(&all, &line)) {
        if (take_text(&line, key)) {
            copy(trim(line), out, size);
            return;
        }
    }
}

int64_t ml_gpu_parse_number(const char *text, size_t n)
{
    struct span s = {text, text + n}, line;
    int64_t value;
    if (!take_line(&s, &line))
        return ML_NOT_MEASURED;
    line = trim(line);
    return take_number(&line, &value) && line.p == line.end ? value : ML_NOT_MEASURED;
}

static int64_t number_at(const char *text, size_t n, const char *key)
{
    char value[ML_GPU_WORD];
    ml_gpu_parse_value(text, n, key, value, sizeof value);
    return ml_gpu_parse_number(value, strlen(value));
}

/* location_id is pci_dev_id(): bus, device, function in 16 bits; those above tell partitions of one
 * device apart (drivers/gpu/drm/amd/amdkfd/kfd_topology.c). */
bool ml_gpu_parse_kfd_pci(const char *text, size_t n, char out_pci[ML_GPU_WORD])
{
    int64_t domain = number_at(text, n, "domain "), place = number_at(text, n, "location_id ");
    if (place < 0)
        return false;
    snprintf(out_pci, ML_GPU_WORD, "%04x:%02x:%02x.%x", (unsigned)(domain > 0 ? domain : 0),
             (unsigned)(place >> 8 & 0xff), (unsigned)(place >> 3 & 0x1f), (unsigned)(place & 7));
    return true;
}

/* heap_type 1
 * size_in_bytes 68702699520
 * 1 and 2 are the frame buffer, public and private (HSA_MEM_HEAP_TYPE_FB_...). */
int64_t ml_gpu_parse_kfd_bank(const char *text, size_t n)
{
    int64_t heap = number_at(text, n, "heap_type ");
    return heap == 1 || heap == 2 ? number_at(text, n, "size_in_bytes ") : ML_NOT_MEASURED;
}

static int32_t numbered_file(const char *path, size_t n, const char *prefix)
{
    struct span s = {path, path + n};
    int64_t number;
    if (!take_text(&s, prefix) || !take_number(&s, &number) || s.p != s.end || number > INT32_MAX)
        return -1;
    return (int32_t)number;
}

int32_t ml_gpu_parse_nvidia_file(const char *path, size_t n)
{
    return numbered_file(path, n, "/dev/nvidia");
}

int32_t ml_gpu_parse_render_file(const char *path, size_t n)
{
    return numbered_file(path, n, "/dev/dri/renderD");
}

/* HOME=/root NUL CUDA_VISIBLE_DEVICES=0,1 NUL */
bool ml_gpu_parse_variable(const char *text, size_t n, const char *name, char *out, size_t size)
{
    for (const char *p = text, *end = text + n; p < end;) {
        const char *nul = memchr(p, 0, (size_t)(end - p));
        struct span s = {p, nul ? nul : end};
        p = s.end + 1;
        if (!take_text(&s, name) || !take_text(&s, "="))
            continue;
        size_t length = (size_t)(s.end - s.p) < size ? (size_t)(s.end - s.p) : size - 1;
        memcpy(out, s.p, length);
        out[length] = 0;
        return true;
    }
    return false;
}
