/* A proc root that is read from: the real /proc, or a made-up tree in tests. */
#ifndef ML_PROBE_PROCFS_H
#define ML_PROBE_PROCFS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ml_procfs {
    int root;       /* directory */
    bool real;      /* the kernel's, whose PIDs may be signalled */
    int spare_fds;  /* files that may still be kept open */
    int64_t page_B; /* units of statm */
    int64_t clock_tick_ns;
    int64_t boot_to_mono_ns; /* to add to CLOCK_BOOTTIME, which start times count in */
    char *text;              /* what was read last, ended by a NUL */
    size_t size;             /* of text; longer files are cut */
};

/* At most half of the files that the process may open are ever kept open. */
enum ml_status ml_procfs_open(const char *path, struct ml_procfs *out_fs, struct ml_error *err);

/* Reads a file below DIR into fs->text. Returns its length; -1 with errno if it cannot be read. */
ssize_t ml_procfs_read(struct ml_procfs *fs, int dir, const char *path);

/* Reads at most N bytes of a file below the root, with one system call: the kernel makes no more of
 * it than that. */
ssize_t ml_procfs_read_start(struct ml_procfs *fs, const char *path, size_t n);

/* Reads an open file from its start into fs->text with one system call. */
ssize_t ml_procfs_reread(struct ml_procfs *fs, int fd);

/* Opens a file below the root to be kept; -1 if it is not there or none may be kept any more. */
int ml_procfs_keep(struct ml_procfs *fs, const char *path);

/* Closes a file that was kept; -1 is fine. */
void ml_procfs_release(struct ml_procfs *fs, int fd);

/* A start time of a process, in ns of CLOCK_MONOTONIC. */
int64_t ml_procfs_start_ns(const struct ml_procfs *fs, int64_t start_ticks);

void ml_procfs_close(struct ml_procfs *fs);

#endif
