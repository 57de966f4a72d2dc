#include "probe/procfs.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/vfs.h>

/* An environment may fill that; pages that are never used are never there. */
#define TEXT_B (2u << 20)

static int count_spare_fds(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > 1 << 20)
        return 1 << 19;
    return (int)(limit.rlim_cur / 2);
}

enum ml_status ml_procfs_open(const char *path, struct ml_procfs *out_fs, struct ml_error *err)
{
    struct statfs file_system;
    struct ml_procfs fs = {.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (fs.root < 0)
        return ml_fail_errno(err, ML_NODE_LOST, "proc root %.300s", path);
    fs.real = fstatfs(fs.root, &file_system) == 0 && file_system.f_type == PROC_SUPER_MAGIC;
    fs.spare_fds = count_spare_fds();
    fs.page_B = sysconf(_SC_PAGESIZE);
    fs.clock_tick_ns = ML_NS_PER_S / sysconf(_SC_CLK_TCK);
    fs.boot_to_mono_ns = ml_clock_read(CLOCK_MONOTONIC) - ml_clock_read(CLOCK_BOOTTIME);
    fs.size = TEXT_B;
    fs.text = ml_alloc(fs.size);
    *out_fs = fs;
    return ML_OK;
}

ssize_t ml_procfs_read(struct ml_procfs *fs, int dir, const char *path)
{
    ML_AUTO_FD int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    size_t length = 0;
    ssize_t n;
    do {
        n = read(fd, fs->text + length, fs->size - 1 - length);
        if (n < 0 && errno != EINTR)
            return -1;
        length += n > 0 ? (size_t)n : 0;
    } while (n != 0 && length < fs->size - 1);
    fs->text[length] = 0;
    return (ssize_t)length;
}

ssize_t ml_procfs_read_start(struct ml_procfs *fs, const char *path, size_t n)
{
    ML_AUTO_FD int fd = openat(fs->root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t length = fd >= 0 ? read(fd, fs->text, n < fs->size ? n : fs->size - 1) : -1;
    if (length >= 0)
        fs->text[length] = 0;
    return length;
}

ssize_t ml_procfs_reread(struct ml_procfs *fs, int fd)
{
    ssize_t n = pread(fd, fs->text, fs->size - 1, 0);
    if (n >= 0)
        fs->text[n] = 0;
    return n;
}

int ml_procfs_keep(struct ml_procfs *fs, const char *path)
{
    if (fs->spare_fds <= 0)
        return -1;
    int fd = openat(fs->root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        fs->spare_fds--;
    return fd;
}

void ml_procfs_release(struct ml_procfs *fs, int fd)
{
    if (fd < 0)
        return;
    close(fd);
    fs->spare_fds++;
}

int64_t ml_procfs_start_ns(const struct ml_procfs *fs, int64_t start_ticks)
{
    int64_t ns;
    if (__builtin_mul_overflow(start_ticks, fs->clock_tick_ns, &ns) ||
        __builtin_add_overflow(ns, fs->boot_to_mono_ns, &ns))
        return -1;
    return ns;
}

void ml_procfs_close(struct ml_procfs *fs)
{
    if (!fs || !fs->text)
        return;
    close(fs->root);
    free(fs->text);
    *fs = (struct ml_procfs){.root = -1};
}
