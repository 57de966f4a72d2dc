/* memlog export: the stacks of a run for other programs. */
#include "app/command.h"
#include "app/command_choice.h"
#include "app/command_source.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "export/export.h"
#include "report/facts.h"
#include "version.h"

#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDED, SPEEDSCOPE, PPROF, WEIGHT, OUTFILE, RANK, SINCE, UNTIL, TRIGGER };

static const struct ml_command_option options[] = {
    [FOLDED] = {"folded", 0, NULL, "collapsed stacks: root;...;leaf weight (flame graphs)"},
    [SPEEDSCOPE] = {"speedscope", 0, NULL, "JSON for www.speedscope.app: threads over time"},
    [PPROF] = {"pprof", 0, NULL, "gzipped profile.proto, for 'go tool pprof'"},
    [WEIGHT] = {"weight", 0, "NAME", "of --folded: samples, or growth in bytes"},
    [OUTFILE] = {"outfile", 'o', "OUT", "in place of stdout"},
    [RANK] = {"rank", 0, "LIST", "of these ranks only: 0,4-7"},
    [SINCE] = {"since", 0, "TIME", "taken from then on: 90s, 5min, 1:30,"},
    [UNTIL] = {"until", 0, "TIME", "... and until then; or '2026-01-31 12:00:00'"},
    [TRIGGER] = {"trigger", 0, "NAME", "taken for interval, growth, signal or low_memory"},
    {0},
};

struct request {
    int format; /* the option */
    enum ml_export_weight weight;
    const char *outfile;
    struct ml_command_choice choice;
};

/* What is exported, loaded from a run. */
struct loaded {
    struct ml_slice processes, nodes;
    struct ml_stacks stacks;
};

static enum ml_status load(struct ml_run *run, const struct ml_stacks_choice *choice,
                           struct loaded *out, struct ml_error *err)
{
    enum ml_status status = ml_slice_read_all(run, &ml_table_processes, &out->processes, err);
    if (!status)
        status = ml_slice_read_all(run, &ml_table_nodes, &out->nodes, err);
    if (!status)
        status = ml_stacks_load(run, out->processes.rows, out->processes.count, choice,
                                &out->stacks, err);
    if (!status && !out->stacks.n_recorded)
        return ml_fail(err, ML_RUN_LOST, "no stacks were recorded; memlog-mpi --pstack takes them");
    if (!status && !out->stacks.n_samples)
        return ml_fail(err, ML_RUN_LOST,
                       "none of the %zu stacks that were recorded is of these ranks, this time and "
                       "this trigger",
                       out->stacks.n_recorded);
    return status;
}

static enum ml_status write_format(const struct request *r, const struct ml_export *export,
                                   FILE *out, struct ml_error *err)
{
    if (r->format == SPEEDSCOPE)
        return ml_export_speedscope(export, out, err);
    if (r->format == PPROF)
        return ml_export_pprof(export, out, err);
    ml_export_folded(export, r->weight, out);
    return ML_OK;
}

/* Into OUTFILE, which is gone again where that fails. */
static enum ml_status write_file(const struct request *r, const struct ml_export *export,
                                 struct ml_error *err)
{
    FILE *out = fopen(r->outfile, "we");
    if (!out)
        return ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be written", r->outfile);
    enum ml_status status = write_format(r, export, out, err);
    bool lost = ferror(out);
    lost |= fclose(out) != 0;
    if (!status && lost)
        status = ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be written", r->outfile);
    struct stat st;
    if (status && stat(r->outfile, &st) == 0 && S_ISREG(st.st_mode))
        unlink(r->outfile);
    return status;
}

static enum ml_status write_stdout(const struct request *r, const struct ml_export *export,
                                   struct ml_error *err)
{
    enum ml_status status = write_format(r, export, stdout, err);
    if (!status && (fflush(stdout) || ferror(stdout)))
        status = ml_fail_errno(err, ML_RUN_LOST, "the export cannot be written");
    return status;
}

static enum ml_status export_run(const struct request *r, struct ml_run *run, const char *path,
                                 const struct ml_stacks_choice *choice, struct ml_error *err)
{
    struct loaded loaded = {0};
    const char *slash = strrchr(path, '/');
    enum ml_status status = load(run, choice, &loaded, err);
    struct ml_export export = {
        .stacks = &loaded.stacks,
        .processes = loaded.processes.rows,
        .nodes = loaded.nodes.rows,
        .n_nodes = loaded.nodes.count,
        .title = slash ? slash + 1 : path,
        .exporter = "memlog " MEMLOG_VERSION,
        .origin_wall_ns = ml_facts_origin_ns(run),
    };
    if (!status)
        status = r->outfile ? write_file(r, &export, err) : write_stdout(r, &export, err);
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
    if (ml_command_choose(&r->choice, ml_facts_origin_ns(run), &ranks, &choice, &err)) {
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

/* Takes option OPTION into R. False, and said, if it makes no sense. */
static bool take(const struct ml_command *command, struct request *r, int option, const char *value)
{
    const char **const places[] = {[OUTFILE] = &r->outfile,
                                   [RANK] = &r->choice.rank,
                                   [SINCE] = &r->choice.since,
                                   [UNTIL] = &r->choice.until,
                                   [TRIGGER] = &r->choice.trigger};
    if (option <= PPROF) {
        if (r->format >= 0 && r->format != option) {
            ml_command_misuse(command, "--%s and --%s: one format at a time",
                              options[r->format].name, options[option].name);
            return false;
        }
        r->format = option;
    } else if (option == WEIGHT) {
        r->weight = strcmp(value, "growth") == 0 ? ML_WEIGHT_GROWTH : ML_WEIGHT_SAMPLES;
        if (r->weight == ML_WEIGHT_SAMPLES && strcmp(value, "samples") != 0) {
            ml_command_misuse(command, "'%.80s' is no weight; write samples or growth", value);
            return false;
        }
    } else {
        *places[option] = value;
    }
    return true;
}

static int run_export(const struct ml_command *command, int argc, char **argv)
{
    struct request r = {.format = -1};
    struct ml_error err;
    const char *value;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0) {
        if (!take(command, &r, option, value))
            return ML_EXIT_USAGE;
    }
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    if (r.format < 0)
        return ml_command_misuse(command, "name a format: --folded, --speedscope or --pprof");
    if (r.weight != ML_WEIGHT_SAMPLES && r.format != FOLDED)
        return ml_command_misuse(command, "--weight goes with --folded");
    if (argc - optind != 1)
        return ml_command_misuse(command,
                                 argc == optind ? "no file is named" : "one file at a time");
    if (ml_command_check_choice(&r.choice, &err))
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
    "Write the stacks for flame graphs, speedscope, pprof",
    "FILE is what 'memlog-mpi --pstack' wrote, or a journal.\n"
    "\n"
    "  memlog export --folded --weight growth run.h5 | flamegraph.pl > run.svg\n"
    "  memlog export --speedscope run.h5 -o run.speedscope.json\n"
    "  memlog export --pprof --rank 0-3 run.h5 -o run.pb.gz && go tool pprof -top run.pb.gz\n",
    options,
    run_export,
};
