#include "base/hold.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/vfs.h>

/* linux/magic.h has not all of them */
#define ML_MAGIC_ZFS 0x2fc12fc1
#define ML_MAGIC_BCACHEFS 0xca451a4e

/* File systems that one kernel alone writes to: its locks are all that there are. */
static const uint32_t local[] = {
    EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC,           RAMFS_MAGIC,
    F2FS_SUPER_MAGIC, ML_MAGIC_ZFS,    ML_MAGIC_BCACHEFS, OVERLAYFS_SUPER_MAGIC,
};

static bool is_local(int fd)
{
    struct statfs s;
    if (fstatfs(fd, &s) < 0)
        return false;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        if ((uint32_t)s.f_type == local[i])
            return true;
    }
    return false;
}

bool ml_hold_take(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

enum ml_hold ml_hold_of(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_GETLK, &whole) < 0)
        return ML_HOLD_UNKNOWN;
    if (whole.l_type != F_UNLCK)
        return ML_HOLD_HELD;
    return is_local(fd) ? ML_HOLD_FREE : ML_HOLD_UNKNOWN;
}
