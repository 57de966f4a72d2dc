/* The process that launch/starter.h forks. */
#ifndef ML_LAUNCH_STARTER_SERVE_H
#define ML_LAUNCH_STARTER_SERVE_H

#include "launch/starter.h"

#include <signal.h>

/* Its life: answers over FD until the rank process hangs up. COMMAND and HELPERS are those of
 * ml_starter_fork; MASK are the signals that were blocked before it. */
_Noreturn void ml_starter_serve(int fd, char **command, const struct ml_starter_helper *helpers,
                                const sigset_t *mask);

#endif
