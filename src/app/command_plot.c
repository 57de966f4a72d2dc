/* memlog plot: the total memory of runs over time, drawn by gnuplot. */
#include "app/command.h"
#include "app/command_plot_run.h"
#include "app/command_source.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "plot/gnuplot.h"
#include "read/slice.h"
#include "read/total.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 2400 /* of decimation: twice the picture's width */
#define MAX_FILES 64

enum { OUTFILE, TITLE, DARKMODE };

static const struct ml_command_option options[] = {
    [OUTFILE] = {"outfile", 'o', "OUT", ".png, .svg, .pdf; .gp: the gnuplot script; -: on stdout"},
    [TITLE] = {"title", 0, "TEXT", "in place of 'Resident memory, all ranks'"},
    [DARKMODE] = {"darkmode", 0, NULL, "light lines on a dark ground"},
    {0},
};

struct request {
    const char *outfile, *title;
    bool dark;
    char **paths;
    size_t n;
};

/* What is drawn of one file. */
struct loaded {
    struct ml_decimate curve;
    char *label;
    char *subtitle;
};

static void visit(void *context, int64_t time_ns, int64_t rss_B)
{
    ml_decimate_add(context, time_ns, rss_B);
}

/* "run" for "runs/run.h5". */
static char *label_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *label = ml_strdup(slash ? slash + 1 : path);
    size_t n = strlen(label);
    if (n > 3 && strcmp(label + n - 3, ".h5") == 0)
        label[n - 3] = 0;
    return label;
}

static const char *attribute_of(const struct ml_run *run, const char *name)
{
    const struct ml_attribute *attributes;
    size_t n = ml_run_attributes(run, &attributes);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(attributes[i].name, name) == 0)
            return attributes[i].text;
    }
    return "";
}

static char *subtitle_of(const struct ml_run *run, size_t n_nodes, size_t n_ranks)
{
    const char *command = attribute_of(run, "command");
    return ml_format("%.90s%s%zu node%s, %zu rank%s", command, *command ? "   |   " : "", n_nodes,
                     n_nodes == 1 ? "" : "s", n_ranks, n_ranks == 1 ? "" : "s");
}

static enum ml_status load_curve(struct ml_run *run, const struct ml_slice *processes,
                                 struct loaded *out, struct ml_error *err)
{
    const struct ml_process_row *rows = processes->rows;
    size_t n_nodes, n_ranks = 0;
    int64_t end_ns = 0;
    enum ml_status status = ml_run_count(run, &ml_table_nodes, &n_nodes, err);
    if (!status)
        status = ml_total_end(run, &end_ns, err);
    if (status)
        return status;
    for (size_t i = 0; i < processes->count; i++)
        n_ranks += rows[i].rank >= 0;
    ml_decimate_init(&out->curve, 0, end_ns, COLUMNS);
    status = ml_total_each(run, rows, processes->count, visit, &out->curve, err);
    ml_decimate_finish(&out->curve);
    out->subtitle = subtitle_of(run, n_nodes, n_ranks);
    return status;
}

static enum ml_status load(const char *path, struct loaded *out, struct ml_error *err)
{
    struct ml_run *run = NULL;
    struct ml_slice processes = {0};
    enum ml_status status = ml_command_open_run(path, &run, err);
    if (!status)
        status = ml_slice_read_all(run, &ml_table_processes, &processes, err);
    if (!status)
        status = load_curve(run, &processes, out, err);
    out->label = label_of(path);
    ml_slice_free(&processes);
    ml_run_close(run);
    return status;
}

static void compose(const struct request *r, const struct loaded *runs, struct ml_buffer *script)
{
    ML_AUTO_FREE struct ml_plot_curve *curves = ml_realloc_array(NULL, r->n, sizeof *curves);
    ML_AUTO_FREE char *several = ml_format("%zu runs, each from its start", r->n);
    for (size_t i = 0; i < r->n; i++) {
        const struct ml_decimate *d = &runs[i].curve;
        curves[i] = (struct ml_plot_curve){runs[i].label, d->points, d->n_points, d->to_ns};
    }
    struct ml_plot_page page = {
        .title = r->title ? r->title : "Resident memory, all ranks",
        .subtitle = r->n == 1 ? runs[0].subtitle : several,
        .curves = curves,
        .n_curves = r->n,
        .dark = r->dark,
    };
    ml_gnuplot_emit(&page, script);
}

/* The form of picture that PATH's suffix names: "png", "gp", ...; NULL: none that is known. */
static const char *form_of(const char *path)
{
    static const char *const forms[] = {"png", "svg", "pdf", "gp"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(dot + 1, forms[i]) == 0)
            return forms[i];
    }
    return strcmp(path, "-") == 0 ? "gp" : NULL;
}

static enum ml_status deliver(const struct request *r, const struct ml_buffer *script,
                              struct ml_error *err)
{
    const char *form = r->outfile ? form_of(r->outfile) : "";
    if (!r->outfile)
        return ml_plot_show(script, err);
    if (strcmp(r->outfile, "-") == 0)
        return fwrite(script->data, 1, script->length, stdout) == script->length &&
                       fflush(stdout) == 0
                   ? ML_OK
                   : ml_fail_errno(err, ML_RUN_LOST, "the script cannot be written");
    if (strcmp(form, "gp") == 0)
        return ml_plot_save(script, r->outfile, err);
    return ml_plot_draw(script, form, r->outfile, err);
}

static int plot(const struct request *r)
{
    struct ml_error err;
    struct ml_buffer script = {0};
    enum ml_status status = ML_OK;
    ML_AUTO_FREE struct loaded *runs = ml_alloc(r->n * sizeof *runs);
    for (size_t i = 0; !status && i < r->n; i++)
        status = load(r->paths[i], &runs[i], &err);
    if (!status) {
        compose(r, runs, &script);
        status = deliver(r, &script, &err);
    }
    for (size_t i = 0; i < r->n; i++) {
        ml_decimate_free(&runs[i].curve);
        free(runs[i].label);
        free(runs[i].subtitle);
    }
    ml_buffer_free(&script);
    if (status)
        ml_log(ML_LOG_ERROR, "%s", err.text);
    return status ? ML_EXIT_FAILURE : ML_EXIT_OK;
}

static int run_plot(const struct ml_command *command, int argc, char **argv)
{
    struct request r = {0};
    const char *value;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0) {
        if (option == OUTFILE)
            r.outfile = value;
        if (option == TITLE)
            r.title = value;
        r.dark |= option == DARKMODE;
    }
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    r.paths = argv + optind;
    r.n = (size_t)(argc - optind);
    if (r.n == 0)
        return ml_command_misuse(command, "no file is named");
    if (r.n > MAX_FILES)
        return ml_command_misuse(command, "%zu files are too many for a picture; %d go", r.n,
                                 MAX_FILES);
    if (r.outfile && !form_of(r.outfile))
        return ml_command_misuse(command, "-o %.200s: name a .png, .svg, .pdf or .gp file, or -",
                                 r.outfile);
    return plot(&r);
}

const struct ml_command ml_command_plot = {
    "plot",
    "FILE...",
    "Draw the memory of runs over time",
    "Without -o it opens a window where there is a display, else it draws in the terminal.\n"
    "\n"
    "  memlog plot run.h5 -o run.png\n"
    "  memlog plot before.h5 after.h5 -o both.pdf\n"
    "  memlog plot run.h5 -o run.gp && gnuplot run.gp\n",
    options,
    run_plot,
};
