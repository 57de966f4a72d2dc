#include "mpi_hooks/next.h"

#include "mpi_hooks/calls.h"
#include "mpi_hooks/tool.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

/* Wrapped neither by this library nor by any tool, nor called by Open MPI's or MPICH's own
 * libraries. */
#define ONLY_IN_MPI "PMPI_Get_library_version"
/* A symbol that only Open MPI and its kin (Spectrum MPI, HPC-X) have. */
#define ONLY_IN_OPEN_MPI "ompi_mpi_comm_world"
/* The libraries of this folder, for either MPI. */
#define HOOKS_BEGIN_WITH "libmemlog_hooks_"

#define ERROR_OTHER 16 /* MPI_ERR_OTHER: 15 in MPICH, 16 in Open MPI; not 0 is what counts */

/* Whether the application's MPI is the one that this library was compiled for. */
enum { NOT_LOOKED_UP, FITS, FITS_NOT };

/* Where this library lies; the linker's words. */
extern const char __ehdr_start[] __attribute__((visibility("hidden"))); /* NOLINT */
extern const char _end[] __attribute__((visibility("hidden")));         /* NOLINT */

static _Atomic int fit;
static _Atomic bool beneath;
static _Atomic(void *) mpi_handle; /* for dlsym */
static _Atomic(const void *) mpi_base;

static int absent(void)
{
    return ERROR_OTHER;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_hooks(const Dl_info *object)
{
    return strncmp(file_name(object->dli_fname), HOOKS_BEGIN_WITH, strlen(HOOKS_BEGIN_WITH)) == 0;
}

/* The handle of an object that is loaded, NULL if PATH is none. The use that dlopen counts is not
 * given back: what MPI is called by stays loaded. */
static void *handle_of(const char *path)
{
    return path && *path ? dlopen(path, RTLD_LAZY | RTLD_NOLOAD) : NULL;
}

/* Never of NULL, which is RTLD_DEFAULT: that finds this library first. */
static void *symbol_in(void *handle, const char *symbol)
{
    return handle ? dlsym(handle, symbol) : NULL;
}

struct names {
    const char *names[512];
    size_t n;
};

static int add_name(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct names *names = context;
    if (names->n < sizeof names->names / sizeof *names->names)
        names->names[names->n++] = info->dlpi_name;
    return 0;
}

/* libmpi is behind us in the global scope; or beneath the object that calls us, where that was
 * loaded with RTLD_LOCAL (Python extensions are); or somewhere. */
static const void *find_mpi(const void *caller)
{
    const void *found = dlsym(RTLD_NEXT, ONLY_IN_MPI);
    Dl_info object;
    if (!found && dladdr(caller, &object))
        found = symbol_in(handle_of(object.dli_fname), ONLY_IN_MPI);
    if (!found) {
        struct names loaded = {.n = 0};
        dl_iterate_phdr(add_name, &loaded);
        for (size_t i = 0; i < loaded.n && !found; i++)
            found = symbol_in(handle_of(loaded.names[i]), ONLY_IN_MPI);
    }
    return found;
}

static bool is_in_this_library(const void *address)
{
    return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

/* A tool need not wrap all functions, so each is asked for, once. */
static void look_for_tool_before_us(const void *mpi)
{
    Dl_info object;
    for (int call = ML_CALL_NONE + 1; call < ML_MPI_CALLS; call++) {
        const void *first = dlsym(RTLD_DEFAULT, ml_mpi_call_name(call));
        if (first && !is_in_this_library(first) && dladdr(first, &object) &&
            object.dli_fbase != mpi && !is_hooks(&object)) {
            ml_tool_note(ML_PAGE_BENEATH, object.dli_fname);
            atomic_store(&beneath, true);
            return;
        }
    }
}

static void look_up_mpi(const void *caller)
{
    Dl_info object;
    const void *mpi = find_mpi(caller);
    if (!mpi || !dladdr(mpi, &object))
        return;
    void *handle = handle_of(object.dli_fname);
    if (!handle)
        return;
    bool is_open_mpi = dlsym(handle, ONLY_IN_OPEN_MPI) != NULL;
    atomic_store(&mpi_handle, handle);
    atomic_store(&mpi_base, object.dli_fbase);
    if (is_open_mpi == ML_HOOKS_FOR_OPEN_MPI)
        look_for_tool_before_us(object.dli_fbase);
    atomic_store(&fit, is_open_mpi == ML_HOOKS_FOR_OPEN_MPI ? FITS : FITS_NOT);
}

bool ml_next_fits(void)
{
    return atomic_load_explicit(&fit, memory_order_relaxed) == FITS;
}

bool ml_next_is_first(void)
{
    return !atomic_load_explicit(&beneath, memory_order_relaxed);
}

/* With both of our libraries preloaded, the first (Open MPI's) passes what is MPICH's on to the
 * second: its handles are pointers, in which MPICH's integers travel whole. Not so the other way
 * round, so the second is left out where it is not meant. */
static void *find(const char *symbol)
{
    Dl_info object;
    void *next = dlsym(RTLD_NEXT, symbol);
    if (next && (!dladdr(next, &object) || (is_hooks(&object) && ml_next_fits())))
        next = NULL;
    if (!next)
        next = symbol_in(atomic_load(&mpi_handle), symbol);
    if (next && ml_next_fits() && dladdr(next, &object) && !is_hooks(&object) &&
        object.dli_fbase != atomic_load(&mpi_base))
        ml_tool_note(ML_PAGE_CHAINED, object.dli_fname);
    return next;
}

void *ml_next_find(_Atomic(void *) *cache, const char *symbol, const void *caller)
{
    int saved_errno = errno;
    if (atomic_load(&fit) == NOT_LOOKED_UP)
        look_up_mpi(caller);
    void *next = atomic_load(&fit) == NOT_LOOKED_UP ? NULL : find(symbol);
    dlerror(); /* what was not found here is not the application's error */
    errno = saved_errno;
    if (!next)
        return (void *)absent;
    atomic_store(cache, next);
    return next;
}
