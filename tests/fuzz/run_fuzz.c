/* libFuzzer: bytes of outside origin as a run file, and all that memlog does with one.
 *
 * HDF5 1.10.8 has faults of its own on damaged files, which are not ours to mend. So a child reads
 * the file first: where it dies inside the library, that is counted and the input passed over;
 * where it dies elsewhere, so does the fuzzer, in reading the file once more. */
#include "base/own.h"
#include "export/tables.h"
#include "read/phases.h"
#include "report/json.h"
#include "report/moments.h"
#include "report/mpi.h"
#include "report/report.h"
#include "report/stacks.h"
#include "report/under.h"
#include "sums/owners.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define REPORTED 99 /* the child's exit code where the sanitizer found something */
#define MOST_B (4 << 20)
#define HANGS_S 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);
void __sanitizer_set_death_callback(void (*callback)(void));

const char *__asan_default_options(void)
{
    return "detect_leaks=0:exitcode=99:handle_abort=1:allocator_may_return_null=1:"
           "max_allocation_size_mb=1024";
}

static FILE *nowhere;

static void read_stacks(struct ml_run *run, const struct ml_facts *facts,
                        const struct ml_stacks *stacks, const struct ml_mpi_sums *mpi,
                        struct ml_buffer *out)
{
    struct ml_style style = {80, true, true};
    struct ml_moments moments;
    struct ml_output output;
    struct ml_under under;
    struct ml_output_choice lines = {NULL, INT64_MIN, INT64_MAX, 3};
    if (stacks->n_samples)
        ml_report_stack_tree(stacks, false, &style, out);
    if (ml_moments_gather(run, facts, stacks, 12, &moments, NULL))
        return;
    ml_under_init(&under, &facts->total, &moments);
    if (ml_output_gather(run, &under.history, &lines, &output, NULL) == ML_OK) {
        struct ml_under_what what = {stacks, &moments, &output, false};
        struct ml_death_report death;
        if (ml_death_gather(run, facts, &death, NULL) == ML_OK) {
            struct ml_json_parts parts = {facts, &death, "run.h5", true, stacks, &output, mpi};
            free(ml_death_words(&death, facts));
            ml_report_json(&parts, out, NULL);
        }
        ml_death_free(&death);
        ml_report_under(facts, &under, &what, &style, out);
        ml_output_free(&output);
    }
    ml_under_free(&under);
    ml_moments_free(&moments);
}

/* The caller frees the sums. */
static struct ml_mpi_sums read_mpi(struct ml_run *run, const struct ml_facts *facts,
                                   const struct ml_style *style, struct ml_buffer *out)
{
    struct ml_mpi_sums sums = {0};
    struct ml_run_phases phases;
    ML_AUTO_FREE int32_t *ranks = ml_owner_ranks(facts->processes, facts->n_processes);
    if (ml_run_phases_read(run, ranks, facts->n_processes, facts->length_ns, &phases, NULL) ==
        ML_OK)
        ml_run_phases_free(&phases);
    if (ml_mpi_sums_gather(run, facts, &sums, NULL) == ML_OK)
        ml_report_mpi(&sums, true, style, out);
    return sums;
}

static void read_facts(struct ml_run *run, const struct ml_stacks *stacks)
{
    struct ml_facts facts;
    struct ml_style style = {60, false, false};
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, 20, 0, true};
    struct ml_buffer out = {0};
    if (ml_facts_gather(run, &range, &facts, NULL))
        return;
    ml_report_header(&facts, NULL, "run.h5", &style, &out);
    ml_report_summary(&facts, &style, &out);
    ml_report_nodes(&facts, true, &style, &out);
    ml_report_ranks(&facts, true, &style, &out);
    struct ml_mpi_sums mpi = read_mpi(run, &facts, &style, &out);
    read_stacks(run, &facts, stacks, &mpi, &out);
    ml_mpi_sums_free(&mpi);
    ml_buffer_free(&out);
    ml_facts_free(&facts);
}

enum part { REPORT, CSV, MOOSE_CSV, JSON, PARTS };

static void export(struct ml_run *run, enum part part, const struct ml_slice *processes,
                   const struct ml_slice *nodes, const struct ml_stacks *stacks,
                   const struct ml_stacks_choice *choice)
{
    struct ml_export_run e = {
        .run = run,
        .processes = processes->rows,
        .n_processes = processes->count,
        .nodes = nodes->rows,
        .n_nodes = nodes->count,
        .choice = choice,
        .title = "run.h5",
        .exporter = "run_fuzz",
        .origin_wall_ns = ml_facts_origin_ns(run),
    };
    if (part == CSV)
        ml_export_csv(&e, nowhere, NULL);
    else if (part == JSON)
        ml_export_json(&e, nowhere, NULL);
    else
        ml_export_moose_csv(&e, stacks, nowhere, NULL);
}

/* A part of what can be done with the file, so that there is time for many. */
static void read_run(const char *name, enum part part)
{
    struct ml_error err;
    struct ml_run *run;
    struct ml_slice processes = {0}, nodes = {0};
    struct ml_stacks stacks = {0};
    struct ml_range some = {0, 2};
    struct ml_ranges ranks = {&some, 1};
    struct ml_stacks_choice all = {.since_ns = INT64_MIN, .until_ns = INT64_MAX};
    struct ml_stacks_choice few = {.ranks = &ranks, .until_ns = INT64_MAX};
    if (ml_run_open(name, &run, &err))
        return;
    if (ml_slice_read_all(run, &ml_table_processes, &processes, &err) == ML_OK &&
        ml_slice_read_all(run, &ml_table_nodes, &nodes, &err) == ML_OK) {
        ml_stacks_load(run, processes.rows, processes.count, &all, &stacks, &err);
        if (part == REPORT)
            read_facts(run, &stacks);
        else
            export(run, part, &processes, &nodes, &stacks, part == JSON ? &few : &all);
        ml_stacks_free(&stacks);
    }
    ml_slice_free(&processes);
    ml_slice_free(&nodes);
    ml_run_close(run);
}

static void hang(int signal)
{
    (void)signal;
    abort();
}

/* Whether one of the innermost frames of the sanitizer's report lies in the library: it, or what it
 * called in libc or the sanitizer. */
static bool is_of_hdf5(int report)
{
    char text[8192] = "";
    ssize_t n = pread(report, text, sizeof text - 1, 0);
    const char *frame = n > 0 ? strstr(text, "    #0 ") : NULL;
    bool hung = strstr(text, "ABRT") != NULL; /* below it lie abort, the handler, the signal */
    for (int i = 0; frame && i < (hung ? 9 : 3); i++) {
        const char *end = strchr(frame, '\n');
        const char *library = strstr(frame, "libhdf5");
        if (library && (!end || library < end))
            return true;
        frame = end ? strstr(end, "    #") : NULL;
    }
    return false;
}

/* Whether reading survives, or dies for what is not the library's fault. */
static bool is_worth_reading(const char *name, enum part part)
{
    static size_t faults;
    static int report = -1;
    int state = 0;
    if (report < 0)
        report = memfd_create("report", MFD_CLOEXEC);
    if (ftruncate(report, 0))
        abort();
    lseek(report, 0, SEEK_SET);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(report, STDERR_FILENO);
        __sanitizer_set_death_callback(NULL); /* the fuzzer's, which would keep the input */
        signal(SIGALRM, hang);
        alarm(HANGS_S);
        read_run(name, part);
        _exit(0);
    }
    while (waitpid(child, &state, 0) != child)
        continue;
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return true;
    if (!is_of_hdf5(report))
        return true;
    if (++faults == 1 || faults % 100 == 0)
        fprintf(stderr, "run_fuzz: %zu inputs ended inside libhdf5\n", faults);
    return false;
}

static char path[] = "/dev/shm/memlog-run-fuzz-XXXXXX"; /* HDF5 opens no memfd: it has no name */
static pid_t owner;

static void remove_file(void)
{
    if (getpid() == owner)
        unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    if (fd < 0) {
        fd = mkstemp(path);
        owner = getpid();
        atexit(remove_file);
        nowhere = fopen("/dev/null", "we");
    }
    if (fd < 0 || !nowhere || ftruncate(fd, 0))
        abort();
    if (size > MOST_B || pwrite(fd, data, size, 0) != (ssize_t)size)
        return 0;
    enum part part = (size ? data[size - 1] : 0) % PARTS;
    if (is_worth_reading(path, part))
        read_run(path, part);
    return 0;
}
