/* The application's environment: what it would have been without us, less the connection to
 * mpiexec, which is ours, plus the hosted world's. Pure. */
#ifndef ML_LAUNCH_ENVIRONMENT_H
#define ML_LAUNCH_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

enum ml_strip {
    ML_STRIP_CONNECTION, /* what leads to mpiexec; for a rank of the hosted world */
    ML_STRIP_JOB,        /* also every word of being a rank; for a command that is a launcher */
};

/* A new environment of OUTER's entries that STRIP leaves, in order, with the N_SETTINGS entries
 * "NAME=value" of SETTINGS put in: in place of an entry of the same name, or, written
 * "?NAME=value", only where there is none, or, written "!NAME=value", only where OUTER has one.
 * NULL-terminated; to be freed with ml_environment_free. */
char **ml_environment_make(char *const *outer, enum ml_strip strip, char *const *settings,
                           size_t n_settings);

void ml_environment_free(char **environment);

/* Whether ENTRY ("NAME=value") is taken out under STRIP. */
bool ml_environment_strips(const char *entry, enum ml_strip strip);

/* The value of NAME in ENVIRONMENT, or NULL. */
const char *ml_environment_get(char *const *environment, const char *name);

#endif
