/* What kernel drivers tell of GPUs, parsed: text in, struct out, no I/O.
 *
 * All texts are N bytes that need not end in NUL. A number that the text lacks, or that makes no
 * sense, is ML_NOT_MEASURED; one that does not fit into 63 bits is the largest that does. */
#ifndef ML_GPU_PARSE_H
#define ML_GPU_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ML_GPU_WORD 64

/* An open file of a DRM device: /proc/PID/fdinfo/FD (Documentation/gpu/drm-usage-stats.rst). */
struct ml_gpu_client {
    char driver[ML_GPU_WORD];
    char pci[ML_GPU_WORD]; /* "" of a device on another bus */
    int64_t id;            /* the same for files that stand for one client of the device */
    int64_t device_B;      /* memory of the device itself; -1: the driver does not tell */
    int64_t host_B;        /* memory of the host that it holds for the device; likewise */
};

/* False: the text is of another file, or of a driver that tells no client. */
bool ml_gpu_parse_fdinfo(const char *text, size_t n, struct ml_gpu_client *out_client);

/* The value of the line KEY, which has its = or blank too, as text. "": there is none, or it does
 * not fit. Of uevent, and of properties in the topology of kfd. */
void ml_gpu_parse_value(const char *text, size_t n, const char *key, char *out, size_t size);

/* A decimal number and nothing but blanks behind it: most files of sysfs. */
int64_t ml_gpu_parse_number(const char *text, size_t n);

/* The PCI address of a node in the topology of kfd, from its properties; false: there is none. */
bool ml_gpu_parse_kfd_pci(const char *text, size_t n, char out_pci[ML_GPU_WORD]);

/* Properties of one of its banks of memory: size, where that is the device's own. */
int64_t ml_gpu_parse_kfd_bank(const char *text, size_t n);

/* The number of a GPU's own device file: 3 for "/dev/nvidia3" or "/dev/dri/renderD3"; -1: it is
 * another one. */
int32_t ml_gpu_parse_nvidia_file(const char *path, size_t n);
int32_t ml_gpu_parse_render_file(const char *path, size_t n);

/* The value of NAME in an environment as /proc/PID/environ has it; false: it is not there. What
 * does not fit is cut. */
bool ml_gpu_parse_variable(const char *text, size_t n, const char *name, char *out, size_t size);

#endif
