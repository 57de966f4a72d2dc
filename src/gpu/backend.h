/* A way to learn of GPUs: one const table of functions each. */
#ifndef ML_GPU_BACKEND_H
#define ML_GPU_BACKEND_H

#include "gpu/gpu.h"

#include <sys/types.h>

#define ML_GPU_DEVICES 64   /* of a node, at most */
#define ML_GPU_PARTS 16     /* of a device that is divided, at most */
#define ML_GPU_CLIENTS 4096 /* that are told apart; a power of two */

struct ml_gpu_device {
    char name[128], uuid[ML_GPU_WORD], driver[ML_GPU_WORD], pci[ML_GPU_WORD];
    int64_t memory_B, reserved_B;
    int numa_node;
    int32_t minor;                 /* of its device file: N of /dev/nvidiaN, of /dev/dri/renderDN */
    int32_t gpu_instance;          /* -1: it is a whole */
    int dir;                       /* of the device in sysfs; -1: none */
    int64_t kfd_ids[ML_GPU_PARTS]; /* by which kfd knows it */
    size_t n_kfd_ids;
    int64_t used_B, told_used_B; /* now, and by its last row; -1: not known */
    int32_t utilisation, told_utilisation;
    int64_t ecc_errors, told_ecc_errors;
    bool unknown; /* what processes have of it could not be learnt this time */
};

struct ml_gpu_use {
    int64_t used_B, host_B;
};

/* A process that has memory of a device, by NVML. */
struct ml_gpu_holder {
    pid_t pid;
    size_t gpu;
    int64_t used_B; /* -1: nobody knows how much */
};

struct ml_gpu_set {
    int proc, sys;  /* directories: /proc, /sys/class */
    bool outermost; /* PIDs are those that the kernel itself counts by */
    struct ml_gpu_device devices[ML_GPU_DEVICES];
    size_t n;
    uint64_t clients[ML_GPU_CLIENTS]; /* seen in this round; 0: free */
    bool has_nvidia;                  /* its driver is in the kernel, so NVML may be asked */
    size_t first_told, n_told;        /* devices that NVML has told of */
    struct ml_gpu_holder *holders;    /* [n_holders] by PID from a round's begin on */
    size_t n_holders, holder_capacity;
};

struct ml_gpu_backend {
    /* Adds devices, or what it knows of those that others have added. */
    void (*find)(struct ml_gpu_set *set);
    /* Sets used_B and utilisation of devices; may be NULL. */
    void (*measure)(struct ml_gpu_set *set);
    /* Adds to USES, of each device, what process PID has. */
    void (*look)(struct ml_gpu_set *set, pid_t pid, struct ml_gpu_use *uses);
};

extern const struct ml_gpu_backend ml_gpu_drm, ml_gpu_kfd, ml_gpu_nvidia;

/* The NUMA node that the device is next to, by its PCI address. */
int ml_gpu_numa_node(const struct ml_gpu_set *set, const char *pci);

/* Adds what NVIDIA's driver tells in /proc/driver/nvidia, where it is not known yet: names and
 * places. */
void ml_gpu_nvidia_find_all(struct ml_gpu_set *set);

void ml_gpu_nvidia_told(struct ml_gpu_set *set, const struct ml_gpu_told_sample *sample);

/* NVML tells no more. */
void ml_gpu_nvidia_lost(struct ml_gpu_set *set);

/* The devices, as choices.c looks at them. */
const struct ml_gpu_set *ml_gpus_set(const struct ml_gpus *gpus);

/* The next device, with nothing known; NULL: there is no room. */
struct ml_gpu_device *ml_gpu_add_device(struct ml_gpu_set *set);

/* The start of a file below DIR. Returns its length; -1: it cannot be read. */
ssize_t ml_gpu_read(int dir, const char *path, char *out, size_t size);

/* The number that a file holds, or -1. */
int64_t ml_gpu_read_number(int dir, const char *path);

#endif
