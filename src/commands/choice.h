/* Which stacks a subcommand is to show: --rank, --since, --until, --trigger. */
#ifndef ML_COMMANDS_CHOICE_H
#define ML_COMMANDS_CHOICE_H

#include "read/stacks.h"

/* What was given; NULL: nothing. */
struct ml_command_choice {
    const char *rank, *since, *until, *trigger;
};

/* OUT_CHOICE refers to OUT_RANKS, which is to be freed with ml_ranges_free. Dates are counted from
 * the run's start at ORIGIN_WALL_NS. Errors: a value makes no sense. */
enum ml_status ml_command_choose(const struct ml_command_choice *given, int64_t origin_wall_ns,
                                 struct ml_ranges *out_ranks, struct ml_stacks_choice *out_choice,
                                 struct ml_error *err);

/* The moment that --at TEXT (NULL: peak) means: that of the job's peak, at PEAK_NS; ML_HEAP_AT_END;
 * or a time as --since has it. Errors: none of these. */
enum ml_status ml_command_moment(const char *text, int64_t origin_wall_ns, int64_t peak_ns,
                                 int64_t *out_ns, struct ml_error *err);

/* Whether every value makes sense by itself, before there is a run. */
enum ml_status ml_command_check_choice(const struct ml_command_choice *given, struct ml_error *err);

#endif
