/* What our wrappers call on: the next definition of the same name behind us. */
#ifndef ML_HOOKS_NEXT_H
#define ML_HOOKS_NEXT_H

#include "mpi_hooks/page.h"

#include <stdbool.h>

/* The address that *CACHE holds; looked up at the first call. Never NULL: where no MPI is to be
 * found, a function that answers with an error. */
#define ML_NEXT(cache, symbol)                                                                     \
    ({                                                                                             \
        void *next_ = atomic_load_explicit((cache), memory_order_relaxed);                         \
        next_ ? next_ : ml_next_find((cache), (symbol), __builtin_return_address(0));              \
    })

/* CALLER is an address in what calls the symbol: where libmpi was loaded with RTLD_LOCAL, it is
 * reached through the object that CALLER lies in. */
void *ml_next_find(_Atomic(void *) *cache, const char *symbol, const void *caller);

/* Whether the MPI that was found is the one that this library was compiled for. */
bool ml_next_fits(void);

/* Whether the application's calls come to us first, not to another tool that wraps MPI. */
bool ml_next_is_first(void);

#endif
