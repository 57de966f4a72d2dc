/* The GPU server: a process of its own that asks NVML, whose calls may take seconds, or for ever.
 * It says each thing as soon as it knows it, so that silence is that of one call; the sampling rank
 * kills it for that (orders/gpu_link.h) and goes on. */
#ifndef ML_GPU_SERVER_H
#define ML_GPU_SERVER_H

/* Serves over FD (gpu/protocol.h) until the sampling rank hangs up or dies. To be called in a
 * process without threads, a child of the sampling rank. */
_Noreturn void ml_gpu_serve(int fd);

/* The same with another LIBRARY than NVIDIA's. */
_Noreturn void ml_gpu_serve_library(int fd, const char *library);

#endif
