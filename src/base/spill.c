#include "base/spill.h"

#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_B (256 << 10)
#define SPARED_B (16 << 20)

struct ml_spill {
    char *folder; /* of the file beside which it is to be */
    int fd;       /* -1: not made yet */
    bool failed;
    uint64_t size_B;
    size_t spared_B;
    uint8_t *window; /* what was read last */
    uint64_t window_at;
    size_t window_B;
};

struct ml_spill *ml_spill_open(const char *near)
{
    struct ml_spill *s = ml_alloc(sizeof *s);
    const char *slash = strrchr(near, '/');
    s->folder = slash ? strndup(near, (size_t)(slash - near) + 1) : ml_strdup(".");
    s->fd = -1;
    return s;
}

static int make_in(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    /* NFS, and others that know no files without a name. */
    ML_AUTO_FREE char *name = ml_format("%s/.memlog-XXXXXX", folder);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

static bool make(struct ml_spill *s)
{
    const char *temporary = getenv("TMPDIR");
    const char *const folders[] = {s->folder, temporary && *temporary ? temporary : "/tmp", "/tmp"};
    for (size_t i = 0; s->fd < 0 && i < sizeof folders / sizeof *folders; i++)
        s->fd = folders[i] ? make_in(folders[i]) : -1;
    return s->fd >= 0;
}

static bool write_all(int fd, const uint8_t *bytes, size_t n, uint64_t at)
{
    while (n) {
        ssize_t done = pwrite(fd, bytes, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return true;
}

bool ml_spill_add(struct ml_spill *spill, const void *bytes, size_t n, uint64_t *out_at)
{
    struct ml_spill *s = spill;
    if (s->failed || (s->fd < 0 && !make(s)) || !write_all(s->fd, bytes, n, s->size_B)) {
        s->failed = true;
        if (s->fd >= 0 && ftruncate(s->fd, (off_t)s->size_B) < 0)
            s->failed = true; /* only the room is not given back */
        return false;
    }
    *out_at = s->size_B;
    s->size_B += n;
    return true;
}

static bool fill_window(struct ml_spill *s, uint64_t at, size_t most)
{
    if (!s->window)
        s->window = ml_realloc_array(NULL, WINDOW_B, 1);
    ssize_t n;
    do {
        n = pread(s->fd, s->window, most < WINDOW_B ? most : WINDOW_B, (off_t)at);
    } while (n < 0 && errno == EINTR);
    s->window_at = at;
    s->window_B = n < 0 ? 0 : (size_t)n;
    return n >= 0;
}

static const uint8_t *in_window(const struct ml_spill *s, uint64_t at, size_t n)
{
    bool inside = at >= s->window_at && at - s->window_at <= s->window_B &&
                  n <= s->window_B - (at - s->window_at);
    return inside ? s->window + (at - s->window_at) : NULL;
}

const uint8_t *ml_spill_read(struct ml_spill *spill, uint64_t at, size_t n, size_t ahead)
{
    const uint8_t *there = in_window(spill, at, n);
    if (there || !fill_window(spill, at, ahead > n ? ahead : n))
        return there;
    there = in_window(spill, at, n);
    spill->failed |= !there;
    return there;
}

bool ml_spill_spares(struct ml_spill *spill, size_t n)
{
    if (n > SPARED_B - spill->spared_B)
        return false;
    spill->spared_B += n;
    return true;
}

void ml_spill_close(struct ml_spill *spill)
{
    if (!spill)
        return;
    if (spill->fd >= 0)
        close(spill->fd);
    free(spill->window);
    free(spill->folder);
    free(spill);
}
