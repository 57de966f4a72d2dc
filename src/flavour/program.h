/* The file of a command. */
#ifndef ML_FLAVOUR_PROGRAM_H
#define ML_FLAVOUR_PROGRAM_H

#include <stdbool.h>

/* Finds COMMAND, a name or a path, as execvp(3) would do in FOLDER (NULL: ours). Returns 0 and
 * OUT_PATH, as seen from ours and to be freed, or ENOENT or EACCES. */
int ml_program_find(const char *command, const char *folder, char **out_path);

/* What execvp(3) is to be given for COMMAND in FOLDER; to be freed. HERE_TOO: a name that PATH does
 * not have is that of a program in FOLDER, as for Open MPI (opal/util/path.c, opal_path_findv). */
char *ml_program_name(const char *command, const char *folder, bool here_too);

#endif
