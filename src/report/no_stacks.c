/* Why a run has no stacks. */
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "report/stack_text.h"
#include "report/stacks.h"

#include <string.h>

static bool is_set(const struct ml_facts *facts, const char *option, const char *unset)
{
    const char *value = ml_facts_attribute(facts, option);
    return value && strcmp(value, unset) != 0;
}

static const char *option(const struct ml_facts *facts, const char *name)
{
    const char *value = ml_facts_attribute(facts, name);
    return value ? value : "?";
}

/* What the recorder told about stacks while it ran. */
static const struct ml_note *hindrance(const struct ml_facts *facts, size_t *from)
{
    while (*from < facts->notes.n) {
        const struct ml_note *n = &facts->notes.list[(*from)++];
        if (n->kind == ML_EVENT_DEBUGGER || strstr(n->text, "stack"))
            return n;
    }
    return NULL;
}

/* Nothing went wrong: they were not due. */
static char *not_due(const struct ml_facts *facts)
{
    char length[24];
    ml_elapsed_format(length, sizeof length, facts->length_ns);
    if (!is_set(facts, "option_pstack", "no") && !is_set(facts, "option_debugger", "auto"))
        return ml_format("signal %s, which asks for them, did not come",
                         option(facts, "option_stack_signal"));
    return ml_format("none was due: the run took %s, --stack-rate was %s, --stack-growth %s",
                     length, option(facts, "option_stack_rate"),
                     option(facts, "option_stack_growth"));
}

static char *reasons(const struct ml_facts *facts)
{
    char *all = NULL;
    size_t at = 0;
    for (const struct ml_note *n; (n = hindrance(facts, &at));) {
        ML_AUTO_FREE char *before = all;
        all = ml_format("%s%s%s", before ? before : "", before ? "; " : "", n->text);
    }
    return all ? all : not_due(facts);
}

static bool asked_for(const struct ml_facts *facts)
{
    return is_set(facts, "option_pstack", "no") || is_set(facts, "option_debugger", "auto") ||
           is_set(facts, "option_stack_signal", "none");
}

char *ml_report_why_no_stacks(const struct ml_facts *facts)
{
    if (!asked_for(facts))
        return ml_strdup("none were recorded; memlog-mpi --pstack takes them");
    ML_AUTO_FREE char *why = reasons(facts);
    return ml_format("they were asked for, but %s", why);
}

bool ml_report_no_stacks(const struct ml_stacks *stacks, const struct ml_facts *facts,
                         const struct ml_style *style, struct ml_buffer *out)
{
    if (stacks->n_samples)
        return false;
    ML_AUTO_FREE char *why =
        stacks->recorded && stacks->n_recorded > 0
            ? ml_strdup("none of those that were recorded is of these ranks and this time")
            : ml_report_why_no_stacks(facts);
    ML_AUTO_FREE char *text = ml_format("no stacks: %s", why);
    ml_stack_text_note(text, style, out);
    return true;
}
