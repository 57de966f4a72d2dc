/* Which CPUs each rank gets where one of our processes starts several: its share of the CPUs that
 * the job may use on the node, as mpiexec would have given it. */
#ifndef ML_LAUNCH_BINDING_H
#define ML_LAUNCH_BINDING_H

#include "base/error.h"

enum ml_bind_to { ML_BIND_AUTO, ML_BIND_CORE, ML_BIND_SOCKET, ML_BIND_NONE };

/* The sets of CPUs ("0-3,8") for N_RANKS ranks of this node, in their order, into OUT_CPUS
 * [n_ranks], each the caller's to free. AUTO: cores where every rank gets one of its own, else
 * unbound. NONE, and CORE where there are too few, give all allowed CPUs to each (that is, our own
 * binding is taken off). Errors: the topology cannot be read. */
enum ml_status ml_binding_plan(enum ml_bind_to bind_to, int n_ranks, char **out_cpus,
                               struct ml_error *err);

/* CPUs that the job may use here (its cpuset), whatever this process is bound to. */
int ml_binding_allowed_cpus(void);

/* Binds the calling process. What cannot be parsed or is refused changes nothing. */
void ml_binding_apply(const char *cpus);

#endif
