/* Whose code a module is, by its name alone. Pure. */
#ifndef ML_READ_MODULE_H
#define ML_READ_MODULE_H

#include <stdbool.h>

/* The last part of PATH. */
const char *ml_module_name(const char *path);

/* A library of Open MPI, MPICH or their kin, of their process managers, or of networks. */
bool ml_module_is_mpi(const char *path);

/* The C library, its parts, the dynamic linker, or what the kernel maps. */
bool ml_module_is_libc(const char *path);

#endif
