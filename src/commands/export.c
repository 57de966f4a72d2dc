/* memlog export: a run for other programs. */
#include "export/export.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "commands/choice.h"
#include "commands/command.h"
#include "commands/heap_choice.h"
#include "commands/source.h"
#include "export/tables.h"
#include "report/facts.h"
#include "report/heap.h"
#include "report/stacks.h"
#include "version.h"

#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CSV,
    WIDE,
    JSON,
    OPENMETRICS,
    MOOSE_CSV, /* from here on stacks are loaded */
    PERFETTO,
    FOLDED,
    SPEEDSCOPE,
    PPROF, /* up to here formats, from FOLDED on those of stacks alone */
    WEIGHT,
    HEAP,
    AT,
    PHASE,
    OUTFILE,
    RANK,
    SINCE,
    UNTIL,
    TRIGGER
};

static const struct ml_command_option options[] = {
    [CSV] = {"csv", 0, NULL, "one tidy table of all samples of all processes"},
    [WIDE] = {"wide", 0, NULL, "CSV of memory over time, a column a rank"},
    [JSON] = {"json", 0, NULL, "all tables, as columns"},
    [OPENMETRICS] = {"openmetrics", 0, NULL, "samples at their times, for Prometheus and its like"},
    [PERFETTO] = {"perfetto", 0, NULL, "a trace for ui.perfetto.dev: memory, phases, output"},
    [MOOSE_CSV] = {"moose-csv", 0, NULL, "the log of memory_logger.py, for its users' scripts"},
    [FOLDED] = {"folded", 0, NULL, "collapsed stacks, as flame graphs take them"},
    [SPEEDSCOPE] = {"speedscope", 0, NULL, "JSON for www.speedscope.app: threads over time"},
    [PPROF] = {"pprof", 0, NULL, "gzipped profile.proto, for 'go tool pprof'"},
    [WEIGHT] = {"weight", 0, "NAME", "samples, growth; of a heap live, allocated, leaked"},
    [HEAP] = {"heap", 0, NULL, "stacks of what was allocated, in bytes"},
    [AT] = {"at", 0, "WHEN", "... at the peak (as without), end, or 90s, 1:30"},
    [PHASE] = {"phase", 0, "NAME", "... at the peak in that phase; leaks by it"},
    [OUTFILE] = {"outfile", 'o', "OUT", "in place of stdout"},
    [RANK] = {"rank", 0, "LIST", "of these ranks only: 0,4-7"},
    [SINCE] = {"since", 0, "TIME", "from then on: 90s, 5min, 1:30,"},
    [UNTIL] = {"until", 0, "TIME", "... and until then; or '2026-01-31 12:00:00'"},
    [TRIGGER] = {"trigger", 0, "NAME", "stacks for interval, growth, signal or low_memory"},
    {0},
};

/* What a stack counts. */
static const struct weight {
    const char *name;
    enum ml_export_weight weight;
    bool heap, churn, leaks;
} weights[] = {{.name = "samples", .weight = ML_WEIGHT_OWN},
               {.name = "growth", .weight = ML_WEIGHT_GROWTH},
               {.name = "live", .weight = ML_WEIGHT_OWN, .heap = true},
               {.name = "allocated", .weight = ML_WEIGHT_OWN, .heap = true, .churn = true},
               {.name = "leaked", .weight = ML_WEIGHT_OWN, .heap = true, .leaks = true}};

#define N_WEIGHTS (sizeof weights / sizeof *weights)

struct request {
    int format; /* CSV to PPROF */
    bool heap;
    const struct weight *weight; /* NULL: not given */
    struct ml_heap_wish wish;    /* of the heap */
    const char *outfile;
    struct ml_command_choice given;
};

/* What is exported, loaded from a run. */
struct loaded {
    struct ml_run *run;
    const char *name; /* of the file */
    char *title;
    const struct ml_stacks_choice *choice;
    struct ml_slice processes, nodes;
    struct ml_stacks stacks;
    struct ml_heap_profile heap;
};

static enum ml_status no_stacks(struct ml_run *run, struct ml_error *err)
{
    struct ml_facts facts;
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, 1, 0, false};
    enum ml_status status = ml_facts_gather(run, &range, &facts, err);
    if (status)
        return status;
    ML_AUTO_FREE char *why = ml_report_why_no_stacks(&facts);
    ml_facts_free(&facts);
    return ml_fail(err, ML_RUN_LOST, "no stacks: %.400s", why);
}

static enum ml_status check_stacks(struct ml_run *run, const struct ml_stacks *stacks,
                                   struct ml_error *err)
{
    if (!stacks->n_recorded)
        return no_stacks(run, err);
    if (!stacks->n_samples)
        return ml_fail(err, ML_RUN_LOST,
                       "none of the %zu stacks that were recorded is of these ranks, this time and "
                       "this trigger",
                       stacks->n_recorded);
    return ML_OK;
}

/* Which moment of the heap, and what of it; the title says so. */
static enum ml_status choose_heap(const struct request *r, struct loaded *l,
                                  struct ml_leak_parts *out_parts,
                                  struct ml_heap_choice *out_choice, struct ml_error *err)
{
    struct ml_facts facts;
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, 1, 0, false};
    enum ml_status status = ml_facts_gather(l->run, &range, &facts, err);
    if (status)
        return status;
    int64_t peak_ns = facts.total.peak.time_ns;
    status = ml_command_heap_choice(l->run, &facts, &r->wish, out_parts, out_choice, err);
    ml_facts_free(&facts);
    if (status)
        return status;
    ML_AUTO_FREE char *moment = ml_report_heap_moment(out_choice, peak_ns);
    l->title = ml_format("%s: %s", l->name, moment);
    out_choice->ranks = l->choice->ranks;
    out_choice->churn |= r->format == PPROF; /* it has both */
    return ML_OK;
}

static enum ml_status load_heap(const struct request *r, struct loaded *l, struct ml_error *err)
{
    struct ml_leak_parts parts;
    struct ml_heap_choice choice;
    enum ml_status status = choose_heap(r, l, &parts, &choice, err);
    if (!status)
        status =
            ml_heap_load(l->run, l->processes.rows, l->processes.count, &choice, &l->heap, err);
    if (!status && ml_heap_weight(&l->heap, &l->heap.total)->bytes <= 0)
        status = ml_fail(err, ML_RUN_LOST, "%s", ml_heap_why_nothing(&l->heap, &choice));
    return status;
}

static enum ml_status load_stacks(int format, struct loaded *l, struct ml_error *err)
{
    enum ml_status status =
        ml_stacks_load(l->run, l->processes.rows, l->processes.count, l->choice, &l->stacks, err);
    if (!status && format >= FOLDED)
        status = check_stacks(l->run, &l->stacks, err);
    return status;
}

/* Whether some process is of the ranks that are wanted. */
static enum ml_status check_ranks(const struct loaded *l, struct ml_error *err)
{
    const struct ml_process_row *processes = l->processes.rows;
    int32_t last = -1;
    if (!l->choice->ranks)
        return ML_OK;
    for (size_t i = 0; i < l->processes.count; i++) {
        if (ml_ranges_contains(l->choice->ranks, processes[i].rank))
            return ML_OK;
        last = processes[i].rank > last ? processes[i].rank : last;
    }
    if (last < 0)
        return ml_fail(err, ML_RUN_LOST, "--rank: there are no ranks in it");
    return ml_fail(err, ML_RUN_LOST, "--rank: none of them is there; there are ranks 0 to %d",
                   (int)last);
}

static enum ml_status load(const struct request *r, struct loaded *l, struct ml_error *err)
{
    enum ml_status status = ml_slice_read_all(l->run, &ml_table_processes, &l->processes, err);
    if (!status)
        status = check_ranks(l, err);
    if (!status)
        status = ml_slice_read_all(l->run, &ml_table_nodes, &l->nodes, err);
    if (!status && r->heap)
        return load_heap(r, l, err);
    l->title = ml_strdup(l->name);
    if (!status && r->format >= MOOSE_CSV)
        status = load_stacks(r->format, l, err);
    return status;
}

static enum ml_status write_tables(int format, const struct loaded *l, FILE *out,
                                   struct ml_error *err)
{
    struct ml_export_run export = {
        .run = l->run,
        .processes = l->processes.rows,
        .n_processes = l->processes.count,
        .nodes = l->nodes.rows,
        .n_nodes = l->nodes.count,
        .choice = l->choice,
        .title = l->title,
        .exporter = "memlog " MEMLOG_VERSION,
        .origin_wall_ns = ml_facts_origin_ns(l->run),
    };
    if (format == CSV)
        return ml_export_csv(&export, out, err);
    if (format == WIDE)
        return ml_export_wide(&export, out, err);
    if (format == PERFETTO)
        return ml_export_perfetto(&export, &l->stacks, out, err);
    if (format == OPENMETRICS)
        return ml_export_openmetrics(&export, out, err);
    if (format == JSON)
        return ml_export_json(&export, out, err);
    return ml_export_moose_csv(&export, &l->stacks, out, err);
}

static enum ml_status write_format(const struct request *r, const struct loaded *l, FILE *out,
                                   struct ml_error *err)
{
    struct ml_export export = {
        .stacks = r->heap ? &l->heap.stacks : &l->stacks,
        .heap = r->heap ? &l->heap : NULL,
        .processes = l->processes.rows,
        .nodes = l->nodes.rows,
        .n_nodes = l->nodes.count,
        .title = l->title,
        .exporter = "memlog " MEMLOG_VERSION,
        .origin_wall_ns = ml_facts_origin_ns(l->run),
    };
    if (r->format < FOLDED)
        return write_tables(r->format, l, out, err);
    if (r->format == SPEEDSCOPE)
        return ml_export_speedscope(&export, out, err);
    if (r->format == PPROF)
        return ml_export_pprof(&export, out, err);
    ml_export_folded(&export, r->weight ? r->weight->weight : ML_WEIGHT_OWN, out);
    return ML_OK;
}

/* Into OUTFILE, which is gone again where that fails. */
static enum ml_status write_file(const struct request *r, const struct loaded *l,
                                 struct ml_error *err)
{
    FILE *out = fopen(r->outfile, "we");
    if (!out)
        return ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be written", r->outfile);
    enum ml_status status = write_format(r, l, out, err);
    bool lost = ferror(out);
    lost |= fclose(out) != 0;
    if (!status && lost)
        status = ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be written", r->outfile);
    struct stat st;
    if (status && stat(r->outfile, &st) == 0 && S_ISREG(st.st_mode))
        unlink(r->outfile);
    return status;
}

static enum ml_status write_stdout(const struct request *r, const struct loaded *l,
                                   struct ml_error *err)
{
    enum ml_status status = write_format(r, l, stdout, err);
    if (!status && (fflush(stdout) || ferror(stdout)))
        status = ml_fail_errno(err, ML_RUN_LOST, "the export cannot be written");
    return status;
}

static enum ml_status export_run(const struct request *r, struct ml_run *run, const char *path,
                                 const struct ml_stacks_choice *choice, struct ml_error *err)
{
    const char *slash = strrchr(path, '/');
    struct loaded loaded = {.run = run, .name = slash ? slash + 1 : path, .choice = choice};
    enum ml_status status = load(r, &loaded, err);
    if (!status)
        status = r->outfile ? write_file(r, &loaded, err) : write_stdout(r, &loaded, err);
    free(loaded.title);
    ml_heap_profile_free(&loaded.heap);
    ml_stacks_free(&loaded.stacks);
    ml_slice_free(&loaded.nodes);
    ml_slice_free(&loaded.processes);
    return status;
}

/* The recording must not be written over. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int choose_and_export(const struct ml_command *command, const struct request *r,
                             const char *path)
{
    struct ml_error err;
    struct ml_run *run;
    struct ml_ranges ranks;
    struct ml_stacks_choice choice;
    if (ml_command_open_run(path, &run, &err)) {
        ml_log(ML_LOG_ERROR, "%s", err.text);
        return ML_EXIT_FAILURE;
    }
    int code = ML_EXIT_OK;
    if (ml_command_choose(&r->given, ml_facts_origin_ns(run), &ranks, &choice, &err)) {
        code = ml_command_misuse(command, "%s", err.text);
    } else {
        if (export_run(r, run, path, &choice, &err)) {
            ml_log(ML_LOG_ERROR, "%s", err.text);
            code = ML_EXIT_FAILURE;
        }
        ml_ranges_free(&ranks);
    }
    ml_run_close(run);
    return code;
}

static bool take_weight(const struct ml_command *command, struct request *r, const char *value)
{
    for (size_t i = 0; i < N_WEIGHTS; i++) {
        if (strcmp(value, weights[i].name) == 0) {
            r->weight = &weights[i];
            return true;
        }
    }
    ml_command_misuse(
        command,
        "'%.80s' is no weight; write samples or growth, with --heap live, allocated or leaked",
        value);
    return false;
}

/* Takes option OPTION into R. False, and said, if it makes no sense. */
static bool take(const struct ml_command *command, struct request *r, int option, const char *value)
{
    const char **const places[] = {
        [AT] = &r->wish.at,           [PHASE] = &r->wish.phase,  [OUTFILE] = &r->outfile,
        [RANK] = &r->given.rank,      [SINCE] = &r->given.since, [UNTIL] = &r->given.until,
        [TRIGGER] = &r->given.trigger};
    if (option <= PPROF) {
        if (r->format >= 0 && r->format != option) {
            ml_command_misuse(command, "--%s and --%s: one format at a time",
                              options[r->format].name, options[option].name);
            return false;
        }
        r->format = option;
    } else if (option == WEIGHT) {
        return take_weight(command, r, value);
    } else if (option == HEAP) {
        r->heap = true;
    } else {
        *places[option] = value;
    }
    return true;
}

/* What does not go together; the text says so, NULL: all is well. */
static const char *find_conflict(const struct request *r)
{
    if (r->format < 0)
        return "name a format: --csv, --wide, --json, --openmetrics, --perfetto, --moose-csv, "
               "--folded, --speedscope or --pprof";
    if (r->heap && r->format < FOLDED)
        return "--heap goes with the formats of stacks: --folded, --speedscope, --pprof";
    if (r->heap && r->weight && !r->weight->heap)
        return "--heap: its weights are live, allocated and leaked";
    if (r->weight && r->format != FOLDED && !(r->heap && r->format == SPEEDSCOPE))
        return "--weight goes with --folded";
    if (r->heap && (r->given.since || r->given.until))
        return "--heap is of a moment: --at, in place of --since and --until";
    if (r->heap && r->given.trigger)
        return "--trigger goes with stacks that were taken, not with --heap";
    if (r->given.trigger && r->format < FOLDED)
        return "--trigger goes with the formats of stacks";
    return NULL;
}

static int run_export(const struct ml_command *command, int argc, char **argv)
{
    struct request r = {.format = -1};
    struct ml_error err;
    const char *value;
    int64_t ignored_ns;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0) {
        if (!take(command, &r, option, value))
            return ML_EXIT_USAGE;
    }
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    r.heap |= r.wish.at || r.wish.phase || (r.weight && r.weight->heap);
    r.wish.churn = r.weight && r.weight->churn;
    r.wish.leaks = r.weight && r.weight->leaks;
    const char *conflict = find_conflict(&r);
    if (!conflict)
        conflict = ml_command_heap_conflict(&r.wish);
    if (conflict)
        return ml_command_misuse(command, "%s", conflict);
    if (argc - optind != 1)
        return ml_command_misuse(command,
                                 argc == optind ? "no file is named" : "one file at a time");
    if (ml_command_moment(r.wish.at, 0, 0, &ignored_ns, &err))
        return ml_command_misuse(command, "%s", err.text);
    if (ml_command_check_choice(&r.given, &err))
        return ml_command_misuse(command, "%s", err.text);
    if (r.outfile && is_same_file(r.outfile, argv[optind]))
        return ml_command_misuse(command, "-o %.200s is the recording itself", r.outfile);
    if (!r.outfile && r.format == PPROF && isatty(STDOUT_FILENO))
        return ml_command_misuse(command, "--pprof is binary; name a file with -o");
    return choose_and_export(command, &r, argv[optind]);
}

const struct ml_command ml_command_export = {
    "export",
    "FILE",
    "Write a run for other programs: tables, stacks",
    "  memlog export --csv --since 10min --rank 0-3 run.h5 -o run.csv\n"
    "  memlog export --folded --weight growth run.h5 | flamegraph.pl > run.svg\n"
    "  memlog export --speedscope run.h5 -o run.speedscope.json\n"
    "  memlog export --heap --pprof --at end run.h5 -o run.heap.pb.gz\n",
    options,
    run_export,
};
