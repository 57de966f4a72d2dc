#include "doctor/doctor.h"
#include "version.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* What programs say of themselves need not be UTF-8. */
static json_t *text_of(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    char *plain = strdup(text);
    for (char *p = plain; p && *p; p++)
        *p = *p & 0x80 ? '?' : *p;
    value = json_string(plain ? plain : "");
    free(plain);
    return value;
}

void ml_doctor_json(const struct ml_findings *findings, const char *system, struct ml_buffer *out)
{
    json_t *list = json_array();
    for (size_t i = 0; i < findings->n; i++) {
        const struct ml_finding *f = &findings->list[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o, s:o}", "name", f->name, "state",
                                        ml_finding_word(f->state), "found", text_of(f->found),
                                        "remedy", *f->remedy ? text_of(f->remedy) : json_null()));
    }
    json_t *all = json_pack("{s:i, s:s, s:o, s:b, s:o}", "version", 1, "memlog", MEMLOG_VERSION,
                            "system", text_of(system), "can_record",
                            ml_findings_can_record(findings), "findings", list);
    char *text = json_dumps(all, JSON_INDENT(2));
    ml_buffer_printf(out, "%s\n", text ? text : "{}");
    free(text);
    json_decref(all);
}
