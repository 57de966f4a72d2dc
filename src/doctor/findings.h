/* What was looked at on this machine: what is here, and what to do where it is not as it should be.
 */
#ifndef ML_DOCTOR_FINDINGS_H
#define ML_DOCTOR_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

enum ml_finding_state {
    ML_FINDING_OK,
    ML_FINDING_NOTE,    /* memlog records, and something cannot be had */
    ML_FINDING_MISSING, /* memlog cannot record without it */
};

struct ml_finding {
    enum ml_finding_state state;
    char name[24];
    char found[400];
    char remedy[300]; /* "": nothing is to be done */
};

struct ml_findings {
    struct ml_finding *list;
    size_t n, capacity;
};

/* Adds one, FORMAT being what was found. */
void ml_finding_add(struct ml_findings *findings, enum ml_finding_state state, const char *name,
                    const char *remedy, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* "ok", "note" or "missing". */
const char *ml_finding_word(enum ml_finding_state state);

bool ml_findings_can_record(const struct ml_findings *findings);

void ml_findings_free(struct ml_findings *findings);

#endif
