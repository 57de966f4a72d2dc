/* A damaged file that HDF5 does not survive ends in a line that says so, not in a bare signal. */
#ifndef ML_COMMANDS_GUARD_H
#define ML_COMMANDS_GUARD_H

/* Installs that for the rest of the process. What crashes outside of HDF5 crashes as without it. */
void ml_command_guard(void);

#endif
