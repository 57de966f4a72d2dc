/* What a program's libraries ask of whoever preloads others into it, by its ELF file. */
#ifndef ML_LAUNCH_NEEDS_H
#define ML_LAUNCH_NEEDS_H

#include <stdbool.h>

struct ml_needs {
    char *first;  /* the library that must be loaded before all others, as AddressSanitizer's wants,
                     or else the program does not start; NULL: none. To be freed */
    bool own_new; /* its allocator has operators new and delete of its own */
};

/* Of the program at PATH, into which PRELOADED (LD_PRELOAD; may be NULL) is loaded anyway. */
struct ml_needs ml_needs_of(const char *path, const char *preloaded);

#endif
