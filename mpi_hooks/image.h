/* Which program a process runs. */
#ifndef ML_HOOKS_IMAGE_H
#define ML_HOOKS_IMAGE_H

#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

/* Differs after each execve: of the 16 random bytes that the kernel gives to the new image. Not 0.
 */
static inline uint64_t ml_image_id(void)
{
    uint64_t id = 0;
    const void *random = (const void *)getauxval(AT_RANDOM);
    if (random)
        memcpy(&id, random, sizeof id);
    return id | 1;
}

#endif
