/* The pieces of a gnuplot script; for src/draw alone. */
#ifndef ML_DRAW_SCRIPT_H
#define ML_DRAW_SCRIPT_H

#include "base/buffer.h"
#include "draw/scale.h"
#include "draw/sheet.h"
#include "draw/space.h"

#include <stdbool.h>

#define ML_SCRIPT_MOST_RUNS 64
#define ML_SCRIPT_RUN_KEY 920  /* the first of gnuplot's labels and arrows of a key of runs */
#define ML_SCRIPT_SIGN_PX 15.0 /* before the name of a curve that has one */

/* In the graph: the name of a curve, what a peak is, a phase's name, the sign at a peak. */
enum ml_text_kind { ML_TEXT_NAME, ML_TEXT_PEAK, ML_TEXT_PHASE, ML_TEXT_TOP, ML_TEXT_KINDS };

struct ml_script {
    const struct ml_plot_page *page;
    struct ml_plot_extent extent;
    struct ml_plot_scale scale;
    struct ml_sheet sheet;
    struct ml_key key;
    double begin_s, end_s; /* of the time axis */
    int digits;            /* of times: in a part that begins late more differ */
    size_t *shown;         /* [n_shown] numbers of the curves that are told apart */
    size_t n_shown;
    struct ml_space space;          /* set when the frame is written */
    struct ml_buffer texts, places; /* texts in the graph, as yet unwritten */
    size_t n_texts;
    uint64_t told[ML_TEXT_KINDS]; /* a bit for each colour in which there are some */
    struct ml_buffer *out;
};

/* TEXT, which may come from anywhere, as a literal of at most WIDTH columns. */
void ml_script_quote(struct ml_script *s, const char *text, int width);

/* The points of C, values in units of the axis, times in s: "TIME VALUE" a line. */
void ml_script_points(struct ml_script *s, const struct ml_plot_curve *c);

/* These as a datablock of that name. */
void ml_script_datablock(struct ml_script *s, const char *name, const struct ml_plot_curve *c);

/* The colour of curve I, from 1; 0: it is one of many. */
int ml_script_colour(const struct ml_script *s, size_t curve);

/* Title, subtitle, units, ranges and tics; the name of the time axis, where there is room. */
void ml_script_texts(struct ml_script *s);
void ml_script_frame(struct ml_script *s);
void ml_script_margins(struct ml_script *s);
void ml_script_time_axis(struct ml_script *s, double wide_px);
void ml_script_elapsed(struct ml_script *s);

/* Seconds between the tics of a time axis that is WIDE_PX long; times in texts are as fine. */
double ml_script_time_step(const struct ml_script *s, double wide_px);

/* The tics of one of several graphs, without an end of line. */
void ml_script_time_tics(struct ml_script *s, double wide_px, bool labelled);

/* Those of a window, of both axes, where somebody zooms; after the plot command. */
void ml_script_zoomed_tics(struct ml_script *s);

/* The tics of AXIS, "y" or "cb", without an end of line. */
void ml_script_value_tics(struct ml_script *s, const char *axis, bool labelled);

/* Px of the last label of a time axis, and from its middle to the axis' end. */
double ml_script_last_tic(const struct ml_script *s, double wide_px, double *out_before_px);

void ml_script_limit(struct ml_script *s);
void ml_script_events(struct ml_script *s);
void ml_script_phases(struct ml_script *s);

/* Coordinates of a place in the graph, in px from its lower left corner. */
void ml_script_point(struct ml_script *s, double x_px, double y_px);

/* TEXT in the middle of BOX, in the colour of a curve or 0; all of them, and their part of a plot
 * command. */
void ml_script_text(struct ml_script *s, enum ml_text_kind kind, int colour, const char *text,
                    int width, const struct ml_box *box);
void ml_script_texts_data(struct ml_script *s);
void ml_script_plot_texts(struct ml_script *s);

/* Room for the names of curves, in a key or at their ends; the key; these names, and peaks. */
void ml_script_fit_names(struct ml_script *s);
void ml_script_key(struct ml_script *s);
void ml_script_labels(struct ml_script *s);
void ml_script_peaks(struct ml_script *s);

/* Arrays and data of marks; the parts of a plot command that draw them; what a click does. */
void ml_script_marks(struct ml_script *s);
void ml_script_plot_marks(struct ml_script *s);

/* The names of N curves, as an array of the script. */
void ml_script_names(struct ml_script *s, const size_t *curves, size_t n);

/* What a script draws in a terminal: the curves $run1 and so on, which have names. */
void ml_script_terminal(struct ml_script *s);

/* Layers: the sums from below; their part of a plot command, with the limit. KEY: what the key has
 * of each. */
void ml_script_layers_data(struct ml_script *s);
void ml_script_plot_layers(struct ml_script *s, const char *key);

/* Whether curve NUMBER, from 1, of those that are told apart, has signs upon it. */
bool ml_script_has_sign(const struct ml_script *s, size_t number);

/* Of several runs: their colours, and the shades of their curves, in place of those of single
 * curves; bands over one another; the curves of a panel. */
void ml_script_run_colours(struct ml_script *s);
void ml_script_bands(struct ml_script *s);
void ml_script_fill_difference(struct ml_script *s, const char *name);
void ml_script_panel_runs(struct ml_script *s, size_t first, size_t end, size_t panel);
void ml_script_run_key(struct ml_script *s, double y_px);

/* How many different groups the curves of PAGE have. */
size_t ml_script_count_nodes(const struct ml_plot_page *page);

/* The forms: data, settings and plot command. */
void ml_script_lines(struct ml_script *s);
void ml_script_band(struct ml_script *s);
void ml_script_stacked(struct ml_script *s);
void ml_script_heap(struct ml_script *s);
void ml_script_heatmap(struct ml_script *s);
void ml_script_multiples(struct ml_script *s);
void ml_script_flame(struct ml_script *s);

#endif
