/* Options of MOOSE's memory_logger.py, as its users type them: understood where that is safe, else
 * answered by the line to type now. */
#ifndef ML_LAUNCH_HABITS_H
#define ML_LAUNCH_HABITS_H

#include "base/error.h"

#include <stdbool.h>

struct ml_habit {
    const char *name; /* without the two dashes */
    bool takes_value;
    const char *answer; /* what to type in its place, %s being the value; NULL: it is understood */
};

enum { ML_HABITS = 5 };
extern const struct ml_habit ml_habits[ML_HABITS];

/* The words of --run "mpiexec -n 4 app", NULL-terminated, as a shell would split them; of what only
 * a shell can do (a pipe, a redirection) those of `sh -c`, and OUT_SHELL is true. Live as long as
 * the process. Error: open quotes. */
enum ml_status ml_habit_run(const char *text, char ***out_words, bool *out_shell,
                            struct ml_error *err);

#endif
