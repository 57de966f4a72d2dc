/* The pieces of a gnuplot script; for src/draw alone. */
#ifndef ML_DRAW_SCRIPT_H
#define ML_DRAW_SCRIPT_H

#include "base/buffer.h"
#include "draw/scale.h"
#include "draw/space.h"

#define ML_SCRIPT_LABEL_COLUMNS 28 /* at the end of a line */
#define ML_SCRIPT_MARGIN_PX 182    /* above and below the graph */
#define ML_SCRIPT_LEFT_PX 79

struct ml_script {
    const struct ml_plot_page *page;
    struct ml_plot_extent extent;
    struct ml_plot_scale scale;
    double begin_s, end_s; /* of the time axis */
    int digits;            /* of times: in a part that begins late more differ */
    double right_px;       /* the right margin */
    size_t *shown;         /* [n_shown] numbers of the curves that are told apart */
    size_t n_shown;
    struct ml_space space; /* set when the frame is written */
    struct ml_buffer *out;
};

/* Values in units of the axis, times in s: "TIME VALUE" a line. */
void ml_script_datablock(struct ml_script *s, const char *name, const struct ml_plot_curve *c);

/* The colour of curve I, from 1; 0: it is one of many. */
int ml_script_colour(const struct ml_script *s, size_t curve);

/* Title, subtitle, units, ranges and tics, in a graph whose right margin is RIGHT_PX. */
void ml_script_texts(struct ml_script *s);
void ml_script_frame(struct ml_script *s, double right_px);
void ml_script_time_axis(struct ml_script *s, double wide_px);

/* Those of one of several graphs, without an end of line. */
void ml_script_time_tics(struct ml_script *s, double wide_px, bool labelled);

/* The tics of AXIS, "y" or "cb", without an end of line. */
void ml_script_value_tics(struct ml_script *s, const char *axis, bool labelled);

/* The word at the right end of the time axis, which is WIDE_PX long. */
void ml_script_elapsed(struct ml_script *s, double wide_px);

/* How many characters, CHARACTER_PX wide, a line of text as wide as the picture has. */
int ml_script_columns(const struct ml_script *s, double character_px);
void ml_script_limit(struct ml_script *s);
void ml_script_events(struct ml_script *s);
void ml_script_phases(struct ml_script *s);

/* Coordinates of a place in the graph, in px from its lower left corner. */
void ml_script_point(struct ml_script *s, double x_px, double y_px);

/* Labels at the ends of curves and at their peaks; the px that they need on the right. */
double ml_script_label_px(const struct ml_script *s);
void ml_script_labels(struct ml_script *s);
void ml_script_peaks(struct ml_script *s);

/* Arrays and data of marks; the parts of a plot command that draw them; what a click does. */
void ml_script_marks(struct ml_script *s);
void ml_script_plot_marks(struct ml_script *s);

/* How many different groups the curves of PAGE have. */
size_t ml_script_count_nodes(const struct ml_plot_page *page);

/* The forms: data, settings and plot command. */
void ml_script_lines(struct ml_script *s);
void ml_script_band(struct ml_script *s);
void ml_script_stacked(struct ml_script *s);
void ml_script_heatmap(struct ml_script *s);
void ml_script_multiples(struct ml_script *s);

#endif
