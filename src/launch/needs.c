#include "launch/needs.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/view.h"
#include "flavour/elf_needed.h"

#include <fcntl.h>
#include <string.h>

static bool begins_with_any(const char *name, const char *const *prefixes)
{
    for (; *prefixes; prefixes++) {
        if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
            return true;
    }
    return false;
}

static bool wants_to_be_first(const char *library)
{
    static const char *const prefixes[] = {"libasan.so", "libclang_rt.asan", NULL};
    return begins_with_any(library, prefixes);
}

static bool has_own_new(const char *library)
{
    static const char *const prefixes[] = {"libjemalloc", "libtcmalloc", "libmimalloc",
                                           "libtbbmalloc_proxy", NULL};
    return begins_with_any(library, prefixes);
}

static void look_at(struct ml_needs *needs, const void *bytes, size_t n)
{
    const char *names[ML_ELF_MAX_NEEDED];
    struct ml_elf elf;
    ml_elf_parse(bytes, n, names, &elf);
    for (size_t i = 0; i < elf.n_needed; i++) {
        if (!needs->first && wants_to_be_first(elf.needed[i]))
            needs->first = ml_strdup(elf.needed[i]);
        needs->own_new |= has_own_new(elf.needed[i]);
    }
}

/* PRELOADED is a list by colons or blanks (ld.so(8)). */
static bool any_has_own_new(const char *preloaded)
{
    ML_AUTO_FREE char *copy = ml_strdup(preloaded);
    bool found = false;
    for (char *rest = copy, *path; (path = strsep(&rest, ": "));) {
        const char *slash = strrchr(path, '/');
        found |= has_own_new(slash ? slash + 1 : path);
    }
    return found;
}

struct ml_needs ml_needs_of(const char *path, const char *preloaded)
{
    struct ml_needs needs = {.own_new = preloaded && any_has_own_new(preloaded)};
    struct ml_view *view;
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || ml_view_open(fd, &view, NULL) != ML_OK)
        return needs;
    look_at(&needs, ml_view_bytes(view), ml_view_size(view));
    ml_view_close(view);
    return needs;
}
