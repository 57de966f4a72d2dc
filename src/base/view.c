#include "base/view.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_B ((size_t)16 << 20)

struct ml_view {
    struct ml_view *next;
    int fd;
    uint8_t *bytes; /* NULL: not mapped */
    size_t size;
    _Atomic size_t whole; /* from there on they are zeros of ours */
    size_t window;        /* the number of the one that is looked at */
};

static struct ml_view *views;
static struct sigaction before; /* while there are views */

/* From the page on that could not be read: who cut it there has cut what follows too. */
static int replace_by_zeros(struct ml_view *v, size_t at)
{
    size_t start = at & ~((size_t)sysconf(_SC_PAGESIZE) - 1);
    if (mmap(v->bytes + start, v->size - start, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
             -1, 0) == MAP_FAILED)
        return 0;
    if (start < v->whole)
        v->whole = start;
    return 1;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    int error = errno;
    const uint8_t *address = info->si_addr;
    (void)context;
    for (struct ml_view *v = info->si_code > 0 ? views : NULL; v; v = v->next) {
        if (address >= v->bytes && address < v->bytes + v->size &&
            replace_by_zeros(v, (size_t)(address - v->bytes))) {
            errno = error;
            return;
        }
    }
    sigaction(SIGBUS, &before, NULL);
    if (info->si_code <= 0) /* somebody sent it; else the access itself comes again */
        raise(number);
    errno = error;
}

static void begin_to_handle(void)
{
    struct sigaction ours = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGBUS, &ours, &before);
}

static void cease_to_handle(void)
{
    struct sigaction now;
    if (sigaction(SIGBUS, NULL, &now) == 0 && now.sa_sigaction == on_bus_error)
        sigaction(SIGBUS, &before, NULL);
}

static enum ml_status map(struct ml_view *v, int fd, struct ml_error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return ml_fail_errno(err, ML_NODE_LOST, "fstat");
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return ml_fail(err, ML_NODE_LOST, "%s", st.st_size ? "not a regular file" : "empty");
    v->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (v->fd < 0)
        return ml_fail_errno(err, ML_NODE_LOST, "fcntl");
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return ml_fail_errno(err, ML_NODE_LOST, "mmap");
    v->bytes = bytes;
    v->size = (size_t)st.st_size;
    v->whole = v->size;
    return ML_OK;
}

enum ml_status ml_view_open(int fd, struct ml_view **out_view, struct ml_error *err)
{
    struct ml_view *v = ml_alloc(sizeof *v);
    v->fd = -1;
    enum ml_status status = map(v, fd, err);
    if (status != ML_OK) {
        ml_view_close(v);
        return status;
    }
    if (!views)
        begin_to_handle();
    v->next = views;
    views = v;
    *out_view = v;
    return ML_OK;
}

const uint8_t *ml_view_bytes(const struct ml_view *view)
{
    return view->bytes;
}

size_t ml_view_size(const struct ml_view *view)
{
    return view->size;
}

size_t ml_view_whole(const struct ml_view *view)
{
    struct stat st;
    size_t whole = view->whole;
    return fstat(view->fd, &st) == 0 && (size_t)st.st_size < whole ? (size_t)st.st_size : whole;
}

void ml_view_go(struct ml_view *view, size_t at)
{
    size_t left = view->window * WINDOW_B;
    if (at / WINDOW_B == view->window)
        return;
    if (left < view->size)
        madvise(view->bytes + left, view->size - left < WINDOW_B ? view->size - left : WINDOW_B,
                MADV_DONTNEED);
    view->window = at / WINDOW_B;
}

void ml_view_close(struct ml_view *view)
{
    if (!view)
        return;
    struct ml_view **at = &views;
    while (*at && *at != view)
        at = &(*at)->next;
    if (*at) {
        *at = view->next;
        if (!views)
            cease_to_handle();
    }
    if (view->bytes)
        munmap(view->bytes, view->size);
    if (view->fd >= 0)
        close(view->fd);
    free(view);
}
