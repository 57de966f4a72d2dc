/* Which part of a heap profile a subcommand is to show: --at, --phase, --churn, --leaks. */
#ifndef ML_COMMANDS_HEAP_CHOICE_H
#define ML_COMMANDS_HEAP_CHOICE_H

#include "read/leaks.h"
#include "report/facts.h"

/* What was given; NULL, false: nothing. */
struct ml_heap_wish {
    const char *at, *phase;
    bool churn, leaks;
};

/* What WISH means for RUN, which FACTS are of; OUT_CHOICE refers to OUT_PARTS and to WISH. Of a
 * phase: the moment in it at which the job had most memory, or leaks from one to the next. Errors:
 * those of reading; --at is no moment; there is no such phase. */
enum ml_status ml_command_heap_choice(struct ml_run *run, const struct ml_facts *facts,
                                      const struct ml_heap_wish *wish,
                                      struct ml_leak_parts *out_parts,
                                      struct ml_heap_choice *out_choice, struct ml_error *err);

/* What does not go together in WISH; NULL: all is well. */
const char *ml_command_heap_conflict(const struct ml_heap_wish *wish);

#endif
