#include "gpu/nvml_calls.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>

static const char *const list_names[ML_NVML_LISTS] = {
    "nvmlDeviceGetComputeRunningProcesses",
    "nvmlDeviceGetGraphicsRunningProcesses",
    "nvmlDeviceGetMPSComputeRunningProcesses",
};

/* The first of up to three names that the library has. */
static void *find(void *library, const char *name, const char *elder, const char *eldest)
{
    void *found = dlsym(library, name);
    if (!found && elder)
        found = dlsym(library, elder);
    return found || !eldest ? found : dlsym(library, eldest);
}

static size_t record_of_v3(void *library)
{
    bool is_535 = dlsym(library, "nvmlDeviceGetConfComputeMemSizeInfo") &&
                  !dlsym(library, "nvmlDeviceGetRunningProcessDetailList");
    return is_535 ? sizeof(struct nvml_process_535) : sizeof(struct nvml_process_v2);
}

static struct ml_nvml_list find_list(void *library, const char *name)
{
    char v3[64], v2[64];
    snprintf(v3, sizeof v3, "%s_v3", name);
    snprintf(v2, sizeof v2, "%s_v2", name);
    struct ml_nvml_list l = {dlsym(library, v3), record_of_v3(library)};
    if (!l.list)
        l = (struct ml_nvml_list){dlsym(library, v2), sizeof(struct nvml_process_v2)};
    if (!l.list)
        l = (struct ml_nvml_list){dlsym(library, name), sizeof(struct nvml_process_v1)};
    return l;
}

static void find_all(void *l, struct ml_nvml_calls *c)
{
    c->init = find(l, "nvmlInit_v2", "nvmlInit", NULL);
    c->count = find(l, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount", NULL);
    c->handle = find(l, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex", NULL);
    c->memory = dlsym(l, "nvmlDeviceGetMemoryInfo");
    c->memory_v2 = dlsym(l, "nvmlDeviceGetMemoryInfo_v2");
    c->name = dlsym(l, "nvmlDeviceGetName");
    c->uuid = dlsym(l, "nvmlDeviceGetUUID");
    c->pci = find(l, "nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo");
    c->minor = dlsym(l, "nvmlDeviceGetMinorNumber");
    c->utilization = dlsym(l, "nvmlDeviceGetUtilizationRates");
    c->ecc = dlsym(l, "nvmlDeviceGetTotalEccErrors");
    c->mig_mode = dlsym(l, "nvmlDeviceGetMigMode");
    c->mig_count = dlsym(l, "nvmlDeviceGetMaxMigDeviceCount");
    c->mig_handle = dlsym(l, "nvmlDeviceGetMigDeviceHandleByIndex");
    c->gpu_instance = dlsym(l, "nvmlDeviceGetGpuInstanceId");
    c->error_text = dlsym(l, "nvmlErrorString");
    for (size_t i = 0; i < ML_NVML_LISTS; i++)
        c->lists[i] = find_list(l, list_names[i]);
}

enum ml_status ml_nvml_calls_load(const char *library, struct ml_nvml_calls *out_calls,
                                  struct ml_error *err)
{
    void *l = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!l)
        return ml_fail(err, ML_NODE_LOST, "%.300s", dlerror());
    struct ml_nvml_calls c;
    find_all(l, &c);
    if (!c.init || !c.count || !c.handle || !c.memory)
        return ml_fail(err, ML_NODE_LOST, "%.200s is no NVML that is known here", library);
    *out_calls = c;
    return ML_OK;
}
