#include "plot/legend.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { KEEP = -9 }; /* the word says nothing about it */

/* "upper left" is two words, each of which says something. */
static const struct word {
    const char *name;
    int place, across, up;
} words[] = {
    {"direct", ML_LEGEND_DIRECT, KEEP, KEEP},
    {"none", ML_LEGEND_NONE, KEEP, KEEP},
    {"off", ML_LEGEND_NONE, KEEP, KEEP},
    {"inside", ML_LEGEND_INSIDE, KEEP, KEEP},
    {"outside", ML_LEGEND_RIGHT, KEEP, KEEP},
    {"above", ML_LEGEND_ABOVE, KEEP, KEEP},
    {"below", ML_LEGEND_BELOW, KEEP, KEEP},
    {"under", ML_LEGEND_BELOW, KEEP, KEEP},
    {"over", ML_LEGEND_ABOVE, KEEP, KEEP},
    {"best", ML_LEGEND_INSIDE, -1, 1},
    {"left", KEEP, -1, KEEP},
    {"right", KEEP, 1, KEEP},
    {"top", KEEP, KEEP, 1},
    {"upper", KEEP, KEEP, 1},
    {"bottom", KEEP, KEEP, -1},
    {"lower", KEEP, KEEP, -1},
    {"center", KEEP, KEEP, KEEP},
    {"centre", KEEP, KEEP, KEEP},
};

static const struct word *find(const char *text, size_t n)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].name) == n && strncasecmp(words[i].name, text, n) == 0)
            return &words[i];
    }
    return NULL;
}

enum ml_status ml_legend_parse(const char *text, struct ml_legend *out_legend, struct ml_error *err)
{
    struct ml_legend legend = {ML_LEGEND_INSIDE, 0, 0};
    size_t n_words = 0;
    for (const char *p = text; *p;) {
        size_t gap = strspn(p, " \t-_,"), n = strcspn(p + gap, " \t-_,");
        const struct word *word = n ? find(p + gap, n) : NULL;
        if (n && !word)
            return ml_fail(err, ML_RUN_LOST,
                           "--legend %.80s: '%.*s' is no position; 'upper left', 'bottom right', "
                           "'outside', 'below', 'best' and 'none' are",
                           text, (int)(n < 40 ? n : 40), p + gap);
        p += gap + n;
        if (!word)
            continue;
        n_words++;
        if (word->place != KEEP)
            legend.place = (enum ml_legend_place)word->place;
        if (word->across != KEEP)
            legend.across = word->across;
        if (word->up != KEEP)
            legend.up = word->up;
    }
    if (n_words == 0)
        return ml_fail(err, ML_RUN_LOST, "--legend: no position is named");
    *out_legend = legend;
    return ML_OK;
}
