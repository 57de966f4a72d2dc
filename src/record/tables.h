/* The record types. Each list names its columns once: kind, field, name in the file, units,
 * description, codes. To add a column: add its line here and set the field where it is measured. */
#ifndef ML_RECORD_TABLES_H
#define ML_RECORD_TABLES_H

#include "record/schema.h"

/* Of the HDF5 file; docs/format.md says when which number grows. A reader knows the first. */
#define ML_FORMAT_VERSION "1.4"
#define ML_FORMAT_MAJOR 1

/* X(kind, field, name, units, description, codes) */
#define ML_NODE_COLUMNS(X)                                                                         \
    X(INT32, node, "node", "1", "number of the node, in the order of the node file", NULL)         \
    X(TEXT, name, "name", "", "host name", NULL)                                                   \
    X(INT64, memory_B, "memory_B", "byte", "physical memory (MemTotal)", NULL)                     \
    X(INT64, swap_B, "swap_B", "byte", "swap space (SwapTotal)", NULL)                             \
    X(INT64, cgroup_limit_B, "cgroup_limit_B", "byte", "memory limit of the job's cgroup", NULL)   \
    X(INT32, cpus, "cpus", "1", "CPUs that the job may use", NULL)                                 \
    X(REAL, clock_offset_s, "clock_offset_s", "s", "to add to the node's clock to get rank 0's",   \
      NULL)                                                                                        \
    X(REAL, clock_error_s, "clock_error_s", "s", "bound on the error of the offset", NULL)         \
    X(INT64, ticks, "ticks", "1", "sampling ticks that were taken", NULL)                          \
    X(INT64, missed, "missed", "1", "sampling ticks that were due and not taken", NULL)            \
    X(SPAN, cpu_ns, "cpu_s", "s", "CPU time of the sampling rank and the world host", NULL)        \
    X(INT64, stacks, "stacks", "1", "stack traces taken, of single threads", NULL)                 \
    X(INT64, stacks_failed, "stacks_failed", "1", "stack traces of processes that failed", NULL)   \
    X(SPAN, stacks_cpu_ns, "stacks_cpu_s", "s", "CPU time of the stack server and its debugger",   \
      NULL)                                                                                        \
    X(INT32, debugger_restarts, "debugger_restarts", "1",                                          \
      "how often the debugger hung or died and was started again", NULL)                           \
    X(CODE, ended, "ended", "1", "how the record of the node ends", ml_node_end_codes)

#define ML_PROCESS_COLUMNS(X)                                                                      \
    X(INT32, process, "process", "1", "number of the process in this file", NULL)                  \
    X(INT32, rank, "rank", "1", "MPI rank; -1: a helper process", NULL)                            \
    X(INT32, node, "node", "1", "node that it ran on", NULL)                                       \
    X(INT32, pid, "pid", "1", "process id on its node", NULL)                                      \
    X(INT32, parent, "parent", "1", "process that started it; -1: none of the run's", NULL)        \
    X(INT32, of_rank, "of_rank", "1", "its rank, or that of the one that started it; -1: none",    \
      NULL)                                                                                        \
    X(INSTANT, start_ns, "start_s", "s", "start of the process", NULL)                             \
    X(INSTANT, end_ns, "end_s", "s", "end of the process; -1: not seen", NULL)                     \
    X(INT32, exit_code, "exit_code", "1", "exit code; -1: unknown, or ended by a signal", NULL)    \
    X(INT32, signal, "signal", "1", "signal that ended it; 0: none; -1: unknown", NULL)            \
    X(INT64, first_row, "first_row", "1", "its first row in /samples", NULL)                       \
    X(INT64, n_rows, "n_rows", "1", "number of its rows in /samples", NULL)                        \
    X(INT64, peak_memory_B, "peak_memory_B", "byte", "largest memory_B, or more by the kernel",    \
      NULL)                                                                                        \
    X(INSTANT, peak_memory_ns, "peak_memory_s", "s", "time of the first sample that saw it", NULL) \
    X(INT64, peak_rss_B, "peak_rss_B", "byte", "largest resident set, by the kernel or a sample",  \
      NULL)                                                                                        \
    X(INSTANT, peak_ns, "peak_s", "s", "time of the first sample that saw the peak", NULL)         \
    X(TEXT, name, "name", "", "command name", NULL)                                                \
    X(TEXT, command, "command", "", "of a rank: the command that it was started with", NULL)

#define ML_SAMPLE_COLUMNS(X)                                                                       \
    X(INSTANT, time_ns, "time_s", "s", "time of the sample", NULL)                                 \
    X(INT32, process, "process", "1", "row in /processes", NULL)                                   \
    X(INT32, rank, "rank", "1", "MPI rank; -1: a helper process", NULL)                            \
    X(INT64, tick, "tick", "1", "tick of the node's sampler; joins with /node_samples", NULL)      \
    X(INT64, memory_B, "memory_B", "byte",                                                         \
      "private memory, share of the shared pages, and huge pages", NULL)                           \
    X(INT64, rss_B, "rss_B", "byte", "resident set", NULL)                                         \
    X(INT64, rss_anon_B, "rss_anon_B", "byte", "resident anonymous memory (RssAnon)", NULL)        \
    X(INT64, rss_file_B, "rss_file_B", "byte", "resident file mappings (RssFile)", NULL)           \
    X(INT64, rss_shmem_B, "rss_shmem_B", "byte", "resident shared memory (RssShmem)", NULL)        \
    X(INT64, hugetlb_B, "hugetlb_B", "byte", "huge pages of hugetlbfs, in no resident set", NULL)  \
    X(INT64, pss_B, "pss_B", "byte",                                                               \
      "resident set, shared pages divided by their users (Pss), as last read", NULL)               \
    X(INT64, swap_B, "swap_B", "byte", "swapped-out memory (VmSwap)", NULL)                        \
    X(INT64, vsize_B, "vsize_B", "byte", "virtual memory", NULL)                                   \
    X(INT64, peak_rss_B, "peak_rss_B", "byte", "largest resident set until then (VmHWM)", NULL)    \
    X(SPAN, cpu_ns, "cpu_s", "s", "CPU time used, user and system", NULL)                          \
    X(INT32, threads, "threads", "1", "number of threads", NULL)                                   \
    X(INT64, major_faults, "major_faults", "1", "page faults that waited for the disk", NULL)      \
    X(CODE, state, "state", "1", "scheduler state", ml_state_codes)                                \
    X(INT32, mpi_call, "mpi_call", "1",                                                            \
      "row in /mpi_calls of the call in progress; 0: in none; -1: not measured", NULL)             \
    X(INT64, heap_used_B, "heap_used_B", "byte",                                                   \
      "in blocks that the program has, by the allocator (mallinfo2) and samples since", NULL)      \
    X(INT64, heap_held_B, "heap_held_B", "byte",                                                   \
      "what the allocator holds for blocks, used or free", NULL)                                   \
    X(INT64, read_B, "read_B", "byte",                                                             \
      "read by system calls: files, pipes, sockets (rchar), as last seen", NULL)                   \
    X(INT64, written_B, "written_B", "byte", "written by system calls (wchar), as last seen", NULL)

#define ML_NODE_SAMPLE_COLUMNS(X)                                                                  \
    X(INSTANT, time_ns, "time_s", "s", "time of the sample", NULL)                                 \
    X(INT32, node, "node", "1", "row in /nodes", NULL)                                             \
    X(INT64, tick, "tick", "1", "tick of the node's sampler", NULL)                                \
    X(INT32, processes, "processes", "1", "processes of the run on the node", NULL)                \
    X(INT64, memory_B, "memory_B", "byte", "memory of the processes, each shared page once", NULL) \
    X(INT64, memory_error_B, "memory_error_B", "byte", "so much more it may be", NULL)             \
    X(INT64, rss_B, "rss_B", "byte", "sum of the processes' resident sets", NULL)                  \
    X(INT64, pss_B, "pss_B", "byte", "sum of the processes' proportional sets, as last read",      \
      NULL)                                                                                        \
    X(INT64, available_B, "available_B", "byte", "memory that the node can still give out", NULL)  \
    X(INT64, swap_free_B, "swap_free_B", "byte", "free swap space", NULL)                          \
    X(SPAN, stalled_ns, "stalled_s", "s",                                                          \
      "time for which some task waited for memory (PSI some), since the node's start", NULL)       \
    X(INT64, swap_in_B, "swap_in_B", "byte", "read from swap, since the node's start", NULL)       \
    X(INT64, swap_out_B, "swap_out_B", "byte", "written to swap, since the node's start", NULL)    \
    X(INT64, cgroup_B, "cgroup_B", "byte", "memory charged to the job's cgroup", NULL)             \
    X(INT64, cgroup_file_B, "cgroup_file_B", "byte",                                               \
      "of that: page cache, which can be taken back (active_file, inactive_file)", NULL)           \
    X(INT64, cgroup_shmem_B, "cgroup_shmem_B", "byte",                                             \
      "of that: shared memory and files of tmpfs (shmem)", NULL)                                   \
    X(INT64, cgroup_kernel_B, "cgroup_kernel_B", "byte", "of that: the kernel's own (kernel)",     \
      NULL)                                                                                        \
    X(INT64, left_B, "left_B", "byte", "memory that can still be had before the nearest limit",    \
      NULL)                                                                                        \
    X(INT64, limit_B, "limit_B", "byte", "that limit", NULL)                                       \
    X(CODE, limit, "limit", "1", "whose limit that is", ml_limit_codes)                            \
    X(SPAN, sampler_cpu_ns, "sampler_cpu_s", "s", "CPU time of the sampling rank until then",      \
      NULL)                                                                                        \
    X(INT64, cpu_Hz, "cpu_Hz", "Hz",                                                               \
      "mean frequency of the CPUs on which processes ran, as last read", NULL)

#define ML_JOB_SAMPLE_COLUMNS(X)                                                                   \
    X(INSTANT, time_ns, "time_s", "s", "time of the gathering", NULL)                              \
    X(INT32, ranks, "ranks", "1", "ranks that are running", NULL)                                  \
    X(INT64, memory_B, "memory_B", "byte", "memory of all nodes", NULL)                            \
    X(INT64, memory_error_B, "memory_error_B", "byte", "so much more it may be", NULL)             \
    X(INT64, rss_B, "rss_B", "byte", "sum of all resident sets", NULL)                             \
    X(INT64, pss_B, "pss_B", "byte", "sum of all proportional sets", NULL)                         \
    X(INT32, largest_rank, "largest_rank", "1", "rank with the most memory", NULL)                 \
    X(INT64, largest_memory_B, "largest_memory_B", "byte", "its memory", NULL)                     \
    X(INT64, largest_rss_B, "largest_rss_B", "byte", "its resident set", NULL)                     \
    X(INT64, least_available_B, "least_available_B", "byte", "least memory left on a node", NULL)  \
    X(INT32, least_node, "least_node", "1", "that node", NULL)                                     \
    X(INT64, gpu_B, "gpu_B", "byte", "memory of GPUs that its processes have", NULL)

#define ML_EVENT_COLUMNS(X)                                                                        \
    X(INSTANT, time_ns, "time_s", "s", "time of the event", NULL)                                  \
    X(INT32, node, "node", "1", "node; -1: the job", NULL)                                         \
    X(INT32, process, "process", "1", "process; -1: none", NULL)                                   \
    X(CODE, kind, "kind", "1", "what happened", ml_event_codes)                                    \
    X(INT64, value, "value", "1", "exit code, signal, bytes: by kind", NULL)                       \
    X(TEXT, text, "text", "", "in words", NULL)

#define ML_OUTPUT_COLUMNS(X)                                                                       \
    X(INSTANT, time_ns, "time_s", "s", "time at which it passed through", NULL)                    \
    X(INT32, rank, "rank", "1", "rank that wrote it", NULL)                                        \
    X(CODE, stream, "stream", "1", "where to", ml_stream_codes)                                    \
    X(CODE, continued, "continued", "1", "1: goes on with the row before of rank and stream",      \
      NULL)                                                                                        \
    X(TEXT, text, "text", "", "one line, or a piece of it", NULL)

/* /frames and /stacks are of the whole run; in a journal their rows, and what refers to them, are
 * counted in that journal. */
#define ML_FRAME_COLUMNS(X)                                                                        \
    X(TEXT, function, "function", "", "function; empty where nobody knows it", NULL)               \
    X(TEXT, file, "file", "", "source file; empty: unknown", NULL)                                 \
    X(INT32, line, "line", "1", "line of the source file; -1: unknown", NULL)                      \
    X(TEXT, module, "module", "", "program or library that holds the code", NULL)                  \
    X(INT64, offset_B, "offset_B", "byte",                                                         \
      "where the function is unknown: address in the module, as linked; else -1", NULL)            \
    X(CODE, inlined, "inlined", "1", "1: inlined into the function outside of it", NULL)

#define ML_STACK_COLUMNS(X)                                                                        \
    X(INT32, parent, "parent", "1", "row of the stack without the innermost call; -1: a root",     \
      NULL)                                                                                        \
    X(INT32, frame, "frame", "1", "row in /frames of the innermost call", NULL)                    \
    X(INT32, depth, "depth", "1", "calls from the root, which has 0", NULL)

#define ML_STACK_SAMPLE_COLUMNS(X)                                                                 \
    X(INSTANT, time_ns, "time_s", "s", "time at which the stack was taken", NULL)                  \
    X(INT32, process, "process", "1", "row in /processes", NULL)                                   \
    X(INT32, thread, "thread", "1", "thread id on its node; the pid for the first thread", NULL)   \
    X(INT32, stack, "stack", "1", "row in /stacks", NULL)                                          \
    X(CODE, trigger, "trigger", "1", "why it was taken", ml_trigger_codes)                         \
    X(SPAN, stopped_ns, "stopped_s", "s", "how long the process was held for it; 0: it ran on",    \
      NULL)                                                                                        \
    X(SPAN, took_ns, "took_s", "s", "from the order to the stack", NULL)

/* What the preloaded MPI hooks say. */
#define ML_MPI_COLUMNS(X)                                                                          \
    X(INT32, process, "process", "1", "row in /processes", NULL)                                   \
    X(INT32, rank, "rank", "1", "MPI rank", NULL)                                                  \
    X(TEXT, phase, "phase", "",                                                                    \
      "phase: before MPI_Init, MPI_Init, application, MPI_Finalize, after MPI, or a region", NULL) \
    X(INT32, call, "call", "1", "row in /mpi_calls; 0: outside of MPI", NULL)                      \
    X(INT64, calls, "calls", "1", "how often it was called", NULL)                                 \
    X(REAL, time_s, "time_s", "s", "time in it, of all threads", NULL)                             \
    X(REAL, error_s, "time_error_s", "s", "standard error of time_s; 0: each call was timed",      \
      NULL)                                                                                        \
                                                                                                   \
    X(REAL, longest_s, "longest_s", "s", "the longest of the calls that were timed", NULL)         \
    X(INT64, messages, "messages", "1", "messages sent", NULL)                                     \
    X(INT64, sent_B, "sent_B", "byte", "bytes sent, or given to a collective or a file", NULL)     \
    X(INT64, grown_B, "grown_B", "byte", "growth of the resident set that was seen in it", NULL)

#define ML_MPI_CALL_COLUMNS(X)                                                                     \
    X(TEXT, name, "name", "", "function; row 0, of no name, stands for no call", NULL)             \
    X(TEXT, kind, "kind", "", "p2p, collective, wait, rma, io or setup", NULL)

/* What the preloaded heap profiler says: estimates from samples. A site is one call stack of one
 * process that allocates memory of one kind; its number is the process's own. Two sites may have
 * one row of /stacks, where two calls stand on one line. */
#define ML_HEAP_SAMPLE_COLUMNS(X)                                                                  \
    X(INSTANT, time_ns, "time_s", "s", "from this time on", NULL)                                  \
    X(INT32, process, "process", "1", "row in /processes", NULL)                                   \
    X(INT32, rank, "rank", "1", "MPI rank; -1: a helper process", NULL)                            \
    X(INT32, site, "site", "1", "number of the site, of the process's own", NULL)                  \
    X(INT32, stack, "stack", "1", "row in /stacks; -1: its calls are not known", NULL)             \
    X(CODE, kind, "kind", "1", "what it allocates", ml_site_kind_codes)                            \
    X(INT64, live_B, "live_B", "byte", "allocated there and not freed by then", NULL)              \
    X(INT64, live_blocks, "live_blocks", "1", "likewise, blocks", NULL)                            \
    X(INT64, live_error_B, "live_error_B", "byte", "standard error of live_B", NULL)               \
    X(INT64, allocated_B, "allocated_B", "byte", "allocated there until then, freed or not", NULL) \
    X(INT64, allocated_blocks, "allocated_blocks", "1", "likewise, blocks", NULL)                  \
    X(INT64, allocated_error_B, "allocated_error_B", "byte", "standard error of allocated_B", NULL)

#define ML_HEAP_COLUMNS(X)                                                                         \
    X(INT32, process, "process", "1", "row in /processes", NULL)                                   \
    X(INT32, rank, "rank", "1", "MPI rank; -1: a helper process", NULL)                            \
    X(INT32, site, "site", "1", "number of the site, as in /heap_samples", NULL)                   \
    X(INT32, stack, "stack", "1", "row in /stacks; -1: its calls are not known", NULL)             \
    X(CODE, kind, "kind", "1", "what it allocates", ml_site_kind_codes)                            \
    X(INSTANT, peak_ns, "peak_s", "s", "time at which the process had most memory", NULL)          \
    X(INT64, peak_B, "peak_B", "byte", "allocated there and not freed at that time", NULL)         \
    X(INT64, peak_blocks, "peak_blocks", "1", "likewise, blocks", NULL)                            \
    X(INT64, peak_error_B, "peak_error_B", "byte", "standard error of peak_B", NULL)               \
    X(INT64, end_B, "end_B", "byte", "allocated there and not freed when it was seen last", NULL)  \
    X(INT64, end_blocks, "end_blocks", "1", "likewise, blocks", NULL)                              \
    X(INT64, end_error_B, "end_error_B", "byte", "standard error of end_B", NULL)                  \
    X(INT64, allocated_B, "allocated_B", "byte", "allocated there in all, freed or not", NULL)     \
    X(INT64, allocated_blocks, "allocated_blocks", "1", "likewise, blocks", NULL)                  \
    X(INT64, allocated_error_B, "allocated_error_B", "byte", "standard error of allocated_B", NULL)

/* What drivers tell of GPUs; docs/gpu.md. */
#define ML_GPU_COLUMNS(X)                                                                          \
    X(INT32, node, "node", "1", "row in /nodes", NULL)                                             \
    X(INT32, gpu, "gpu", "1", "number of the GPU on its node", NULL)                               \
    X(TEXT, name, "name", "", "its name, or maker and model", NULL)                                \
    X(TEXT, uuid, "uuid", "", "its own number; empty where nobody tells", NULL)                    \
    X(INT64, memory_B, "memory_B", "byte", "memory of its own", NULL)                              \
    X(TEXT, driver, "driver", "", "driver in the kernel", NULL)                                    \
    X(TEXT, pci, "pci", "", "PCI address; empty on another bus", NULL)                             \
    X(INT32, numa_node, "numa_node", "1", "NUMA node that it is next to", NULL)                    \
    X(INT32, minor, "minor", "1", "number of its device file, as /dev/nvidia0", NULL)              \
    X(INT64, reserved_B, "reserved_B", "byte", "of memory_B, what its driver keeps", NULL)         \
    X(INT32, gpu_instance, "gpu_instance", "1", "its number, where it is a part (MIG)", NULL)

#define ML_GPU_SAMPLE_COLUMNS(X)                                                                   \
    X(INSTANT, time_ns, "time_s", "s", "from this time on", NULL)                                  \
    X(INT32, node, "node", "1", "row in /nodes", NULL)                                             \
    X(INT32, gpu, "gpu", "1", "number of the GPU on its node", NULL)                               \
    X(INT64, used_B, "used_B", "byte", "of its memory, by whomever", NULL)                         \
    X(INT32, utilisation, "utilisation", "percent", "time that it was busy, by its driver", NULL)  \
    X(INT64, ecc_errors, "ecc_errors", "1", "errors of its memory that were not corrected", NULL)

#define ML_GPU_PROCESS_SAMPLE_COLUMNS(X)                                                           \
    X(INSTANT, time_ns, "time_s", "s", "from this time on", NULL)                                  \
    X(INT32, process, "process", "1", "row in /processes", NULL)                                   \
    X(INT32, gpu, "gpu", "1", "number of the GPU on the process's node", NULL)                     \
    X(INT64, used_B, "used_B", "byte", "memory of the GPU that it has", NULL)                      \
    X(INT64, host_B, "host_B", "byte", "memory of the host that it has for the GPU", NULL)

/* What GPUs a process may use. */
#define ML_GPU_CHOICE_COLUMNS(X)                                                                   \
    X(INSTANT, time_ns, "time_s", "s", "when it was seen first", NULL)                             \
    X(INT32, process, "process", "1", "row in /processes", NULL)                                   \
    X(INT32, gpu, "gpu", "1", "number of the GPU whose device file it opened", NULL)               \
    X(TEXT, variable, "variable", "", "of its environment; empty: it opened a file", NULL)         \
    X(TEXT, value, "value", "", "of the variable, or the file", NULL)

#define ML_FIELD_INSTANT int64_t
#define ML_FIELD_SPAN int64_t
#define ML_FIELD_INT64 int64_t
#define ML_FIELD_INT32 int32_t
#define ML_FIELD_CODE int8_t
#define ML_FIELD_REAL double
#define ML_FIELD_TEXT const char *
#define ML_DECLARE_FIELD(kind, field, name, units, description, codes) ML_FIELD_##kind field;

struct ml_node_row {
    ML_NODE_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_process_row {
    ML_PROCESS_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_sample_row {
    ML_SAMPLE_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_node_sample_row {
    ML_NODE_SAMPLE_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_job_sample_row {
    ML_JOB_SAMPLE_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_event_row {
    ML_EVENT_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_output_row {
    ML_OUTPUT_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_frame_row {
    ML_FRAME_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_stack_row {
    ML_STACK_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_stack_sample_row {
    ML_STACK_SAMPLE_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_mpi_row {
    ML_MPI_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_mpi_call_row {
    ML_MPI_CALL_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_heap_sample_row {
    ML_HEAP_SAMPLE_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_heap_row {
    ML_HEAP_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_gpu_row {
    ML_GPU_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_gpu_sample_row {
    ML_GPU_SAMPLE_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_gpu_process_sample_row {
    ML_GPU_PROCESS_SAMPLE_COLUMNS(ML_DECLARE_FIELD)
};
struct ml_gpu_choice_row {
    ML_GPU_CHOICE_COLUMNS(ML_DECLARE_FIELD)
};

extern const struct ml_table ml_table_nodes, ml_table_processes, ml_table_samples,
    ml_table_node_samples, ml_table_job_samples, ml_table_events, ml_table_output, ml_table_frames,
    ml_table_stacks, ml_table_stack_samples, ml_table_mpi, ml_table_mpi_calls, ml_table_heap,
    ml_table_heap_samples, ml_table_gpus, ml_table_gpu_samples, ml_table_gpu_process_samples,
    ml_table_gpu_choices;

/* All of them, in the file's order, ended by NULL. */
extern const struct ml_table *const ml_tables[];

enum ml_node_end {
    ML_NODE_END_COMPLETE = 0,  /* sampled until the application had ended */
    ML_NODE_END_CUT = 1,       /* the journal breaks off: killed, or the node failed */
    ML_NODE_END_NO_RECORD = 2, /* no sampling rank there, or its journal is missing */
};

/* What memory can run out of. */
enum ml_limit {
    ML_LIMIT_NODE = 1,          /* the node's memory */
    ML_LIMIT_CGROUP = 2,        /* a cgroup that the job is in (memory.max, or of version 1) */
    ML_LIMIT_CGROUP_HIGH = 3,   /* memory.high of one: above, the kernel slows it down */
    ML_LIMIT_ADDRESS_SPACE = 4, /* ulimit -v of a process: RLIMIT_AS */
    ML_LIMIT_SCHEDULER = 5,     /* what the batch system was asked for */
    ML_LIMIT_NUMA = 6,          /* the NUMA nodes that a process is bound to */
    ML_LIMIT_DATA = 7,          /* ulimit -d of a process: RLIMIT_DATA */
};

enum ml_stream { ML_STDOUT = 1, ML_STDERR = 2 };

enum ml_trigger {
    ML_TRIGGER_INTERVAL = 1,   /* --stack-rate */
    ML_TRIGGER_GROWTH = 2,     /* --stack-growth */
    ML_TRIGGER_SIGNAL = 3,     /* --stack-signal */
    ML_TRIGGER_LOW_MEMORY = 4, /* the node is about to run out of memory */
};

/* What a site allocates. */
enum ml_site_kind {
    ML_SITE_BLOCKS = 1, /* malloc and its like, new */
    ML_SITE_MAPPED = 2, /* private anonymous maps of the program's own */
    ML_SITE_SHARED = 3, /* shared maps, SysV and POSIX shared memory */
    ML_SITE_HUGE = 4,   /* hugetlb maps */
};

enum ml_event_kind {
    ML_EVENT_EXIT = 1,        /* value: exit code other than 0 */
    ML_EVENT_SIGNAL = 2,      /* value: the signal that ended a rank */
    ML_EVENT_ABORT = 3,       /* value: the code given to MPI_Abort */
    ML_EVENT_FORWARDED = 4,   /* value: the signal passed on to the application */
    ML_EVENT_ENDED_BY_US = 5, /* the ranks of the node were ended because another failed */
    ML_EVENT_OUTPUT_CUT = 6,  /* value: bytes recorded; what follows was not */
    ML_EVENT_SLOWED = 7,      /* value: ns between samples from now on */
    ML_EVENT_NODE_LOST = 8,   /* a node stopped answering */
    ML_EVENT_NOTE = 9,        /* a warning that the user also saw */
    ML_EVENT_DEBUGGER = 10, /* value: how often it was restarted; it hung, died or made no sense */
    ML_EVENT_PHASE_BEGIN = 11, /* text: MPI_Init, MPI_Finalize or a region; value: resident set, or
                                  -1 */
    ML_EVENT_PHASE_END = 12,
    ML_EVENT_MARK = 13,  /* text: what the application says */
    ML_EVENT_DEATH = 14, /* why a rank died, where that is more than its code or signal */
};

extern const struct ml_code ml_node_end_codes[], ml_state_codes[], ml_event_codes[],
    ml_stream_codes[], ml_trigger_codes[], ml_limit_codes[], ml_site_kind_codes[];

/* An attribute of the run: command, directory, options and the like. TEXT holds its value; kind
 * says how the file stores it. Texts are owned by whoever made the struct. */
struct ml_attribute {
    const char *name;
    enum ml_kind kind; /* ML_TEXT, ML_INT64 or ML_REAL */
    const char *text;
};

#endif
