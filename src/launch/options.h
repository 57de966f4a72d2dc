/* The options of memlog-mpi. One list feeds getopt, the MEMLOG_* variables, --help, the man page
 * and the attributes of the run. */
#ifndef ML_LAUNCH_OPTIONS_H
#define ML_LAUNCH_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum ml_launch { ML_LAUNCH_AUTO, ML_LAUNCH_RANKS, ML_LAUNCH_ONCE };

/* X(kind, field, long name, short name, argument, default, description) */
#define ML_OPTIONS(X)                                                                              \
    X(TEXT, outfile, "outfile", 'o', "FILE", "", "the result (memlog-JOB.h5)")                     \
    X(DURATION, repeat_rate_ns, "repeat-rate", 'r', "TIME", "250ms",                               \
      "between samples: 0.25, 10ms, 2s (250ms)")                                                   \
    X(DURATION, sample_delay_ns, "sample-delay", 0, "TIME", "0", "before the first sample (0)")    \
    X(COUNT, ranks, "ranks", 'n', "N", "", "start N ranks ourselves; 'slots': the node file's")    \
    X(COUNT, ranks_per_node, "ranks-per-node", 0, "P", "", "start P of them on each node")         \
    X(BIND, bind_to, "bind-to", 0, "WHAT", "auto", "bind them to core, socket or none")            \
    X(TEXT, nodefile, "nodefile", 0, "FILE", "", "the nodes (as the batch system says)")           \
    X(LAUNCH, launch, "launch", 0, "HOW", "auto",                                                  \
      "ranks; once: COMMAND is itself a launcher (auto)")                                          \
    X(ATTACH, attach, "attach", 0, "[WHAT]", "",                                                   \
      "join what runs: PIDs, a name, job:ID (our own job)")                                        \
    X(FLAG, no_stdout, "no-stdout", 0, NULL, "", "leave the output alone; do not record it")       \
    X(SIZE, stdout_limit_B, "stdout-limit", 0, "SIZE", "16MiB", "output to record a rank (16MiB)") \
    X(PSS, pss_rate_ns, "pss-rate", 0, "TIME", "auto", "between readings of PSS (by their cost)")  \
    X(PERCENT, overhead, "overhead", 0, "PERCENT", "1%",                                           \
      "of the job's CPUs for sampling, at most (1%)")                                              \
    X(FLAG, pstack, "pstack", 0, NULL, "", "take stack traces")                                    \
    X(DEBUGGER, debugger, "debugger", 0, "NAME", "auto",                                           \
      "take them by unwind, gdb or lldb (unwind)")                                                 \
    X(DURATION, stack_rate_ns, "stack-rate", 0, "TIME", "10s",                                     \
      "between stacks; 0: only on growth (10s)")                                                   \
    X(GROWTH, stack_growth, "stack-growth", 0, "SIZE", "5%",                                       \
      "also when a rank grew by SIZE or PERCENT (5%)")                                             \
    X(RANKS, stack_ranks, "stack-ranks", 0, "LIST", "all", "of these ranks: 0,4-7 (all)")          \
    X(SIGNAL, stack_signal, "stack-signal", 0, "NAME", "",                                         \
      "at USR1 or USR2, which is not passed on then")                                              \
    X(FLAG, no_hooks, "no-hooks", 0, NULL, "", "preload nothing; do not record MPI calls")         \
    X(FLAG, heap, "heap", 0, NULL, "", "record which call stacks allocate the memory")             \
    X(SIZE, heap_rate_B, "heap-rate", 0, "SIZE", "512KiB", "between its samples (512KiB)")         \
    X(FLAG, no_gpu, "no-gpu", 0, NULL, "", "do not look at GPUs")                                  \
    X(DURATION, gpu_rate_ns, "gpu-rate", 0, "TIME", "1s", "between looks at GPUs (1s)")            \
    X(TEXT, journal_dir, "journal-dir", 0, "DIR", "", "for the journals (beside FILE)")            \
    X(FLAG, force, "force", 0, NULL, "", "replace FILE")                                           \
    X(FLAG, live, "live", 0, NULL, "", "show the live line even where stderr is no terminal")      \
    X(FLAG, quiet, "quiet", 'q', NULL, "", "say nothing but errors")                               \
    X(FLAG, verbose, "verbose", 'v', NULL, "", "say more")

#define ML_OPTION_TYPE_TEXT const char *
#define ML_OPTION_TYPE_ATTACH const char *
#define ML_OPTION_TYPE_DURATION int64_t
#define ML_OPTION_TYPE_SIZE int64_t
#define ML_OPTION_TYPE_PERCENT double
#define ML_OPTION_TYPE_COUNT int64_t
#define ML_OPTION_TYPE_PSS int64_t
#define ML_OPTION_TYPE_FLAG bool
#define ML_OPTION_TYPE_DEBUGGER int
#define ML_OPTION_TYPE_GROWTH struct ml_growth
#define ML_OPTION_TYPE_RANKS const char *
#define ML_OPTION_TYPE_SIGNAL int
#define ML_OPTION_TYPE_BIND int
#define ML_OPTION_TYPE_LAUNCH int
#define ML_OPTION_FIELD(kind, field, ...) ML_OPTION_TYPE_##kind field;

/* A process has grown by this share of what it had, or by this size. */
struct ml_growth {
    double share;   /* 0: not by share */
    int64_t size_B; /* 0: not by size; both 0: never */
};

enum { ML_RANKS_AS_MPIEXEC = 0, ML_RANKS_BY_SLOTS = -1 }; /* of `ranks` */

#define ML_OPTION_COUNT(...) +1
enum { ML_OPTIONS_N = ML_OPTIONS(ML_OPTION_COUNT) };

struct ml_options {
    ML_OPTIONS(ML_OPTION_FIELD)
    const char *written[ML_OPTIONS_N]; /* as they were given; NULL: not */
    char **command; /* the application and its arguments, NULL-terminated; with --attach none */
    bool asked_for_stdout; /* in the words of memory_logger.py */
};

enum ml_options_wish { ML_WISH_RUN, ML_WISH_HELP, ML_WISH_VERSION };

/* Defaults, then MEMLOG_* variables, then ARGV up to the first word that is no option. Texts point
 * into ARGV and the environment. Errors name the option. */
enum ml_status ml_options_parse(int argc, char **argv, struct ml_options *out_options,
                                enum ml_options_wish *out_wish, struct ml_error *err);

/* Whether ENVIRONMENT has a MEMLOG_ variable that looks like one of ours and is none,
 * MEMLOG_REPEATRATE; OUT says so. Others may be anybody's. */
bool ml_options_misspelt(char *const *environment, char *out, size_t size);

/* Whether an argument does nothing without another one, which is absent; OUT says so. A variable
 * may be there for other runs. */
bool ml_options_idle(const struct ml_options *options, char *out, size_t size);

/* Whether FIELD of OPTIONS was given, as an argument or as a variable, and is not the default. */
bool ml_options_given(const struct ml_options *options, const void *field);

/* Takes over the options that rank 0 of the run was given, a text or NULL for each of WRITTEN,
 * which is to last. Those of the output of a rank, and of the node's journal, stay one's own.
 * OUT_OTHER is the name of one that was given here and differs, or NULL. */
enum ml_status ml_options_follow(struct ml_options *options, const char *const *written,
                                 const char **out_other, struct ml_error *err);

/* Option I as the run's attribute: its name and its value as text in OUT. False past the last. */
bool ml_options_attribute(const struct ml_options *options, size_t i, const char **out_name,
                          char *out, size_t size);

/* Whether processes are joined that others have started; then there is no command. */
bool ml_options_attach(const struct ml_options *options);

/* --pstack, which naming a debugger turns on. */
bool ml_options_pstack(const struct ml_options *options);

/* Whether stacks may be taken at all: that, or at a signal alone. */
bool ml_options_wants_stacks(const struct ml_options *options);

/* Whether a stack server is needed: for that, or for the names of a heap profile. */
bool ml_options_wants_stack_server(const struct ml_options *options);

/* "unwind", "gdb" or "lldb". */
const char *ml_options_debugger(const struct ml_options *options);

void ml_options_print_help(FILE *file);

#endif
