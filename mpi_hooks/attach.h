/* Finds the page that the environment names, claims and maps it. */
#ifndef ML_HOOKS_ATTACH_H
#define ML_HOOKS_ATTACH_H

#include "mpi_hooks/page.h"

/* The page, for phases and events; NULL where there is none, or another live process has claimed
 * it. Looks once in the life of a process. */
struct ml_page *ml_attach(void);

/* The page to count calls in. NULL also while another thread is attaching, where the MPI that is
 * called is not the one that this library was compiled for, and where another tool wraps MPI before
 * us. */
struct ml_page *ml_attach_for_calls(void);

/* The last that ml_attach_for_calls returned; NULL before. */
extern _Atomic(struct ml_page *) ml_counted;

#endif
