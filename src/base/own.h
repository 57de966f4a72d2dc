/* Locals that own something give it back when they go out of scope. */
#ifndef ML_BASE_OWN_H
#define ML_BASE_OWN_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void ml_own_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void ml_own_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void ml_own_fclose(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define ML_AUTO_FREE __attribute__((cleanup(ml_own_free)))
#define ML_AUTO_FD __attribute__((cleanup(ml_own_close)))
#define ML_AUTO_FILE __attribute__((cleanup(ml_own_fclose)))

/* Gives up ownership: yields the value and leaves the owner empty. */
#define ML_TAKE_POINTER(owner)                                                                     \
    ({                                                                                             \
        __auto_type taken_ = (owner);                                                              \
        (owner) = NULL;                                                                            \
        taken_;                                                                                    \
    })
#define ML_TAKE_FD(owner)                                                                          \
    ({                                                                                             \
        int taken_ = (owner);                                                                      \
        (owner) = -1;                                                                              \
        taken_;                                                                                    \
    })

#endif
