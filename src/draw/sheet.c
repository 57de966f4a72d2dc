#include "draw/sheet.h"

#include <math.h>

#define SMALL_WIDE 640
#define SMALL_HIGH 400
#define LEAST_ZOOM 0.62  /* texts of 9 px */
#define LEAST_TITLE 1.05 /* smaller it is none */
#define LEAST_SUBTITLE 0.85
#define NAME_PX 9.4 /* a bold character at the end of a line */
#define NAME_ROW_PX 25
#define NAME_GAP_PX 26
#define KEY_PX 8.4      /* a character of a key */
#define ROW_KEY_PX 9.5  /* as gnuplot counts it, whose rows are as wide as the graph */
#define KEY_ROW_PX 19.0 /* its lines stand less apart than names */
#define SAMPLE_PX 46    /* the piece of line before a name, and gaps */
#define MOST_COLUMNS 28
#define LEAST_COLUMNS 4
#define NAMES_SHARE 0.28 /* of a small picture's width */
#define KEY_SHARE 0.3    /* of the height; outside: half as much again of the width */
#define ELAPSED_COLUMNS 7

double ml_sheet_zoom(double wide_px, double high_px)
{
    double zoom = fmin(wide_px / SMALL_WIDE, high_px / SMALL_HIGH);
    return fmin(fmax(zoom, LEAST_ZOOM), 1);
}

struct ml_sheet ml_sheet_make(double wide, double high)
{
    if (wide >= SMALL_WIDE && high >= SMALL_HIGH)
        return (struct ml_sheet){.wide = wide,
                                 .high = high,
                                 .edge = 24,
                                 .title_y = 36,
                                 .subtitle_y = 71,
                                 .title_size = 1.5,
                                 .subtitle_size = 1,
                                 .left = 79,
                                 .right = NAME_GAP_PX + NAME_PX * ELAPSED_COLUMNS,
                                 .top = 122,
                                 .bottom = 60,
                                 .event_rows = 2};
    bool roomy = high >= 0.75 * SMALL_HIGH;
    return (struct ml_sheet){.wide = wide,
                             .high = high,
                             .small = true,
                             .edge = 14,
                             .title_y = roomy ? 22 : 16,
                             .title_size = 1.2,
                             .left = 64,
                             .right = 34,
                             .top = roomy ? 66 : 54,
                             .bottom = 40,
                             .event_rows = 1};
}

int ml_sheet_columns(const struct ml_sheet *sheet, double size)
{
    double columns = (sheet->wide - 2 * sheet->edge) / (ML_SHEET_CHARACTER_PX * size);
    return columns > LEAST_COLUMNS ? (int)columns : LEAST_COLUMNS;
}

static void fit(const struct ml_sheet *sheet, size_t columns, double least, double *in_out_size)
{
    while (*in_out_size > least && (size_t)ml_sheet_columns(sheet, *in_out_size) < columns)
        *in_out_size -= 0.05;
}

void ml_sheet_fit_title(struct ml_sheet *sheet, size_t columns, size_t subtitle_columns)
{
    fit(sheet, columns, LEAST_TITLE, &sheet->title_size);
    fit(sheet, subtitle_columns, LEAST_SUBTITLE, &sheet->subtitle_size);
}

double ml_sheet_graph_wide(const struct ml_sheet *sheet)
{
    return fmax(sheet->wide - sheet->left - sheet->right, 20);
}

double ml_sheet_graph_high(const struct ml_sheet *sheet)
{
    return fmax(sheet->high - sheet->top - sheet->bottom, 20);
}

static size_t between(double low, double value, double high)
{
    return (size_t)fmax(fmin(value, high), low);
}

static bool fit_names(struct ml_sheet *sheet, struct ml_key *key, size_t n, size_t longest)
{
    key->columns = between(LEAST_COLUMNS, longest, MOST_COLUMNS);
    double right = NAME_GAP_PX + NAME_PX * (double)key->columns;
    if (sheet->small && n == 1) /* of which the title speaks */
        return true;
    if (sheet->small &&
        (right > NAMES_SHARE * sheet->wide || NAME_ROW_PX * (double)n > ml_sheet_graph_high(sheet)))
        return false;
    sheet->right = fmax(sheet->right, right);
    return true;
}

static void fit_rows(struct ml_sheet *sheet, struct ml_key *key, size_t n, size_t longest)
{
    double wide = sheet->wide - 2 * sheet->edge, graph = ml_sheet_graph_wide(sheet);
    key->columns = between(LEAST_COLUMNS, longest, (wide - SAMPLE_PX) / KEY_PX);
    key->per_row = between(1, graph / (SAMPLE_PX + ROW_KEY_PX * (double)key->columns), (double)n);
    key->rows = (n + key->per_row - 1) / key->per_row;
    if ((double)key->rows * KEY_ROW_PX > KEY_SHARE * sheet->high)
        *key = (struct ml_key){.place = ML_LEGEND_NONE, .columns = MOST_COLUMNS};
}

struct ml_key ml_sheet_fit_key(struct ml_sheet *sheet, const struct ml_legend *legend, size_t n,
                               size_t longest)
{
    struct ml_key key = {.place = legend->place, .columns = MOST_COLUMNS, .row_px = KEY_ROW_PX};
    if (key.place == ML_LEGEND_DIRECT && !fit_names(sheet, &key, n, longest))
        key.place = ML_LEGEND_BELOW;
    else if (key.place == ML_LEGEND_DIRECT && sheet->small && n == 1)
        key.place = ML_LEGEND_NONE;
    if (key.place == ML_LEGEND_ABOVE || key.place == ML_LEGEND_BELOW)
        fit_rows(sheet, &key, n, longest);
    if (key.place == ML_LEGEND_ABOVE)
        sheet->top += (double)key.rows * KEY_ROW_PX;
    if (key.place == ML_LEGEND_BELOW)
        sheet->bottom += (double)key.rows * KEY_ROW_PX;
    if (key.place == ML_LEGEND_RIGHT) {
        key.columns =
            between(LEAST_COLUMNS, longest, (1.5 * KEY_SHARE * sheet->wide - SAMPLE_PX) / KEY_PX);
        sheet->right = fmax(sheet->right, SAMPLE_PX + KEY_PX * (double)key.columns);
    }
    if (key.place == ML_LEGEND_INSIDE)
        key.columns =
            between(LEAST_COLUMNS, longest, (ml_sheet_graph_wide(sheet) - SAMPLE_PX) / KEY_PX);
    return key;
}
