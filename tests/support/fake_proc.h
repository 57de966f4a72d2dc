/* A made-up /proc: a temporary directory with the files that the probe reads. Failures end the
 * program. */
#ifndef ML_TESTS_FAKE_PROC_H
#define ML_TESTS_FAKE_PROC_H

#include <stdint.h>
#include <sys/types.h>

struct fake_proc {
    char root[64];
};

struct fake_process {
    pid_t pid;
    pid_t parent;
    const char *name; /* NULL: "app" */
    char state;       /* 0: 'S' */
    int64_t start_ticks;
    int64_t cpu_ticks;
    int threads;          /* 0: 1 */
    int64_t rss_pages;    /* of 4096 bytes */
    pid_t tgid;           /* 0: pid */
    int64_t new_faults;   /* minor ones, besides 100 */
    int64_t shared_pages; /* of statm, besides 2 */
    /* of status: */
    uid_t uid;                 /* 0: our own */
    int64_t file_kB, shmem_kB; /* besides 4 kB; what is left of rss_pages is anonymous */
    int64_t swap_kB;
    int64_t peak_kB; /* 0: a page more than rss_pages */
};

void fake_proc_open(struct fake_proc *fake);

/* Writes FORMAT to the file PATH below the root, in place; directories are made. */
void fake_proc_write(const struct fake_proc *fake, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes N bytes of DATA. */
void fake_proc_write_bytes(const struct fake_proc *fake, const char *path, const void *data,
                           size_t n);

/* Writes stat, statm and status. */
void fake_proc_set(const struct fake_proc *fake, const struct fake_process *process);

/* Empties and removes the process's files: who has them open reads nothing, as of a dead one. */
void fake_proc_remove(const struct fake_proc *fake, pid_t pid);

/* The last PID given out, which loadavg shows. */
void fake_proc_set_last_pid(const struct fake_proc *fake, pid_t pid);

void fake_proc_close(const struct fake_proc *fake);

#endif
