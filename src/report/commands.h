/* Which ranks ran which command. */
#ifndef ML_REPORT_COMMANDS_H
#define ML_REPORT_COMMANDS_H

#include "report/facts.h"

struct ml_command_group {
    const char *command; /* the run's */
    int32_t *ranks;      /* [n] ascending */
    size_t n;
};

struct ml_command_groups {
    struct ml_command_group *list; /* by their first rank */
    size_t n;
    int32_t *ranks; /* of all */
};

/* Of the ranks whose command is known. Free with ml_command_groups_free. */
void ml_command_groups_find(const struct ml_facts *facts, struct ml_command_groups *out_groups);
void ml_command_groups_free(struct ml_command_groups *groups);

#endif
