/* Where title, graph and texts stand in a picture of a given size. Lengths in px at which texts
 * have the size that they have in one of 1200 x 680. Pure. */
#ifndef ML_DRAW_SHEET_H
#define ML_DRAW_SHEET_H

#include "plot/legend.h"

#include <stdbool.h>
#include <stddef.h>

#define ML_SHEET_CHARACTER_PX 8.8 /* of a text of ordinary size */

struct ml_sheet {
    double wide, high;
    bool small;                 /* there is no room for what can be left out */
    double edge;                /* between the picture's edge and its title */
    double title_y, subtitle_y; /* from the top; 0: left out */
    double title_size;          /* share of an ordinary text's */
    double subtitle_size;
    double left, right, top, bottom; /* margins of the graph */
    int event_rows;                  /* of texts above the graph */
};

/* The key of a picture, or names at the ends of lines. */
struct ml_key {
    enum ml_legend_place place;
    size_t columns; /* characters of a name that fit */
    size_t per_row; /* names beside one another, above and below the graph */
    size_t rows;
    double row_px;
};

/* How much smaller texts and lines are in a picture of that size. */
double ml_sheet_zoom(double wide_px, double high_px);

struct ml_sheet ml_sheet_make(double wide, double high);

/* Title and subtitle of so many characters: made smaller where they else were cut. */
void ml_sheet_fit_title(struct ml_sheet *sheet, size_t columns, size_t subtitle_columns);

/* How many characters of such a size, a share of an ordinary text's, a line of text has. */
int ml_sheet_columns(const struct ml_sheet *sheet, double size);

double ml_sheet_graph_wide(const struct ml_sheet *sheet);
double ml_sheet_graph_high(const struct ml_sheet *sheet);

/* Gives N names of up to LONGEST characters their room, which the graph loses. Where names at the
 * ends of lines would take too much of it there is a key below; none where that would too. */
struct ml_key ml_sheet_fit_key(struct ml_sheet *sheet, const struct ml_legend *legend, size_t n,
                               size_t longest);

#endif
