/* Programs that start a container, whose loader would complain of each library that it does not
 * find. */
#ifndef ML_HOOKS_CONTAINERS_H
#define ML_HOOKS_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool ml_starts_container(const char *path)
{
    static const char *const names[] = {"apptainer", "singularity", "shifter", "sarus",
                                        "ch-run",    "podman",      "docker",  "enroot"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

#endif
