#include "fake_proc.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_B 512

static void must(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(99);
    }
}

void fake_proc_open(struct fake_proc *fake)
{
    snprintf(fake->root, sizeof fake->root, "/tmp/memlog-proc-XXXXXX");
    must(mkdtemp(fake->root) != NULL, "mkdtemp");
    fake_proc_set_last_pid(fake, 1);
    fake_proc_write(fake, "meminfo",
                    "MemTotal:       1000 kB\nMemFree:         500 kB\nMemAvailable:    700 kB\n"
                    "SwapTotal:       300 kB\nSwapFree:        200 kB\n");
}

static void make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
}

void fake_proc_write_bytes(const struct fake_proc *fake, const char *path, const void *data,
                           size_t n)
{
    char full[PATH_B];
    snprintf(full, sizeof full, "%s/%s", fake->root, path);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        make_directories(full);
        fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
    must(fd >= 0, full);
    must(write(fd, data, n) == (ssize_t)n, full);
    close(fd);
}

void fake_proc_write(const struct fake_proc *fake, const char *path, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fake_proc_write_bytes(fake, path, text, (size_t)n);
}

void fake_proc_set(const struct fake_proc *fake, const struct fake_process *p)
{
    char path[64];
    const char *name = p->name ? p->name : "app";
    long long kib = (long long)p->rss_pages * 4;
    long long file = 4 + (long long)p->file_kB, shmem = 4 + (long long)p->shmem_kB;
    snprintf(path, sizeof path, "%d/stat", p->pid);
    fake_proc_write(fake, path,
                    "%d (%s) %c %d 1 1 0 -1 4194304 %lld 0 3 0 %lld 0 0 0 20 0 %d 0 %lld %lld %lld "
                    "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
                    p->pid, name, p->state ? p->state : 'S', p->parent,
                    100 + (long long)p->new_faults, (long long)p->cpu_ticks,
                    p->threads ? p->threads : 1, (long long)p->start_ticks,
                    (long long)p->rss_pages * 8192, (long long)p->rss_pages);
    snprintf(path, sizeof path, "%d/statm", p->pid);
    fake_proc_write(fake, path, "%lld %lld %lld 5 0 27 0\n", (long long)p->rss_pages * 2,
                    (long long)p->rss_pages, 2 + (long long)p->shared_pages);
    snprintf(path, sizeof path, "%d/status", p->pid);
    fake_proc_write(
        fake, path,
        "Name:\t%s\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\nUid:\t%d\t0\t0\t0\n"
        "VmPeak:\t%8lld kB\nVmSize:\t%8lld kB\nVmHWM:\t%8lld kB\nVmRSS:\t%8lld kB\n"
        "RssAnon:\t%8lld kB\nRssFile:\t%8lld kB\nRssShmem:\t%8lld kB\nVmSwap:\t%8lld kB\n",
        name, p->tgid ? p->tgid : p->pid, p->pid, p->uid ? (int)p->uid : (int)getuid(), kib * 2,
        kib * 2, p->peak_kB ? (long long)p->peak_kB : kib + 4, kib, kib - file - shmem, file, shmem,
        (long long)p->swap_kB);
}

void fake_proc_remove(const struct fake_proc *fake, pid_t pid)
{
    static const char *const names[] = {"stat",         "statm", "status", "environ",
                                        "smaps_rollup", "io",    ""};
    char path[PATH_B];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%d/%s", fake->root, pid, names[i]);
        if (*names[i] && truncate(path, 0) < 0)
            continue;
        remove(path);
    }
}

void fake_proc_set_last_pid(const struct fake_proc *fake, pid_t pid)
{
    fake_proc_write(fake, "loadavg", "1.38 0.55 0.20 3/96 %d\n", pid);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

void fake_proc_close(const struct fake_proc *fake)
{
    nftw(fake->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
