/* A wrapper for each row of table.def whose function this mpi.h declares, under both of its names.
 * Wrapping PMPI_X too is what makes Fortran count: Open MPI's mpif.h and mpi_f08 call PMPI_X,
 * MPICH's call MPI_X or, without a choice buffer, PMPI_X. A call that comes by both names is
 * nested, and counts once. The wrapper of MPI_X calls on the next MPI_X, which is another tool's
 * where there is one, and that of PMPI_X the next PMPI_X. */
#include "mpi_hooks/account.h"
#include "mpi_hooks/calls.h"
#include "mpi_hooks/hooks.h"
#include "mpi_hooks/next.h"

#include "mpi_hooks_have.h" /* ML_HAVE_name: 1 where mpi.h declares MPI_name, else 0 */

#include <mpi.h>

#define WRAP_0(...)
#define WRAP_1(number, symbol, account, parameters, arguments)                                     \
    WRAP(number, MPI_##symbol, account, parameters, arguments)                                     \
    WRAP(number, PMPI_##symbol, account, parameters, arguments)
#define WRAP(number, symbol, account, parameters, arguments)                                       \
    ML_EXPORT int symbol parameters                                                                \
    {                                                                                              \
        static _Atomic(void *) cache;                                                              \
        __typeof__(&symbol) call_on = ML_NEXT(&cache, #symbol);                                    \
        struct ml_frame frame ML_LEAVES = ml_enter(ML_CALL_##number);                              \
        int result = call_on arguments;                                                            \
        if (frame.tally && result == MPI_SUCCESS)                                                  \
            account;                                                                               \
        return result;                                                                             \
    }

#define WRAP_IF(have, ...) WRAP_IF_(have, __VA_ARGS__)
#define WRAP_IF_(have, ...) WRAP_##have(__VA_ARGS__)

/* MPI 4.1 made it const, and so did MPICH before. */
#define IS_CONST                                                                                   \
    __builtin_types_compatible_p(__typeof__(PMPI_Pready_list), int(int, const int *, MPI_Request))
#define PARTITION __typeof__(*__builtin_choose_expr(IS_CONST, (const int *)0, (int *)0))

#define OWN(name, kind)
#define CALL(name, kind, account, parameters, arguments)                                           \
    WRAP_IF(ML_HAVE_##name, name, name, account, parameters, arguments)
#define BIG CALL
#define COUNT int
#define DISPL int
#include "mpi_hooks/table.def"
#undef COUNT
#undef DISPL

#define OWN(name, kind)
#define CALL(name, kind, account, parameters, arguments)
#define BIG(name, kind, account, parameters, arguments)                                            \
    WRAP_IF(ML_HAVE_##name##_c, name, name##_c, account, parameters, arguments)
#define COUNT MPI_Count
#define DISPL MPI_Aint
#include "mpi_hooks/table.def"
