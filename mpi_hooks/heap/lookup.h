/* Symbols of the program. Safe inside of any allocation: of what is not there, dlerror(3) would
 * speak, in the user's language, for which it takes locks. */
#ifndef ML_HOOKS_HEAP_LOOKUP_H
#define ML_HOOKS_HEAP_LOOKUP_H

/* The one that stands behind ours; NULL if there is none. */
void *ml_lookup_next(const char *name);

/* The first of all. */
void *ml_lookup_first(const char *name);

#endif
