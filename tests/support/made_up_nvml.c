/* A made-up libnvidia-ml.so.1, of the version VERSION: 1 has calls without a version only (before
 * driver 450), 2 those of _v2, 3 all (since 510), 535 those of R535 with its longer records.
 *
 * The folder MADE_UP_NVML says how it behaves. Its file "behaviour" has lines:
 *   devices N       there are so many (2)
 *   mig N           the first one is divided into so many
 *   used BYTES      of each device
 *   ecc N           errors
 *   reserved_is_used 1  "used" of memory includes "reserved", as nvml.h says
 *   processes N     there are so many more
 *   hostile 1       names without an end, numbers that make no sense
 *   overflow 1      lists of processes that are longer than what was asked for, and no error
 *   hang CALL       does not return
 *   die CALL        ends the process; there is a file "dies" then
 *   error CALL N    fails with N
 * Its file PID has a line "DEVICE BYTES" for each device that process PID has memory of. After the
 * lists of the last device were read, it counts "looks" up. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/gpu/nvml_api.h"

/* Nobody includes a declaration of them: they are found by name. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define CALL __attribute__((visibility("default")))
#define INSTANCES 0x100
#define GIB (1ULL << 30)

static FILE *open_file(const char *name)
{
    char path[512];
    const char *folder = getenv("MADE_UP_NVML");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/nowhere", name);
    return fopen(path, "r");
}

static unsigned long long number(const char *key, unsigned long long otherwise)
{
    char line[256], word[64], value[64];
    FILE *f = open_file("behaviour");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%63s %63s", word, value) == 2 && strcmp(word, key) == 0)
            otherwise = strtoull(value, NULL, 0);
    }
    if (f)
        fclose(f);
    return otherwise;
}

static void die(void)
{
    char path[512];
    snprintf(path, sizeof path, "%s/dies", getenv("MADE_UP_NVML"));
    FILE *f = fopen(path, "w");
    if (f)
        fclose(f);
    _exit(3);
}

static int enter(const char *call)
{
    char line[256], word[64], name[64];
    int code, found = NVML_SUCCESS;
    FILE *f = open_file("behaviour");
    while (f && fgets(line, sizeof line, f)) {
        code = 0;
        if (sscanf(line, "%63s %63s %d", word, name, &code) < 2 || strcmp(name, call) != 0)
            continue;
        while (strcmp(word, "hang") == 0)
            pause();
        if (strcmp(word, "die") == 0)
            die();
        if (strcmp(word, "error") == 0)
            found = code;
    }
    if (f)
        fclose(f);
    return found;
}

#define ENTER                                                                                      \
    do {                                                                                           \
        int code = enter(__func__);                                                                \
        if (code)                                                                                  \
            return code;                                                                           \
    } while (0)

static unsigned place(nvml_device device)
{
    return (unsigned)(uintptr_t)device - 1;
}

static bool is_instance(nvml_device device)
{
    return place(device) >= INSTANCES;
}

/* ---- all versions ---- */

CALL int nvmlInit(void)
{
    ENTER;
    return NVML_SUCCESS;
}

CALL int nvmlDeviceGetCount(unsigned int *count)
{
    ENTER;
    *count = (unsigned)number("devices", 2);
    return NVML_SUCCESS;
}

CALL int nvmlDeviceGetHandleByIndex(unsigned int index, nvml_device *device)
{
    ENTER;
    *device = (nvml_device)(uintptr_t)(index + 1);
    return NVML_SUCCESS;
}

CALL const char *nvmlErrorString(int code)
{
    return code == NVML_ERROR_GPU_IS_LOST ? "GPU is lost" : "Some error";
}

static int text(char *out, unsigned int size, const char *format, unsigned value)
{
    char all[96];
    if (number("hostile", 0)) {
        memset(out, 'x', size);
        return NVML_SUCCESS;
    }
    snprintf(all, sizeof all, format, value);
    if (strlen(all) >= size)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    memcpy(out, all, strlen(all) + 1);
    return NVML_SUCCESS;
}

CALL int nvmlDeviceGetName(nvml_device device, char *name, unsigned int size)
{
    ENTER;
    return is_instance(device) ? text(name, size, "Made-up GPU MIG 1g.%ugb", 1)
                               : text(name, size, "Made-up GPU %u", place(device));
}

CALL int nvmlDeviceGetUUID(nvml_device device, char *uuid, unsigned int size)
{
    ENTER;
    return is_instance(device) ? text(uuid, size, "MIG-%08x", place(device) - INSTANCES)
                               : text(uuid, size, "GPU-%08x", place(device));
}

CALL int nvmlDeviceGetMemoryInfo(nvml_device device, struct nvml_memory *memory)
{
    ENTER;
    unsigned long long total = is_instance(device) ? GIB : 4 * GIB;
    unsigned long long used = number("used", GIB / 2);
    *memory = (struct nvml_memory){total, total - used - GIB / 4, used + GIB / 4};
    if (number("hostile", 0))
        *memory = (struct nvml_memory){1ULL << 63, ~0ULL, ~0ULL};
    return NVML_SUCCESS;
}

CALL int nvmlDeviceGetMinorNumber(nvml_device device, unsigned int *minor)
{
    ENTER;
    *minor = place(device);
    return NVML_SUCCESS;
}

CALL int nvmlDeviceGetUtilizationRates(nvml_device device, struct nvml_utilization *utilization)
{
    ENTER;
    if (is_instance(device))
        return NVML_ERROR_NOT_SUPPORTED;
    *utilization = (struct nvml_utilization){number("hostile", 0) ? 1000 : 40 + place(device), 7};
    return NVML_SUCCESS;
}

CALL int nvmlDeviceGetTotalEccErrors(nvml_device device, int type, int counter,
                                     unsigned long long *count)
{
    ENTER;
    (void)device;
    *count = number("ecc", 0);
    return type == NVML_MEMORY_ERROR_TYPE_UNCORRECTED && counter == NVML_VOLATILE_ECC
               ? NVML_SUCCESS
               : NVML_ERROR_NOT_SUPPORTED;
}

CALL int nvmlDeviceGetPciInfo_v2(nvml_device device, struct nvml_pci *pci)
{
    ENTER;
    pci->domain = 0;
    pci->bus = 0x10 + place(device);
    pci->device = 0;
    return NVML_SUCCESS;
}

/* ---- processes ---- */

struct writer {
    unsigned char *out;
    unsigned int room, n;
    size_t record;
};

static void write_process(struct writer *w, unsigned int pid, unsigned long long used)
{
    struct nvml_process_535 p = {{pid, used, ~0U, ~0U}, 12345};
    if (w->n < w->room)
        memcpy(w->out + w->n * w->record, &p, w->record);
    w->n++;
}

static void write_file(struct writer *w, const char *name, unsigned device)
{
    unsigned where;
    unsigned long long used;
    FILE *f = open_file(name);
    while (f && fscanf(f, "%u %llu", &where, &used) == 2) {
        if (where == device)
            write_process(w, (unsigned)atoi(name), used);
    }
    if (f)
        fclose(f);
}

/* An instance I is device 100 + I in the files of processes. */
static unsigned number_of(nvml_device device)
{
    return is_instance(device) ? 100 + place(device) - INSTANCES : place(device);
}

static int list(nvml_device device, unsigned int *count, void *out, size_t record)
{
    const char *folder = getenv("MADE_UP_NVML");
    struct writer w = {out, *count, 0, record};
    DIR *files = opendir(folder ? folder : "/nowhere");
    for (const struct dirent *e; files && (e = readdir(files));) {
        if (atoi(e->d_name) > 0)
            write_file(&w, e->d_name, number_of(device));
    }
    if (files)
        closedir(files);
    unsigned more = (unsigned)number("processes", 0);
    for (unsigned i = 0; i < more; i++)
        write_process(&w, 1000000 + i, 1);
    *count = number("overflow", 0) ? ~0U : w.n;
    return w.n > w.room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

/* Graphics contexts are of processes that are in the other list too. */
#define LIST(name, record)                                                                         \
    CALL int name(nvml_device device, unsigned int *count, void *out)                              \
    {                                                                                              \
        ENTER;                                                                                     \
        return list(device, count, out, record);                                                   \
    }

LIST(nvmlDeviceGetComputeRunningProcesses, sizeof(struct nvml_process_v1))
LIST(nvmlDeviceGetGraphicsRunningProcesses, sizeof(struct nvml_process_v1))

#if VERSION >= 2
CALL int nvmlInit_v2(void)
{
    ENTER;
    return NVML_SUCCESS;
}

CALL int nvmlDeviceGetCount_v2(unsigned int *count)
{
    ENTER;
    return nvmlDeviceGetCount(count);
}

CALL int nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvml_device *device)
{
    ENTER;
    return nvmlDeviceGetHandleByIndex(index, device);
}

CALL int nvmlDeviceGetMigMode(nvml_device device, unsigned int *current, unsigned int *pending)
{
    ENTER;
    *current = *pending = place(device) == 0 && number("mig", 0);
    return NVML_SUCCESS;
}

CALL int nvmlDeviceGetMaxMigDeviceCount(nvml_device device, unsigned int *count)
{
    ENTER;
    (void)device;
    *count = 7;
    return NVML_SUCCESS;
}

/* With gaps: the instances are 0, 2, 4, ... */
CALL int nvmlDeviceGetMigDeviceHandleByIndex(nvml_device device, unsigned int index,
                                             nvml_device *instance)
{
    ENTER;
    (void)device;
    if (index % 2 || index / 2 >= number("mig", 0))
        return NVML_ERROR_NOT_FOUND;
    *instance = (nvml_device)(uintptr_t)(INSTANCES + index / 2 + 1);
    return NVML_SUCCESS;
}

CALL int nvmlDeviceGetGpuInstanceId(nvml_device device, unsigned int *id)
{
    ENTER;
    *id = 7 + place(device) - INSTANCES;
    return is_instance(device) ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
}

LIST(nvmlDeviceGetComputeRunningProcesses_v2, sizeof(struct nvml_process_v2))
LIST(nvmlDeviceGetGraphicsRunningProcesses_v2, sizeof(struct nvml_process_v2))
#endif

#if VERSION >= 3
CALL int nvmlDeviceGetPciInfo_v3(nvml_device device, struct nvml_pci *pci)
{
    ENTER;
    memset(pci, 0xff, sizeof *pci);
    return nvmlDeviceGetPciInfo_v2(device, pci);
}

CALL int nvmlDeviceGetMemoryInfo_v2(nvml_device device, struct nvml_memory_v2 *memory)
{
    ENTER;
    struct nvml_memory m;
    if (memory->version != NVML_MEMORY_V2)
        return 25; /* NVML_ERROR_ARGUMENT_VERSION_MISMATCH */
    int code = nvmlDeviceGetMemoryInfo(device, &m);
    *memory = (struct nvml_memory_v2){memory->version, m.total, GIB / 4, m.free, m.used};
    if (!number("hostile", 0) && !number("reserved_is_used", 0))
        memory->used -= GIB / 4;
    return code;
}

#if VERSION == 535
#define RECORD_V3 sizeof(struct nvml_process_535)
CALL int nvmlDeviceGetConfComputeMemSizeInfo(void)
{
    return NVML_ERROR_NOT_SUPPORTED;
}
#else
#define RECORD_V3 sizeof(struct nvml_process_v2)
#endif
LIST(nvmlDeviceGetComputeRunningProcesses_v3, RECORD_V3)
LIST(nvmlDeviceGetGraphicsRunningProcesses_v3, RECORD_V3)

static void count_look(void)
{
    char path[512], temporary[520];
    unsigned n = 0;
    FILE *f = open_file("looks");
    if (f && fscanf(f, "%u", &n) != 1)
        n = 0;
    if (f)
        fclose(f);
    snprintf(path, sizeof path, "%s/looks", getenv("MADE_UP_NVML"));
    snprintf(temporary, sizeof temporary, "%s.new", path);
    f = fopen(temporary, "w");
    if (!f)
        return;
    fprintf(f, "%u\n", n + 1);
    fclose(f);
    rename(temporary, path);
}

/* The last list of a look. */
CALL int nvmlDeviceGetMPSComputeRunningProcesses_v3(nvml_device device, unsigned int *count,
                                                    void *out)
{
    ENTER;
    (void)out;
    *count = 0;
    if (!is_instance(device) && place(device) + 1 == number("devices", 2))
        count_look();
    return NVML_SUCCESS;
}
#endif
