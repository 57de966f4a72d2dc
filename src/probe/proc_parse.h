/* What the kernel writes in /proc and in cgroups, parsed: text in, struct out, no I/O.
 *
 * All texts are N bytes that need not end in NUL. A value that the text lacks is ML_NOT_MEASURED;
 * one that does not fit into 63 bits is the largest that does. */
#ifndef ML_PROBE_PROC_PARSE_H
#define ML_PROBE_PROC_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ML_COMM_SIZE 64 /* TASK_COMM_LEN is 16; kernel workers show up to 63 bytes */

struct ml_proc_stat {
    char name[ML_COMM_SIZE]; /* as it is: may hold blanks, parentheses, newlines */
    char state;              /* R S D Z T t X I P */
    pid_t parent;
    int64_t minor_faults;
    int64_t major_faults;
    int64_t cpu_ticks; /* user and system, in clock ticks */
    int32_t threads;
    int64_t start_ticks; /* since boot (CLOCK_BOOTTIME), in clock ticks */
};
bool ml_proc_parse_stat(const char *text, size_t n, struct ml_proc_stat *out_stat);

struct ml_proc_statm {
    int64_t size_pages;
    int64_t resident_pages;
    int64_t shared_pages; /* of those: file and shared memory; the others are anonymous */
};
bool ml_proc_parse_statm(const char *text, size_t n, struct ml_proc_statm *out_statm);

struct ml_proc_status {
    int64_t tgid; /* differs from the PID asked for if that is a thread */
    int64_t uid;  /* real */
    int64_t vsize_B;
    int64_t data_B;  /* private and writable, but for the stack: what RLIMIT_DATA is of */
    int64_t stack_B; /* of the first thread */
    int64_t peak_rss_B;
    int64_t rss_B;
    int64_t anon_B; /* this and the next two since Linux 4.5 */
    int64_t file_B;
    int64_t shmem_B;
    int64_t swap_B;
    int64_t hugetlb_B; /* since Linux 4.4 */
};
void ml_proc_parse_status(const char *text, size_t n, struct ml_proc_status *out_status);

/* The text of stat: the CPU that the process ran on last; -1 where it does not say. */
int ml_proc_parse_cpu(const char *text, size_t n);

/* /proc/PID/io, proc_pid_io(5). */
struct ml_proc_io {
    int64_t read_B;    /* rchar: by system calls, also from pipes, sockets and the page cache */
    int64_t written_B; /* wchar */
};
void ml_proc_parse_io(const char *text, size_t n, struct ml_proc_io *out_io);

/* The text of status: the NUMA nodes of which the process may take memory by its cpuset, a bit
 * each; 0 where it does not say, or nodes beyond the first 64 are among them. */
uint64_t ml_proc_parse_mems(const char *text, size_t n);

/* A list of such nodes: "0-1,3". */
uint64_t ml_proc_parse_nodes(const char *text, size_t n);

/* The first line of numa_maps: the nodes to which a policy of the process (mbind(2)) binds its
 * memory; 0 where none does. */
uint64_t ml_proc_parse_bound(const char *text, size_t n);

/* smaps_rollup: sums over all mappings. */
struct ml_proc_rollup {
    int64_t pss_B;
    int64_t private_B;   /* pages that no other process has mapped */
    int64_t anonymous_B; /* resident */
    int64_t shared_hugetlb_B;
};
void ml_proc_parse_rollup(const char *text, size_t n, struct ml_proc_rollup *out_rollup);

struct ml_proc_meminfo {
    int64_t total_B;
    int64_t available_B; /* since Linux 3.14 */
    int64_t swap_total_B;
    int64_t swap_free_B;
    int64_t hugetlb_pages, hugetlb_free; /* of the default size */
};
void ml_proc_parse_meminfo(const char *text, size_t n, struct ml_proc_meminfo *out_meminfo);

/* meminfo of NUMA node NODE (/sys/devices/system/node). */
struct ml_proc_node_meminfo {
    int64_t total_B;
    int64_t left_B; /* free, or page cache and kernel memory that can be taken back */
};
void ml_proc_parse_node_meminfo(const char *text, size_t n, int node,
                                struct ml_proc_node_meminfo *out_meminfo);

/* memory.stat of a cgroup and those below it. Version 1 has these sums as total_...; it has no sum
 * of the kernel's memory. */
struct ml_proc_memory_stat {
    int64_t file_B; /* page cache on the lists from which it is taken back */
    int64_t shmem_B;
    int64_t kernel_B; /* since Linux 5.18 */
};
void ml_proc_parse_memory_stat(const char *text, size_t n, bool version_1,
                               struct ml_proc_memory_stat *out_stat);

/* The number behind NAME, which has the blank or colon too, at the begin of a line: of vmstat,
 * memory.events, meminfo. */
int64_t ml_proc_parse_counter(const char *text, size_t n, const char *name);

/* The total of the line "some" of pressure/memory, in microseconds. */
int64_t ml_proc_parse_stalled_us(const char *text, size_t n);

/* The PID given out last, from loadavg. */
bool ml_proc_parse_last_pid(const char *text, size_t n, pid_t *out_pid);

/* The children of a thread, /proc/PID/task/TID/children: "101 102 ". Returns how many are in
 * OUT_PIDS, at most MOST; it ends at what is no PID. */
size_t ml_proc_parse_pids(const char *text, size_t n, pid_t *out_pids, size_t most);

/* From /proc/PID/cgroup: the path in the version 1 hierarchy of CONTROLLER, or with "" in the
 * unified one. OUT_PATH is NUL-terminated, begins with a slash and has no ".." in it. */
bool ml_proc_parse_cgroup(const char *text, size_t n, const char *controller, char *out_path,
                          size_t size);

/* A cgroup's number; "max", and the huge number that stands for it in version 1, are
 * ML_NOT_MEASURED. */
int64_t ml_proc_parse_limit(const char *text, size_t n);

/* How many CPUs the list "0-3,8,10-11" names; 0 if it is none. */
int ml_proc_count_cpus(const char *text, size_t n);

/* Whether ENTRY ("NAME=value") stands among the NUL-separated entries of an environment. */
bool ml_proc_environ_has(const char *text, size_t n, const char *entry);

/* The same for VARIABLE with the value ID, or ID and a host: "14.server" is job 14 too. */
bool ml_proc_environ_has_id(const char *text, size_t n, const char *variable, const char *id);

/* Whether the command line TEXT (/proc/PID/cmdline) starts recorders that join what runs: one of
 * its words is memlog-mpi, with or without a folder and the MPI's name, and a later one --attach.
 */
bool ml_proc_cmdline_attaches(const char *text, size_t n);

/* The MPI rank that an environment gives its process (PMIX_RANK, OMPI_COMM_WORLD_RANK, PMI_RANK),
 * or -1. */
int ml_proc_environ_rank(const char *text, size_t n);

#endif
