/* Texts of outside origin, made fit for files of other programs. Pure. */
#ifndef ML_EXPORT_CLEAN_H
#define ML_EXPORT_CLEAN_H

#include "base/buffer.h"

/* Replaces OUT by TEXT and a NUL as valid UTF-8: bytes that are none, controls and what hides or
 * reorders text become U+FFFD. */
void ml_export_clean(const char *text, struct ml_buffer *out);

#endif
