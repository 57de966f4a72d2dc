/* Messages on the socket between a sampling rank and its GPU server. Payloads as base/pack.h. */
#ifndef ML_GPU_PROTOCOL_H
#define ML_GPU_PROTOCOL_H

enum ml_gpu_message {
    /* to the server */
    ML_GPU_LOOK = 1,
    /* from the server */
    ML_GPU_DEVICE, /* ml_gpu_told_device_pack: one by one, in the order of their numbers */
    ML_GPU_READY,  /* these were all */
    ML_GPU_FAILED, /* text: there is nothing to be learnt; the server ends */
    ML_GPU_SAMPLE, /* ml_gpu_told_sample_pack: one by one */
    ML_GPU_LOOKED, /* these were all of the last ML_GPU_LOOK: int ns of CPU that it took */
};

#endif
