/* The numbers of memlog diff as texts. Pure. */
#ifndef ML_REPORT_DIFF_WORDS_H
#define ML_REPORT_DIFF_WORDS_H

#include "report/diff.h"

#define ML_DIFF_TEXT 40 /* enough for each of the texts */

enum ml_diff_unit { ML_DIFF_B, ML_DIFF_B_PER_S, ML_DIFF_S, ML_DIFF_TIMES };

enum ml_diff_unit ml_diff_unit_of(enum ml_diff_quantity quantity);

/* "1.23 GiB", "-3.00 MiB/s", "12.50 s", "42"; "-": not known. */
char *ml_diff_value_format(char *out, enum ml_diff_unit unit, double value);

/* Likewise, with a sign; "0" where there is no change. */
char *ml_diff_change_format(char *out, enum ml_diff_unit unit, double change);

/* "+12.3%"; "" where it is not known, infinite or nothing. */
char *ml_diff_share_format(char *out, double share);

#endif
