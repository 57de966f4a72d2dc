/* "Did you mean". */
#ifndef ML_BASE_SIMILAR_H
#define ML_BASE_SIMILAR_H

#include <stddef.h>

/* The one of N KNOWN words that WORD is most like; NULL: it is like none. A letter more, less or
 * another, or two exchanged, are a step (Damerau and Levenshtein); a third of its letters may
 * differ. */
const char *ml_similar(const char *word, const char *const *known, size_t n);

#endif
