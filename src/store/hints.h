/* Hints of MPI-IO that somebody has set outside of this program. In ROMIO what a program asks for
 * wins over its file of hints (ADIOI_incorporate_system_hints); here the user's word is to win. */
#ifndef ML_STORE_HINTS_H
#define ML_STORE_HINTS_H

#include <stdbool.h>

/* The text of the file that ROMIO_HINTS names, else of /etc/romio-hints, as far as ROMIO reads it;
 * the caller frees it. "": there is none. */
char *ml_hints_read(void);

/* Whether TEXT has a value for the hint NAME: a line of the two words, none that begins with #
 * (ROMIO Users Guide, "Systemwide Hints"). */
bool ml_hints_have(const char *text, const char *name);

#endif
