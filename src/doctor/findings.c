#include "doctor/findings.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ml_finding_add(struct ml_findings *findings, enum ml_finding_state state, const char *name,
                    const char *remedy, const char *format, ...)
{
    va_list arguments;
    ML_GROW(findings->list, findings->n, findings->capacity);
    struct ml_finding *f = &findings->list[findings->n++];
    *f = (struct ml_finding){.state = state};
    snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(f->remedy, sizeof f->remedy, "%s", remedy);
    va_start(arguments, format);
    vsnprintf(f->found, sizeof f->found, format, arguments);
    va_end(arguments);
}

const char *ml_finding_word(enum ml_finding_state state)
{
    static const char *const words[] = {
        [ML_FINDING_OK] = "ok", [ML_FINDING_NOTE] = "note", [ML_FINDING_MISSING] = "missing"};
    return words[state];
}

bool ml_findings_can_record(const struct ml_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        if (findings->list[i].state == ML_FINDING_MISSING)
            return false;
    }
    return true;
}

void ml_findings_free(struct ml_findings *findings)
{
    free(findings->list);
    *findings = (struct ml_findings){0};
}
