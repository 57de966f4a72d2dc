/* From main to MPI: what can be wrong before, and how our own MPI is to be. */
#ifndef ML_LAUNCH_STARTUP_H
#define ML_LAUNCH_STARTUP_H

#include "base/error.h"
#include "flavour/launchers.h"

/* Puts a placeholder on each of descriptors 0 to 2 that is closed, so that nothing of ours gets its
 * number; the application finds it closed. To be called first of all. */
void ml_startup_hold_closed(void);

/* Whether such a placeholder is on FD. */
bool ml_startup_is_closed(int fd);

/* Finds COMMAND as execvp(3) would, HERE_TOO as ml_program_name. Returns 0, or 127 (not found) or
 * 126 (not executable). */
int ml_startup_check_command(const char *command, bool here_too, struct ml_error *err);

/* Errors: LAUNCHER cannot start what our MPI was built for. */
enum ml_status ml_startup_check_launcher(enum ml_launcher launcher, struct ml_error *err);

/* Whether so few files may be open that MPI would end in a crash. The error says so. */
enum ml_status ml_startup_check_limits(struct ml_error *err);

/* Settings of our own MPI: TCP and shared memory only, never spinning; before MPI_Init, after the
 * starter was forked. What the user or the site has set for our MPI stays. SCRATCH: the folder for
 * its files where there is no launcher; "": its own choice. */
void ml_startup_lighten_mpi(enum ml_launcher launcher, const char *scratch);

#endif
