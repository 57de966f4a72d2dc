#include "plot/size.h"

#include <stdlib.h>
#include <string.h>

#define PX_PER_IN 96.0
#define CM_PX (PX_PER_IN / 2.54)
#define LEAST_WIDTH_PX 20
#define LEAST_HEIGHT_PX 8 /* lines of text too */
#define MOST_PX 20000

/* A column of a paper, in which letters are of 7 pt, and 600 dots an inch. */
const struct ml_plot_size ml_plot_paper = {8.6 * CM_PX, 5.8 * CM_PX, 0.64, 600 / PX_PER_IN, true};

/* As many dots as a projector has. */
const struct ml_plot_size ml_plot_slide = {1920, 1080, 1.9, 1, false};

static const struct unit {
    const char *name;
    double px;
} units[] = {
    {"px", 1}, {"cm", CM_PX}, {"mm", CM_PX / 10}, {"in", PX_PER_IN}, {"pt", PX_PER_IN / 72}};

bool ml_plot_size_is_plain(const struct ml_plot_size *size)
{
    return !size->measured && size->zoom <= 0;
}

/* A positive number at *TEXT and the unit behind it, NULL if there is none; moves *TEXT on. */
static bool take_length(const char **text, double *out_number, const struct unit **out_unit)
{
    char *end;
    *out_unit = NULL;
    char number[32];
    size_t n = strspn(*text, "0123456789.");
    if (n == 0 || n >= sizeof number) /* hexadecimal is none */
        return false;
    memcpy(number, *text, n);
    number[n] = 0;
    *out_number = strtod(number, &end);
    if (*end || !(*out_number > 0))
        return false;
    *text += n;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strncmp(*text, units[i].name, 2) == 0) {
            *out_unit = &units[i];
            *text += 2;
            break;
        }
    }
    return true;
}

enum ml_status ml_plot_size_parse(const char *text, struct ml_plot_size *size, struct ml_error *err)
{
    const struct unit *of_width, *of_height;
    const char *p = text;
    double width, height;
    if (!take_length(&p, &width, &of_width) || *p++ != 'x' ||
        !take_length(&p, &height, &of_height) || *p)
        return ml_fail(err, ML_RUN_LOST,
                       "--size %.60s: width x height in px, cm, mm, in or pt, as in 1200x680 or "
                       "8.5x6cm",
                       text);
    of_height = of_height ? of_height : of_width ? of_width : units;
    of_width = of_width ? of_width : of_height;
    width *= of_width->px;
    height *= of_height->px;
    if (width < LEAST_WIDTH_PX || height < LEAST_HEIGHT_PX || width > MOST_PX || height > MOST_PX)
        return ml_fail(err, ML_RUN_LOST, "--size %.60s: from %dx%d to %dx%d px go", text,
                       LEAST_WIDTH_PX, LEAST_HEIGHT_PX, MOST_PX, MOST_PX);
    size->width = width;
    size->height = height;
    size->measured = of_width != units || of_height != units;
    return ML_OK;
}
