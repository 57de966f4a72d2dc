/* Axes that people can read: the unit that fits the values, and steps that they count in. Pure. */
#ifndef ML_DRAW_SCALE_H
#define ML_DRAW_SCALE_H

#include "plot/page.h"

struct ml_plot_scale {
    char unit[16];
    double one;             /* a unit, in what values are measured in */
    double step, low, high; /* of the axis, in units; no step where it is logarithmic */
    bool log;
};

/* For an axis that shows LEAST to LARGEST with at most TICS steps and some room above. */
struct ml_plot_scale ml_plot_scale_find(const struct ml_plot_page *page, double least,
                                        double largest, int tics);

/* The axis that PAGE asks for, for values of EXTENT and AT_LEAST. ROOM: of the height that the
 * values have so much more is wanted, 1: none. */
struct ml_plot_scale ml_plot_scale_of(const struct ml_plot_page *page,
                                      const struct ml_plot_extent *extent, double at_least,
                                      double room, int tics);

/* Where VALUE stands on the axis, from 0 to 1, or beyond; and what stands there, in units. */
double ml_plot_scale_share(const struct ml_plot_scale *s, double value);
double ml_plot_scale_at(const struct ml_plot_scale *s, double share);

/* Whether VALUE is inside the axis. */
bool ml_plot_scale_shows(const struct ml_plot_scale *s, double value);

/* VALUE in units; on a logarithmic axis 0 is its low end. */
double ml_plot_scale_units(const struct ml_plot_scale *s, double value);

#define ML_PLOT_DAY_S 86400 /* tics that are as far apart tell days */

/* Seconds in what times are told in; 0: as a clock does. */
double ml_plot_time_unit(enum ml_plot_time told, const char **out_name);

/* Seconds between the tics of a time axis of SPAN_S with at most TICS of them. */
double ml_plot_time_step(enum ml_plot_time told, double span_s, int tics);

/* "12 d", "12 d 6:30", "1:02:03", "2:03" or "3.5 s" for a tic of an axis whose steps are STEP_S, or
 * for any instant. */
char *ml_plot_time_format(char *out, size_t size, enum ml_plot_time told, double time_s,
                          double step_s);

/* "26.0 GiB", "3.2 MiB/s", "12 s" or "8", in the unit of the axis, as all values of a picture;
 * of a logarithmic axis, whose tics have a unit each, in its own. */
char *ml_plot_value_format(char *out, size_t size, const struct ml_plot_page *page,
                           const struct ml_plot_scale *s, double value);

/* "limit of 8 nodes 183 GiB", in the unit of the axis unless that is far off; the subtitle, which
 * has the limit too where it is not written at its line, and what --yrange cuts off. Free them. */
char *ml_plot_limit_words(const struct ml_plot_page *page, const struct ml_plot_scale *s);
char *ml_plot_subtitle(const struct ml_plot_page *page, const struct ml_plot_scale *s);

#endif
