#include "commands/plot_wish.h"

#include "base/units.h"
#include "commands/plot_axes.h"
#include "commands/plot_compare.h"
#include "sums/memory.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TRIM 36

enum {
    OUTFILE,
    BY,
    STACKED,
    HEATMAP,
    MULTIPLES,
    BAND,
    HEAP,
    OWNER,
    FLAME,
    ICICLE,
    AT,
    CHURN,
    CHAIN,
    DIFF,
    ALIGN,
    COLUMN,
    RATE,
    SINCE,
    UNTIL,
    RANK,
    NODE,
    TIME,
    YRANGE,
    LOG,
    PSTACK,
    STDOUT,
    ROTATE_TEXT,
    MOVE_TEXT,
    TRIM_TEXT,
    LEGEND,
    TITLE,
    LABEL,
    SIZE,
    PAPER,
    SLIDE,
    FONT,
    DARKMODE,
    PALETTE,
};

const struct ml_command_option ml_plot_options[] = {
    [OUTFILE] = {"outfile", 'o', "OUT", ".png .svg .pdf .eps .tex .html .txt .gp; -: printed"},
    [BY] = {"by", 0, "WHAT", "total (default), node, rank or process"},
    [STACKED] = {"stacked", 0, NULL, NULL},
    [HEATMAP] = {"heatmap", 0, NULL, "ranks (--by node: nodes) in layers; a row a rank"},
    [MULTIPLES] = {"multiples", 0, NULL, NULL},
    [BAND] = {"band", 0, NULL, "a small graph per node; smallest to largest rank"},
    [HEAP] = {"heap", 0, NULL, NULL},
    [OWNER] = {"owner", 0, "FUNCTION", "who owns most of it; this one, in any form"},
    [FLAME] = {"flame", 0, NULL, NULL},
    [ICICLE] = {"icicle", 0, NULL, "a flame graph of stacks; with --heap of the heap"},
    [AT] = {"at", 0, "WHEN", NULL},
    [CHURN] = {"churn", 0, NULL, "of it: peak, end, 90s; all, freed or not"},
    [CHAIN] = {"chain", 0, NULL, NULL},
    [DIFF] = {"diff", 0, NULL, NULL},
    [ALIGN] = {"align", 0, "HOW", "restarts; new less old; phase=X, line=TEXT"},
    [COLUMN] = {"column", 0, "NAME", NULL},
    [RATE] = {"rate", 0, NULL, "rss_B, cpu_s, ... for memory_B; its growth"},
    [SINCE] = {"since", 0, "TIME", NULL},
    [UNTIL] = {"until", 0, "TIME", "90s, 1:30 or '2026-01-31 12:00:00'"},
    [RANK] = {"rank", 0, "LIST", NULL},
    [NODE] = {"node", 0, "NAMES", "of these only: 0,4-7 and n01,n2*"},
    [TIME] = {"time", 0, "UNIT", "of its axis: s, min or h, in place of h:mm:ss"},
    [YRANGE] = {"yrange", 0, "RANGE", NULL},
    [LOG] = {"log", 0, NULL, "axis of values: 0:4GiB, 1GiB:, ...; by tenfolds"},
    [PSTACK] = {"pstack", 0, NULL, NULL},
    [STDOUT] = {"stdout", 0, NULL, "rings at stacks; crosses and texts at output"},
    [ROTATE_TEXT] = {"rotate-text", 0, "DEGREES", NULL},
    [MOVE_TEXT] = {"move-text", 0, "X", NULL},
    [TRIM_TEXT] = {"trim-text", 0, "N", "of these texts"},
    [LEGEND] = {"legend", 0, "POSITION", "a key: 'upper left', 'bottom right', outside, none"},
    [TITLE] = {"title", 0, "TEXT", NULL},
    [LABEL] = {"label", 0, "NAME", "of the picture; of a file, in their order"},
    [SIZE] = {"size", 0, "SIZE", NULL},
    [PAPER] = {"paper", 0, NULL, NULL},
    [SLIDE] = {"slide", 0, NULL, "1200x680, 8.5x6cm; of a paper; 1920x1080"},
    [FONT] = {"font", 0, "NAME", NULL},
    [DARKMODE] = {"darkmode", 0, NULL, "of all texts; light lines on a dark ground"},
    [PALETTE] = {"palette", 0, "NAME", "default, colour-blind, or grey for print"},
    {0},
};

const char *ml_plot_suffix(const char *path)
{
    static const char *const forms[] = {"png", "svg", "pdf", "eps", "tex", "html", "gp", "txt"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(dot + 1, forms[i]) == 0)
            return forms[i];
    }
    return strcmp(path, "-") == 0 ? "gp" : NULL;
}

static bool parse_number(const char *text, double low, double high, double *out)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= low && value <= high))
        return false;
    *out = value;
    return true;
}

static int parse_by(const struct ml_command *command, const char *value, struct ml_plot_request *r)
{
    static const char *const words[] = {"total", "node", "rank", "process"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(value, words[i]) == 0) {
            r->wish.by = (enum ml_plot_by)i;
            return ML_OPTION_END;
        }
    }
    ml_command_misuse(command, "--by %.60s: total, node, rank and process go", value);
    return ML_OPTION_BAD;
}

static int parse_palette(const struct ml_command *command, const char *value,
                         struct ml_plot_request *r)
{
    static const struct {
        const char *name;
        enum ml_palette palette;
    } names[] = {{"default", ML_PALETTE_DEFAULT},
                 {"colour-blind", ML_PALETTE_COLOUR_BLIND},
                 {"color-blind", ML_PALETTE_COLOUR_BLIND},
                 {"grey", ML_PALETTE_GREY},
                 {"gray", ML_PALETTE_GREY}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(value, names[i].name) == 0) {
            r->palette = names[i].palette;
            return ML_OPTION_END;
        }
    }
    ml_command_misuse(command, "--palette %.60s: default, colour-blind and grey go", value);
    return ML_OPTION_BAD;
}

static int parse_size(const struct ml_command *command, const char *value,
                      struct ml_plot_request *r)
{
    struct ml_error err;
    if (!ml_plot_size_parse(value, &r->size, &err))
        return ML_OPTION_END;
    ml_command_misuse(command, "%s", err.text);
    return ML_OPTION_BAD;
}

/* A size that is given too stays, before and behind it. */
static int take_preset(const struct ml_command *command, const struct ml_plot_size *preset,
                       struct ml_plot_request *r)
{
    struct ml_plot_size given = r->size;
    if (given.zoom > 0) {
        ml_command_misuse(command, "one of --paper and --slide at a time");
        return ML_OPTION_BAD;
    }
    r->size = *preset;
    if (given.width > 0) {
        r->size.width = given.width;
        r->size.height = given.height;
        r->size.measured = given.measured;
    }
    return ML_OPTION_END;
}

static int add_label(const struct ml_command *command, const char *value, struct ml_plot_request *r)
{
    if (r->n_labels == ML_PLOT_MOST_FILES) {
        ml_command_misuse(command, "more than %d times --label", ML_PLOT_MOST_FILES);
        return ML_OPTION_BAD;
    }
    r->labels[r->n_labels++] = value;
    return ML_OPTION_END;
}

/* Its second number is an argument of its own, as in memory_logger.py, whose option it was. */
static int parse_move(const struct ml_command *command, int argc, char **argv, const char *value,
                      struct ml_plot_request *r)
{
    if (optind >= argc || !parse_number(value, -1000, 1000, &r->move_x) ||
        !parse_number(argv[optind], -1000, 1000, &r->move_y)) {
        ml_command_misuse(command, "--move-text wants two numbers, as in --move-text 2 -1");
        return ML_OPTION_BAD;
    }
    optind++;
    return ML_OPTION_END;
}

static int parse_form(const struct ml_command *command, int option, struct ml_plot_request *r)
{
    static const enum ml_plot_form forms[] = {
        [STACKED] = ML_PLOT_STACKED, [HEATMAP] = ML_PLOT_HEATMAP, [MULTIPLES] = ML_PLOT_MULTIPLES,
        [BAND] = ML_PLOT_BAND,       [FLAME] = ML_PLOT_FLAME,     [ICICLE] = ML_PLOT_FLAME};
    if (r->wish.form != ML_PLOT_LINES && r->wish.form != forms[option]) {
        ml_command_misuse(command,
                          "one of --stacked, --heatmap, --multiples, --band and --flame at a time");
        return ML_OPTION_BAD;
    }
    r->wish.form = forms[option];
    return ML_OPTION_END;
}

static int parse_text_option(const struct ml_command *command, int option, const char *value,
                             struct ml_plot_request *r)
{
    double number;
    struct ml_error err;
    if (option == ROTATE_TEXT && !parse_number(value, -360, 360, &r->rotate_deg)) {
        ml_command_misuse(command, "--rotate-text %.60s: degrees, as in 38", value);
        return ML_OPTION_BAD;
    }
    if (option == TRIM_TEXT) {
        if (!parse_number(value, 0, 1000, &number) || number != floor(number)) {
            ml_command_misuse(command, "--trim-text %.60s: a number of characters", value);
            return ML_OPTION_BAD;
        }
        r->wish.trim = (int)number;
    }
    if ((option == LEGEND && ml_legend_parse(value, &r->legend, &err)) ||
        (option == YRANGE && ml_plot_range_parse(value, &r->range, &err)) ||
        (option == ALIGN && ml_plot_align_parse(value, &r->align, &err)) ||
        (option == TIME && ml_plot_time_parse(value, &r->time, &err))) {
        ml_command_misuse(command, "%s", err.text);
        return ML_OPTION_BAD;
    }
    return ML_OPTION_END;
}

/* What is kept as it stands. False: it is none of these. */
static bool keep(int option, const char *value, struct ml_plot_request *r)
{
    const char **const texts[] = {
        [OUTFILE] = &r->outfile,   [COLUMN] = &r->column,
        [SINCE] = &r->given.since, [UNTIL] = &r->given.until,
        [RANK] = &r->given.rank,   [NODE] = &r->nodes,
        [TITLE] = &r->wish.title,  [FONT] = &r->font,
        [OWNER] = &r->owner,       [AT] = &r->at,
    };
    bool *const switches[] = {
        [RATE] = &r->wish.rate,     [LOG] = &r->log,          [PSTACK] = &r->wish.stacks,
        [STDOUT] = &r->wish.output, [DARKMODE] = &r->dark,    [HEAP] = &r->heap,
        [CHURN] = &r->churn,        [CHAIN] = &r->wish.chain, [DIFF] = &r->wish.diff,
    };
    size_t i = (size_t)option;
    if (i < sizeof texts / sizeof *texts && texts[i])
        *texts[i] = value;
    else if (i < sizeof switches / sizeof *switches && switches[i])
        *switches[i] = true;
    else
        return false;
    return true;
}

static int take(const struct ml_command *command, int argc, char **argv, int option,
                const char *value, struct ml_plot_request *r)
{
    if (keep(option, value, r))
        return ML_OPTION_END;
    switch (option) {
    case BY:
        return parse_by(command, value, r);
    case STACKED:
    case HEATMAP:
    case MULTIPLES:
    case BAND:
    case FLAME:
    case ICICLE:
        r->icicle |= option == ICICLE;
        return parse_form(command, option, r);
    case MOVE_TEXT:
        return parse_move(command, argc, argv, value, r);
    case LABEL:
        return add_label(command, value, r);
    case SIZE:
        return parse_size(command, value, r);
    case PAPER:
        return take_preset(command, &ml_plot_paper, r);
    case SLIDE:
        return take_preset(command, &ml_plot_slide, r);
    case PALETTE:
        return parse_palette(command, value, r);
    default:
        return parse_text_option(command, option, value, r);
    }
}

/* Of the heap: layers, unless one owner is drawn, in whatever form. */
static void choose_heap(struct ml_plot_request *r)
{
    struct ml_plot_wish *w = &r->wish;
    r->heap |= r->owner || r->at || r->churn;
    if (r->heap && !r->owner && w->form == ML_PLOT_LINES && w->by == ML_PLOT_BY_TOTAL)
        w->form = ML_PLOT_HEAP;
}

static const char *find_heap_conflict(const struct ml_plot_request *r)
{
    if (strcmp(r->column, ML_MEMORY_COLUMN) != 0)
        return "--heap draws what was allocated, and no column of the samples";
    if (r->wish.form != ML_PLOT_HEAP)
        return NULL;
    if (r->log)
        return "--log: layers upon one another have no logarithmic axis";
    if (r->wish.stacks || r->wish.output)
        return "--heap has no lines for --pstack and --stdout to mark";
    return NULL;
}

static const char *find_flame_conflict(const struct ml_plot_request *r)
{
    bool heap = r->heap, time = r->given.since || r->given.until;
    if (heap && r->wish.stacks)
        return "--flame draws --heap or --pstack, one at a time";
    if (heap && time)
        return "--heap --flame is of one moment: --at TIME, in place of --since and --until";
    if (r->owner)
        return "--owner: a flame graph has all owners, which can be searched in .svg and .html";
    if (r->nodes)
        return "--flame takes ranks, --rank 0-7, in place of --node";
    if (r->n > 1 || r->wish.diff || r->align.by != ML_PLOT_ALIGN_TIME)
        return "--flame draws one file";
    if (r->wish.by != ML_PLOT_BY_TOTAL || r->wish.rate || r->log || r->range.has_low ||
        r->range.has_high || r->wish.output || strcmp(r->column, ML_MEMORY_COLUMN) != 0)
        return "--flame has no axes: no --by, --rate, --log, --yrange, --column and --stdout";
    return NULL;
}

/* What does not go together; the text says so, NULL: all is well. */
static const char *find_conflict(const struct ml_plot_request *r)
{
    const struct ml_plot_wish *w = &r->wish;
    bool plain = w->form == ML_PLOT_LINES;
    const char *heap, *several;
    if (w->form == ML_PLOT_FLAME)
        return find_flame_conflict(r);
    if (r->at || r->churn)
        return "--at and --churn go with --flame or --icicle";
    if (r->heap && (heap = find_heap_conflict(r)))
        return heap;
    if ((several = ml_plot_compare_conflict(r)))
        return several;
    if (w->rate && !plain)
        return "--rate draws lines: it goes with --by, not with another form";
    if (!w->rate && !w->diff && r->range.has_high && r->range.high <= 0)
        return "--yrange: but for growth nothing lies below 0";
    if (r->log && w->rate)
        return "--log has no place for growth below 0: leave out --rate";
    if (r->log && w->form == ML_PLOT_STACKED)
        return "--log: layers upon one another have no logarithmic axis; --by rank or --by node do";
    if (r->log &&
        ((r->range.has_low && r->range.low <= 0) || (r->range.has_high && r->range.high <= 0)))
        return "--log: its --yrange lies above 0";
    if ((w->stacks || w->output) && w->form == ML_PLOT_HEATMAP)
        return "--heatmap has no lines for --pstack and --stdout to mark";
    if ((w->stacks || w->output) && w->form == ML_PLOT_MULTIPLES)
        return "--multiples are too small for --pstack and --stdout";
    if (w->by == ML_PLOT_BY_PROCESS && w->form == ML_PLOT_STACKED)
        return "--stacked goes by rank or by node";
    if (w->form == ML_PLOT_HEATMAP && r->outfile && strcmp(ml_plot_suffix(r->outfile), "tex") == 0)
        return "a map is too much for TeX: -o FILE.pdf, and \\includegraphics";
    if (!ml_plot_size_is_plain(&r->size) && r->outfile &&
        strcmp(ml_plot_suffix(r->outfile), "txt") == 0)
        return "a .txt file is as many characters wide and high: --size 100x30";
    return NULL;
}

static int check(const struct ml_command *command, const struct ml_plot_request *r)
{
    const char *conflict;
    struct ml_error err;
    int64_t ignored_ns;
    if (r->n == 0)
        ml_command_misuse(command, "no file is named");
    else if (r->n > ML_PLOT_MOST_FILES)
        ml_command_misuse(command, "%zu files are too many for a picture; %d go", r->n,
                          ML_PLOT_MOST_FILES);
    else if (r->outfile && !ml_plot_suffix(r->outfile))
        ml_command_misuse(
            command,
            "-o %.200s: name a .png, .svg, .pdf, .eps, .tex, .html, .txt or .gp file, or -",
            r->outfile);
    else if (r->n_labels > r->n)
        ml_command_misuse(command, "%zu times --label, and %zu file%s", r->n_labels, r->n,
                          r->n == 1 ? "" : "s");
    else if (ml_command_check_choice(&r->given, &err) ||
             ml_command_moment(r->at, 0, 0, &ignored_ns, &err))
        ml_command_misuse(command, "%s", err.text);
    else if ((conflict = find_conflict(r)))
        ml_command_misuse(command, "%s", conflict);
    else
        return ML_OPTION_END;
    return ML_OPTION_BAD;
}

int ml_plot_request_parse(const struct ml_command *command, int argc, char **argv,
                          struct ml_plot_request *out_request)
{
    static const char unasked[] = ML_MEMORY_COLUMN;
    struct ml_plot_request r = {
        .wish = {.trim = DEFAULT_TRIM}, .column = unasked, .rotate_deg = 38};
    const char *value;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0) {
        int taken = take(command, argc, argv, option, value, &r);
        if (taken != ML_OPTION_END)
            return taken;
    }
    if (option != ML_OPTION_END)
        return option;
    r.paths = argv + optind;
    r.n = (size_t)(argc - optind);
    r.wish.gpus = r.column == unasked;
    choose_heap(&r);
    *out_request = r;
    return check(command, &r);
}
