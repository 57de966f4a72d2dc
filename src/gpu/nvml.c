#include "gpu/nvml.h"

#include "base/memory.h"
#include "gpu/backend.h"
#include "gpu/nvml_calls.h"
#include "record/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_AT_FIRST = 64, RECORDS_MOST = 1 << 16, TRIES = 5 };

struct part {
    nvml_device device; /* the instance, where it is one */
    nvml_device whole;
    bool is_instance;
};

struct ml_nvml {
    struct ml_nvml_calls call;
    struct part parts[ML_GPU_DEVICES];
    size_t n_parts;
    unsigned char *records; /* [capacity] of the largest kind */
    unsigned int capacity;
    struct ml_gpu_told_process *processes; /* [n] by PID */
    size_t n, process_capacity;
};

/* ---- which there are ---- */

static void add_part(struct ml_nvml *nv, nvml_device device, nvml_device whole)
{
    if (nv->n_parts < ML_GPU_DEVICES)
        nv->parts[nv->n_parts++] = (struct part){device, whole, device != whole};
}

static bool is_divided(const struct ml_nvml *nv, nvml_device device)
{
    unsigned int now = 0, pending = 0;
    return nv->call.mig_mode && nv->call.mig_count && nv->call.mig_handle &&
           nv->call.mig_mode(device, &now, &pending) == NVML_SUCCESS &&
           now == NVML_DEVICE_MIG_ENABLE;
}

/* There are gaps in the numbers of instances. */
static void add_instances(struct ml_nvml *nv, nvml_device device)
{
    unsigned int n = 0;
    nvml_device instance;
    if (nv->call.mig_count(device, &n) != NVML_SUCCESS)
        return;
    for (unsigned int i = 0; i < n && i < ML_GPU_DEVICES; i++) {
        if (nv->call.mig_handle(device, i, &instance) == NVML_SUCCESS && instance != device)
            add_part(nv, instance, device);
    }
}

static void find_parts(struct ml_nvml *nv, unsigned int n_devices)
{
    for (unsigned int i = 0; i < n_devices && i < ML_GPU_DEVICES; i++) {
        nvml_device device;
        if (nv->call.handle(i, &device) != NVML_SUCCESS)
            continue; /* it is another job's, or broken */
        size_t before = nv->n_parts;
        if (is_divided(nv, device))
            add_instances(nv, device);
        if (nv->n_parts == before)
            add_part(nv, device, device);
    }
}

static enum ml_status failed(const struct ml_nvml *nv, const char *what, int code,
                             struct ml_error *err)
{
    const char *why = nv->call.error_text ? nv->call.error_text(code) : NULL;
    return ml_fail(err, ML_NODE_LOST, "%s: %.200s (%d)", what, why ? why : "it failed", code);
}

static enum ml_status begin(struct ml_nvml *nv, struct ml_error *err)
{
    unsigned int n = 0;
    int code = nv->call.init();
    if (code != NVML_SUCCESS)
        return failed(nv, "nvmlInit", code, err);
    code = nv->call.count(&n);
    if (code != NVML_SUCCESS)
        return failed(nv, "nvmlDeviceGetCount", code, err);
    find_parts(nv, n);
    return ML_OK;
}

enum ml_status ml_nvml_open(const char *library, struct ml_nvml **out_nvml, struct ml_error *err)
{
    struct ml_nvml *nv = ml_alloc(sizeof *nv);
    enum ml_status status = ml_nvml_calls_load(library, &nv->call, err);
    if (status == ML_OK)
        status = begin(nv, err);
    if (status == ML_OK)
        *out_nvml = nv;
    else
        ml_nvml_close(nv);
    return status;
}

size_t ml_nvml_count(const struct ml_nvml *nv)
{
    return nv->n_parts;
}

/* ---- what is fixed ---- */

/* A size that makes sense, or ML_NOT_MEASURED. */
static int64_t size_of(unsigned long long value)
{
    return value > INT64_MAX ? ML_NOT_MEASURED : (int64_t)value;
}

struct sizes {
    int64_t total_B, reserved_B, used_B;
};

/* nvml.h says that `used` includes `reserved`, and drivers leave it out
 * (github.com/wookayin/gpustat issue 141): what is neither free nor reserved is neither way in
 * doubt. */
static int64_t used_of(const struct nvml_memory_v2 *m)
{
    bool adds_up =
        m->total <= INT64_MAX && m->free <= m->total && m->reserved <= m->total - m->free;
    return adds_up ? (int64_t)(m->total - m->free - m->reserved) : size_of(m->used);
}

static struct sizes sizes_of(const struct ml_nvml *nv, nvml_device device)
{
    struct nvml_memory_v2 m2 = {.version = NVML_MEMORY_V2};
    if (nv->call.memory_v2 && nv->call.memory_v2(device, &m2) == NVML_SUCCESS)
        return (struct sizes){size_of(m2.total), size_of(m2.reserved), used_of(&m2)};
    struct nvml_memory m = {0};
    if (nv->call.memory(device, &m) == NVML_SUCCESS)
        return (struct sizes){size_of(m.total), ML_NOT_MEASURED, size_of(m.used)};
    return (struct sizes){ML_NOT_MEASURED, ML_NOT_MEASURED, ML_NOT_MEASURED};
}

/* As sysfs writes it. A GPU is function 0. */
static void describe_place(const struct ml_nvml *nv, nvml_device whole, char *out, size_t size)
{
    struct nvml_pci pci = {0};
    if (nv->call.pci && nv->call.pci(whole, &pci) == NVML_SUCCESS)
        snprintf(out, size, "%04x:%02x:%02x.0", pci.domain, pci.bus & 0xff, pci.device & 0x1f);
}

/* The library need not end it. */
static void describe_text(int (*call)(nvml_device, char *, unsigned int), nvml_device device,
                          char *out, size_t size)
{
    if (!call || call(device, out, (unsigned int)size) != NVML_SUCCESS)
        *out = 0;
    out[size - 1] = 0;
}

static int32_t small_number(int (*call)(nvml_device, unsigned int *), nvml_device device)
{
    unsigned int value = 0;
    bool known = call && call(device, &value) == NVML_SUCCESS && value <= INT32_MAX;
    return known ? (int32_t)value : ML_NOT_MEASURED;
}

void ml_nvml_describe(const struct ml_nvml *nv, size_t device, struct ml_gpu_told_device *out)
{
    const struct part *p = &nv->parts[device];
    struct sizes sizes = sizes_of(nv, p->device);
    struct ml_gpu_told_device d = {.memory_B = sizes.total_B, .reserved_B = sizes.reserved_B};
    describe_text(nv->call.name, p->device, d.name, sizeof d.name);
    describe_text(nv->call.uuid, p->device, d.uuid, sizeof d.uuid);
    describe_place(nv, p->whole, d.pci, sizeof d.pci);
    d.minor = small_number(nv->call.minor, p->whole);
    d.gpu_instance =
        p->is_instance ? small_number(nv->call.gpu_instance, p->device) : ML_NOT_MEASURED;
    *out = d;
}

/* ---- what changes ---- */

static void note_process(struct ml_nvml *nv, const struct nvml_process_v1 *record)
{
    ML_GROW(nv->processes, nv->n, nv->process_capacity);
    nv->processes[nv->n++] =
        (struct ml_gpu_told_process){(pid_t)record->pid, size_of(record->usedGpuMemory)};
}

static void enlarge(struct ml_nvml *nv, unsigned int at_least)
{
    unsigned int n = at_least > 2 * nv->capacity ? at_least : 2 * nv->capacity;
    nv->capacity = n < RECORDS_AT_FIRST ? RECORDS_AT_FIRST : n < RECORDS_MOST ? n : RECORDS_MOST;
    nv->records = ml_realloc_array(nv->records, nv->capacity, sizeof(struct nvml_process_535));
}

/* All kinds of record begin as the first one. */
static bool list(struct ml_nvml *nv, const struct ml_nvml_list *l, nvml_device device)
{
    unsigned int n = 0;
    int code = NVML_ERROR_INSUFFICIENT_SIZE;
    if (!l->list)
        return false;
    for (int i = 0; i < TRIES && code == NVML_ERROR_INSUFFICIENT_SIZE; i++) {
        if (i || !nv->records)
            enlarge(nv, n);
        n = nv->capacity;
        code = l->list(device, &n, nv->records);
    }
    if (code != NVML_SUCCESS || n > nv->capacity)
        return false;
    for (unsigned int i = 0; i < n; i++) {
        struct nvml_process_v1 record;
        memcpy(&record, nv->records + i * l->record, sizeof record);
        note_process(nv, &record);
    }
    return true;
}

static int by_pid(const void *a, const void *b)
{
    const struct ml_gpu_told_process *x = a, *y = b;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    return (x->used_B < y->used_B) - (x->used_B > y->used_B);
}

/* One that is in two lists, or twice in one, counts once, with the most that is told of it. */
static void join_processes(struct ml_nvml *nv)
{
    size_t kept = 0;
    if (nv->n)
        qsort(nv->processes, nv->n, sizeof *nv->processes, by_pid);
    for (size_t i = 0; i < nv->n; i++) {
        if (!kept || nv->processes[kept - 1].pid != nv->processes[i].pid)
            nv->processes[kept++] = nv->processes[i];
    }
    nv->n = kept;
}

static int32_t utilisation(const struct ml_nvml *nv, nvml_device device)
{
    struct nvml_utilization u = {0};
    bool known = nv->call.utilization && nv->call.utilization(device, &u) == NVML_SUCCESS;
    return known && u.gpu <= 100 ? (int32_t)u.gpu : ML_NOT_MEASURED;
}

static int64_t ecc_errors(const struct ml_nvml *nv, nvml_device whole)
{
    unsigned long long n = 0;
    bool known = nv->call.ecc && nv->call.ecc(whole, NVML_MEMORY_ERROR_TYPE_UNCORRECTED,
                                              NVML_VOLATILE_ECC, &n) == NVML_SUCCESS;
    return known ? size_of(n) : ML_NOT_MEASURED;
}

void ml_nvml_look(struct ml_nvml *nv, size_t device, struct ml_gpu_told_sample *out)
{
    const struct part *p = &nv->parts[device];
    struct ml_gpu_told_sample s = {.device = (int32_t)device};
    nv->n = 0;
    s.used_B = sizes_of(nv, p->device).used_B;
    s.utilisation = utilisation(nv, p->device);
    s.ecc_errors = ecc_errors(nv, p->whole);
    s.complete = list(nv, &nv->call.lists[0], p->device);
    for (size_t i = 1; i < ML_NVML_LISTS; i++)
        list(nv, &nv->call.lists[i], p->device);
    join_processes(nv);
    s.processes = nv->processes;
    s.n = nv->n;
    *out = s;
}

void ml_nvml_close(struct ml_nvml *nv)
{
    if (!nv)
        return;
    free(nv->records);
    free(nv->processes);
    free(nv);
}
