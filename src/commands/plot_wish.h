/* What memlog plot was asked for. */
#ifndef ML_COMMANDS_PLOT_WISH_H
#define ML_COMMANDS_PLOT_WISH_H

#include "commands/choice.h"
#include "commands/command.h"
#include "plot/align.h"
#include "plot/compose.h"
#include "plot/size.h"

#define ML_PLOT_MOST_FILES 64

struct ml_plot_request {
    struct ml_plot_wish wish;
    struct ml_command_choice given; /* ranks and time */
    const char *nodes;              /* NULL: all */
    struct ml_plot_alignment align; /* of several files */
    bool heap, icicle, churn;
    const char *owner, *at; /* NULL: the one that has most; the job's peak */
    const char *outfile, *column, *font;
    struct ml_plot_range range;
    enum ml_plot_time time;
    enum ml_palette palette;
    bool dark, log;
    struct ml_legend legend;
    struct ml_plot_size size;
    double rotate_deg, move_x, move_y;
    char **paths;
    size_t n;
    const char *labels[ML_PLOT_MOST_FILES]; /* of the first files */
    size_t n_labels;
};

extern const struct ml_command_option ml_plot_options[];

/* ML_OPTION_END, or what the command is to end with: see ml_command_next. */
int ml_plot_request_parse(const struct ml_command *command, int argc, char **argv,
                          struct ml_plot_request *out_request);

/* The form of picture that PATH's suffix names: "png", "gp", ...; NULL: none that is known. */
const char *ml_plot_suffix(const char *path);

#endif
