#include "gpu/told.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static void unpack_text(struct ml_unpacker *u, char *out, size_t size)
{
    snprintf(out, size, "%s", ml_unpack_text(u));
}

void ml_gpu_told_device_pack(const struct ml_gpu_told_device *d, struct ml_buffer *out)
{
    ml_pack_text(out, d->name);
    ml_pack_text(out, d->uuid);
    ml_pack_text(out, d->pci);
    ml_pack_int(out, d->memory_B);
    ml_pack_int(out, d->reserved_B);
    ml_pack_int(out, d->minor);
    ml_pack_int(out, d->gpu_instance);
}

bool ml_gpu_told_device_unpack(struct ml_unpacker *u, struct ml_gpu_told_device *out)
{
    unpack_text(u, out->name, sizeof out->name);
    unpack_text(u, out->uuid, sizeof out->uuid);
    unpack_text(u, out->pci, sizeof out->pci);
    out->memory_B = ml_unpack_int(u);
    out->reserved_B = ml_unpack_int(u);
    out->minor = (int32_t)ml_unpack_int(u);
    out->gpu_instance = (int32_t)ml_unpack_int(u);
    return !u->failed;
}

void ml_gpu_told_sample_pack(const struct ml_gpu_told_sample *s, struct ml_buffer *out)
{
    ml_pack_int(out, s->device);
    ml_pack_int(out, s->used_B);
    ml_pack_int(out, s->ecc_errors);
    ml_pack_int(out, s->utilisation);
    ml_pack_int(out, s->complete);
    ml_pack_int(out, (int64_t)s->n);
    for (size_t i = 0; i < s->n; i++) {
        ml_pack_int(out, s->processes[i].pid);
        ml_pack_int(out, s->processes[i].used_B);
    }
}

bool ml_gpu_told_sample_unpack(struct ml_unpacker *u, struct ml_gpu_told_sample *out,
                               struct ml_gpu_told_process **out_processes)
{
    struct ml_gpu_told_sample s = {.device = (int32_t)ml_unpack_int(u)};
    s.used_B = ml_unpack_int(u);
    s.ecc_errors = ml_unpack_int(u);
    s.utilisation = (int32_t)ml_unpack_int(u);
    s.complete = ml_unpack_int(u) != 0;
    int64_t n = ml_unpack_int(u);
    if (u->failed || n < 0 || n > u->end - u->cursor)
        return false;
    struct ml_gpu_told_process *list = ml_realloc_array(NULL, (size_t)n + 1, sizeof *list);
    for (; s.n < (size_t)n; s.n++) {
        list[s.n].pid = (pid_t)ml_unpack_int(u);
        list[s.n].used_B = ml_unpack_int(u);
    }
    if (u->failed) {
        free(list);
        return false;
    }
    s.processes = list;
    *out = s;
    *out_processes = list;
    return true;
}
