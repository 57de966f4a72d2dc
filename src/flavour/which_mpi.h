/* Which MPI an executable is linked with, from its ELF file and those of its libraries: so which
 * hooks are preloaded into it. */
#ifndef ML_FLAVOUR_WHICH_MPI_H
#define ML_FLAVOUR_WHICH_MPI_H

enum ml_which_mpi {
    ML_MPI_IS_OPENMPI, /* and its kin: libmpi.so.40, or .20, .12 beside libopen-rte */
    ML_MPI_IS_MPICH,   /* and its kin: libmpich.so.12, libmpi.so.12, libmpi_cray.so */
    ML_MPI_IS_UNKNOWN, /* a script, or MPI comes later if at all: preload the hooks of both, Open
                        * MPI's first; they find out */
    ML_MPI_IS_STATIC,  /* nothing can be preloaded; nor where musl or 32 bits would only complain */
    ML_MPI_IS_SETUID,  /* nothing will be preloaded */
    ML_MPI_IS_CONTAINED, /* starts a container, in which our libraries are not to be found */
};

/* Looks into the file at PATH (no search in $PATH) and through the libraries that it needs, as the
 * loader would find them in RPATH, RUNPATH, LIBRARY_PATH (the application's LD_LIBRARY_PATH; may be
 * NULL) and the usual folders. A file that cannot be read is unknown. */
enum ml_which_mpi ml_which_mpi(const char *path, const char *library_path);

/* The same of the name of a library: "libmpi.so.40"; UNKNOWN for any other. Pure. */
enum ml_which_mpi ml_which_mpi_library(const char *name);

enum ml_preload {
    ML_PRELOAD_HOOKS = 1,
    ML_PRELOAD_HEAP = 2,
    ML_PRELOAD_HEAP_NEW = 4, /* with that: before operators new and delete of an allocator too */
};

/* LD_PRELOAD for an application of WHICH: the heap profiler, which stands before whatever allocator
 * the application brings; OLD (may be NULL); then the hooks that FOLDER holds for it, so that the
 * application's own come first. WANTED: which of ours, enum ml_preload. NULL if there is nothing to
 * preload; free it. */
char *ml_which_mpi_preload(enum ml_which_mpi which, unsigned wanted, const char *folder,
                           const char *old);

#endif
