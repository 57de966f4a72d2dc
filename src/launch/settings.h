/* What an application rank finds in its environment beside what the world host says. */
#ifndef ML_LAUNCH_SETTINGS_H
#define ML_LAUNCH_SETTINGS_H

#include "launch/plan.h"

/* Who a rank is in its world. */
struct ml_settings_rank {
    int rank, size, local_rank, local_size;
};

/* What RANK gets in its environment beside what the world host says (RANK is NULL for a command
 * that is a launcher): texts packed to OUT. COMMAND is what it runs. ALLOWED_CPUS and RUNNING: of
 * this node, the ranks that run there with this one. Returns their number. */
int ml_settings_pack(const struct ml_plan *plan, enum ml_launcher launcher,
                     const struct ml_settings_rank *rank, char *const *command, int allowed_cpus,
                     int running, struct ml_buffer *out);

#endif
