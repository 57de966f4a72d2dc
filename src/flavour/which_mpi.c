#include "flavour/which_mpi.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/view.h"
#include "flavour/elf_needed.h"
#include "mpi_hooks/containers.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define MAX_OBJECTS 512

#if defined __x86_64__
#define MULTIARCH "x86_64-linux-gnu"
#else
#define MULTIARCH "aarch64-linux-gnu"
#endif
#define USUAL_FOLDERS                                                                              \
    "/lib/" MULTIARCH ":/usr/lib/" MULTIARCH ":/lib64:/usr/lib64:/usr/local/lib:/lib:/usr/lib"

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum ml_which_mpi ml_which_mpi_library(const char *name)
{
    static const char *const openmpi[] = {"libmpi.so.40",   "libmpi.so.20", "libopen-rte.so",
                                          "libopen-pal.so", "libmpi_mpifh", "libmpi_ibm"};
    static const char *const mpich[] = {"libmpich.so",    "libmpifort.so", "libmpichfort.so",
                                        "libmpi_cray.so", "libmpi_gnu",    "libpmpi_cray.so"};
    for (size_t i = 0; i < sizeof openmpi / sizeof *openmpi; i++)
        if (begins_with(name, openmpi[i]))
            return ML_MPI_IS_OPENMPI;
    for (size_t i = 0; i < sizeof mpich / sizeof *mpich; i++)
        if (begins_with(name, mpich[i]))
            return ML_MPI_IS_MPICH;
    return ML_MPI_IS_UNKNOWN;
}

/* Objects whose needs are still to be looked at. */
struct search {
    char *paths[MAX_OBJECTS]; /* owned */
    size_t n, next;
    const char *library_path;
    enum ml_which_mpi found;
    bool maybe_mpich; /* libmpi.so.12, which Open MPI before 2 was too */
};

static bool is_known(const struct search *search, const char *path)
{
    for (size_t i = 0; i < search->n; i++)
        if (strcmp(search->paths[i], path) == 0)
            return true;
    return false;
}

/* FOLDER, of N bytes, with $ORIGIN (the folder of the object that names it) put in. */
static void join(char out[PATH_MAX], const char *folder, size_t n, const char *origin,
                 const char *name)
{
    size_t prefix = 0;
    if (n >= 7 && begins_with(folder, "$ORIGIN"))
        prefix = 7;
    else if (n >= 9 && begins_with(folder, "${ORIGIN}"))
        prefix = 9;
    const char *slash = strrchr(origin, '/');
    int of_origin = prefix ? (int)(slash ? slash - origin : 1) : 0;
    snprintf(out, PATH_MAX, "%.*s%.*s/%s", of_origin, slash ? origin : ".", (int)(n - prefix),
             folder + prefix, name);
}

/* Adds the first file NAME in FOLDERS ("a:b"); true if there is one. */
static bool add_from(struct search *search, const char *folders, const char *origin,
                     const char *name)
{
    char path[PATH_MAX];
    while (folders && *folders) {
        size_t n = strcspn(folders, ":;");
        join(path, folders, n, origin, name);
        if (access(path, R_OK) == 0) {
            if (search->n < MAX_OBJECTS && !is_known(search, path))
                search->paths[search->n++] = ml_strdup(path);
            return true;
        }
        folders += n + (folders[n] != '\0');
    }
    return false;
}

static void add_library(struct search *search, const struct ml_elf *by, const char *origin,
                        const char *name)
{
    if (strchr(name, '/')) {
        if (search->n < MAX_OBJECTS && !is_known(search, name))
            search->paths[search->n++] = ml_strdup(name);
        return;
    }
    if ((by->runpath || !add_from(search, by->rpath, origin, name)) &&
        !add_from(search, search->library_path, origin, name) &&
        !add_from(search, by->runpath, origin, name))
        add_from(search, USUAL_FOLDERS, origin, name);
}

/* A file that no library of glibc's, of this word size, can be loaded into. */
static bool is_out_of_reach(const struct ml_elf *elf, const void *image, size_t n)
{
    if (!elf->is_elf)
        return n >= SELFMAG && memcmp(image, ELFMAG, SELFMAG) == 0;
    return !elf->is_dynamic || (elf->loader && strstr(elf->loader, "/ld-musl"));
}

/* What PATH needs decides, or is looked into later. The executable itself is the first. */
static void look_at(struct search *search, const char *path, const void *image, size_t n)
{
    const char *names[ML_ELF_MAX_NEEDED];
    struct ml_elf elf;
    ml_elf_parse(image, n, names, &elf);
    if (search->next == 1 && is_out_of_reach(&elf, image, n))
        search->found = ML_MPI_IS_STATIC;
    for (size_t i = 0; i < elf.n_needed && search->found == ML_MPI_IS_UNKNOWN; i++) {
        search->found = ml_which_mpi_library(elf.needed[i]);
        search->maybe_mpich |= begins_with(elf.needed[i], "libmpi.so.12");
    }
    for (size_t i = 0; i < elf.n_needed && search->found == ML_MPI_IS_UNKNOWN; i++)
        add_library(search, &elf, path, elf.needed[i]);
}

static void look_into(struct search *search, const char *path)
{
    struct ml_view *view;
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || ml_view_open(fd, &view, NULL) != ML_OK)
        return;
    look_at(search, path, ml_view_bytes(view), ml_view_size(view));
    ml_view_close(view);
}

/* The loader takes no LD_PRELOAD where a program gains rights. */
static bool gains_rights(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && ((file.st_mode & (S_ISUID | S_ISGID)) ||
                                      getxattr(path, "security.capability", NULL, 0) > 0);
}

enum ml_which_mpi ml_which_mpi(const char *path, const char *library_path)
{
    if (ml_starts_container(path))
        return ML_MPI_IS_CONTAINED;
    if (gains_rights(path))
        return ML_MPI_IS_SETUID;
    struct search search = {.library_path = library_path, .found = ML_MPI_IS_UNKNOWN};
    search.paths[search.n++] = ml_strdup(path);
    while (search.next < search.n && search.found == ML_MPI_IS_UNKNOWN) {
        const char *object = search.paths[search.next++];
        look_into(&search, object);
    }
    for (size_t i = 0; i < search.n; i++)
        free(search.paths[i]);
    if (search.found == ML_MPI_IS_UNKNOWN && search.maybe_mpich)
        return ML_MPI_IS_MPICH;
    return search.found;
}

static char *join_paths(const char *a, const char *b)
{
    return *a && *b ? ml_format("%s:%s", a, b) : ml_strdup(*a ? a : b);
}

/* The library NAME of FOLDER before (FIRST) or after ALL, if it is there. Takes ALL over. */
static char *with(const char *folder, const char *name, bool first, char *all)
{
    ML_AUTO_FREE char *path = ml_format("%s/libmemlog_%s.so", folder, name);
    if (access(path, R_OK) != 0)
        return all;
    char *both = first ? join_paths(path, all) : join_paths(all, path);
    free(all);
    return both;
}

char *ml_which_mpi_preload(enum ml_which_mpi which, unsigned wanted, const char *folder,
                           const char *old)
{
    if (which > ML_MPI_IS_UNKNOWN)
        return NULL;
    char *all = ml_strdup(old ? old : "");
    size_t before = strlen(all);
    if (wanted & ML_PRELOAD_HEAP)
        all = with(folder, wanted & ML_PRELOAD_HEAP_NEW ? "heap_new" : "heap", true, all);
    if ((wanted & ML_PRELOAD_HOOKS) && which != ML_MPI_IS_MPICH)
        all = with(folder, "hooks_openmpi", false, all);
    if ((wanted & ML_PRELOAD_HOOKS) && which != ML_MPI_IS_OPENMPI)
        all = with(folder, "hooks_mpich", false, all);
    if (strlen(all) > before)
        return all;
    free(all);
    return NULL;
}
