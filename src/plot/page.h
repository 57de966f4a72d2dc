/* What a picture shows, whoever draws it: gnuplot, the terminal or a browser. Values are in bytes,
 * seconds or counts; texts may come from anywhere. */
#ifndef ML_PLOT_PAGE_H
#define ML_PLOT_PAGE_H

#include "plot/decimate.h"
#include "plot/flame.h"
#include "plot/legend.h"

#include <stdbool.h>

enum ml_plot_form {
    ML_PLOT_LINES,
    ML_PLOT_BAND,      /* curves: least, largest, mean; all at the same times */
    ML_PLOT_STACKED,   /* curves at the same times, to be drawn one upon the other */
    ML_PLOT_HEATMAP,   /* no curves, but the map */
    ML_PLOT_HEAP,      /* layers as of STACKED, of functions; the last may be all others */
    ML_PLOT_MULTIPLES, /* curves by panel, the node's own before those of its ranks */
    ML_PLOT_FLAME,     /* no curves, nor a time axis, but the flame graph */
};

enum ml_plot_measure { ML_PLOT_BYTES, ML_PLOT_SECONDS, ML_PLOT_COUNT };

/* How times are told: as a clock shows them, or in one unit. */
enum ml_plot_time { ML_PLOT_CLOCK, ML_PLOT_IN_S, ML_PLOT_IN_MIN, ML_PLOT_IN_H };

/* What was asked for; a side that was not is where the values need it. */
struct ml_plot_range {
    bool has_low, has_high;
    double low, high;
};

enum ml_palette { ML_PALETTE_DEFAULT, ML_PALETTE_COLOUR_BLIND, ML_PALETTE_GREY };

struct ml_plot_curve {
    char *label;
    struct ml_plot_point *points; /* a step function, in order of time */
    size_t n_points;
    int64_t end_ns; /* the last value holds until then */
    int group;      /* of a stack: the node; of small graphs: which */
    bool quiet;     /* one of many: drawn thin, without a label */
    int run;        /* of n_runs */
    double shade;   /* of the colour of its run, from 0, full, to 1, pale */
};

/* A place where something can be looked up: a stack was taken, or the application spoke. */
enum ml_plot_mark_kind { ML_PLOT_STACK, ML_PLOT_SAID };

struct ml_plot_mark {
    enum ml_plot_mark_kind kind;
    size_t curve;
    int64_t time_ns;
    double value;
    char *text;  /* all of it, lines end with \n */
    char *brief; /* beside the mark; NULL: none */
};

struct ml_plot_event {
    int64_t time_ns;
    size_t curve; /* of the run that it belongs to */
    char *text;
    int run; /* of n_runs */
};

/* What the program did meanwhile: MPI_Init, a region that it names. */
struct ml_plot_phase {
    int64_t begin_ns, end_ns;
    char *name;
};

struct ml_plot_map {
    size_t n_rows, n_columns;
    double *cells; /* by row; NaN: nothing is known */
    int64_t begin_ns, end_ns;
    char **labels; /* a row each */
    int *nodes;    /* a row each, ascending; of several nodes the first */
    int *runs;     /* a row each, ascending */
    char *largest; /* who has the largest value, of all that share its row */
};

struct ml_plot_page {
    enum ml_plot_form form;
    enum ml_plot_measure measure;
    bool rate;                /* per second */
    bool diff;                /* values are differences of two runs, above and below 0 */
    int64_t begin_ns, end_ns; /* of the time axis; END_NS 0: where the last curve ends */
    enum ml_plot_time time;
    struct ml_plot_range range; /* of the values' axis, or of the map's colours */
    bool log;
    char *title, *subtitle;
    char *axis;       /* what the times are of; NULL: elapsed since the start */
    char **run_names; /* [n_runs] of several runs with more than a curve each, else 0 */
    size_t n_runs;
    struct ml_plot_curve *curves;
    size_t n_curves;
    struct ml_plot_mark *marks;
    size_t n_marks;
    struct ml_plot_event *events;
    size_t n_events;
    struct ml_plot_phase *phases; /* of a single run, in order of their begin */
    size_t n_phases;
    double uncertain; /* of the largest sum of layers: so great a share it may be off; 0: exact */
    double limit;     /* 0: none is drawn */
    double known_limit;
    char *limit_text; /* whose limit; NULL: none is known */
    struct ml_plot_map map;
    struct ml_flame *flame; /* NULL: of another form */
    char **node_names;      /* of groups of layers, and of rows of the map */
    size_t n_nodes;
    bool dark;
    enum ml_palette palette;
    bool tex; /* drawn for TeX, through which the texts pass */
    struct ml_legend legend;
    double width, height;  /* px */
    double zoom;           /* of texts and lines; 0: as the size wants it */
    double dots;           /* of a png, a px; 0: two */
    char *font;            /* NULL: gnuplot's sans */
    double rotate_deg;     /* of the texts beside marks */
    double move_x, move_y; /* of these, in characters */
};

/* The span of time and the largest and least value that are drawn. */
struct ml_plot_extent {
    int64_t begin_ns, end_ns;
    double least, largest;
    double smallest; /* above 0; 0: none is */
};
struct ml_plot_extent ml_plot_extent_of(const struct ml_plot_page *page);

/* The point of C that holds at TIME_NS; NULL before the first. */
const struct ml_plot_point *ml_plot_at(const struct ml_plot_curve *c, int64_t time_ns);

/* The largest point of C; NULL: it has none. */
const struct ml_plot_point *ml_plot_peak(const struct ml_plot_curve *c);

/* That which is named: of differences the farthest from 0, else the largest. */
const struct ml_plot_point *ml_plot_top(const struct ml_plot_page *page,
                                        const struct ml_plot_curve *c);

/* Whether the curves are drawn one upon the other. */
bool ml_plot_has_layers(const struct ml_plot_page *page);

/* Whether texts stand beside marks. */
bool ml_plot_has_texts(const struct ml_plot_page *page);

void ml_plot_page_free(struct ml_plot_page *page);

#endif
