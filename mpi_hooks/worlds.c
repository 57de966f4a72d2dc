/* The wrappers that also tell of phases. */
#include "mpi_hooks/attach.h"
#include "mpi_hooks/calls.h"
#include "mpi_hooks/hooks.h"
#include "mpi_hooks/next.h"
#include "mpi_hooks/phases.h"

#include <dlfcn.h>
#include <mpi.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The page, if this call comes from the application, to the MPI that this library is for. */
static struct ml_page *outermost_page(void)
{
    return ml_self.depth == 0 && ml_next_fits() ? ml_attach() : NULL;
}

static void change(struct ml_page *page, enum ml_page_phase phase, enum ml_page_event_kind event,
                   int call)
{
    if (page)
        ml_phases_change(page, phase, event, ml_mpi_call_name(call));
}

#define PHASED(number, symbol, phase, begin, phase_after, end, parameters, arguments)              \
    ML_EXPORT int symbol parameters                                                                \
    {                                                                                              \
        static _Atomic(void *) cache;                                                              \
        __typeof__(&symbol) call_on = ML_NEXT(&cache, #symbol);                                    \
        struct ml_page *page = outermost_page();                                                   \
        change(page, phase, begin, number);                                                        \
        int result;                                                                                \
        {                                                                                          \
            struct ml_frame frame ML_LEAVES = ml_enter(number);                                    \
            result = call_on arguments;                                                            \
        }                                                                                          \
        change(page, phase_after, end, number);                                                    \
        return result;                                                                             \
    }
#define STARTS(number, symbol, parameters, arguments)                                              \
    PHASED(number, symbol, ML_PHASE_INIT, ML_MPI_EVENT_INIT_BEGIN, ML_PHASE_APPLICATION,           \
           ML_MPI_EVENT_INIT_END, parameters, arguments)
#define ENDS(number, symbol)                                                                       \
    PHASED(number, symbol, ML_PHASE_FINALIZE, ML_MPI_EVENT_FINALIZE_BEGIN, ML_PHASE_AFTER,         \
           ML_MPI_EVENT_FINALIZE_END, (void), ())
/* MPI_Abort of MPICH 4.2 only tells the process manager and returns; the application would go on
 * until it is killed. It waits for that here, and not for ever. */
static int ended_soon(int result)
{
    enum { PATIENCE_S = 5 };
    sleep(PATIENCE_S);
    return result;
}

#define ABORTS(symbol)                                                                             \
    ML_EXPORT int symbol(MPI_Comm comm, int code)                                                  \
    {                                                                                              \
        static _Atomic(void *) cache;                                                              \
        __typeof__(&symbol) call_on = ML_NEXT(&cache, #symbol);                                    \
        struct ml_page *page = outermost_page();                                                   \
        if (page)                                                                                  \
            ml_phases_mark(page, ML_MPI_EVENT_ABORT, "");                                          \
        struct ml_frame frame ML_LEAVES = ml_enter(ML_CALL_Abort);                                 \
        int result = call_on(comm, code);                                                          \
        return page ? ended_soon(result) : result;                                                 \
    }

STARTS(ML_CALL_Init, MPI_Init, (int *argc, char ***argv), (argc, argv))
STARTS(ML_CALL_Init, PMPI_Init, (int *argc, char ***argv), (argc, argv))
STARTS(ML_CALL_Init_thread, MPI_Init_thread, (int *argc, char ***argv, int required, int *provided),
       (argc, argv, required, provided))
STARTS(ML_CALL_Init_thread, PMPI_Init_thread,
       (int *argc, char ***argv, int required, int *provided), (argc, argv, required, provided))
ENDS(ML_CALL_Finalize, MPI_Finalize)
ENDS(ML_CALL_Finalize, PMPI_Finalize)
ABORTS(MPI_Abort)
ABORTS(PMPI_Abort)

/* Copies N bytes from what may be no address at all: process_vm_readv(2) then fails, where reading
 * would raise SIGSEGV. */
static bool read_safely(void *out, const void *from, size_t n)
{
    struct iovec to = {out, n}, source = {(void *)(uintptr_t)from, n};
    return process_vm_readv(getpid(), &to, 1, &source, 1, 0) == (ssize_t)n;
}

static bool read_text(char out[64], const char *from)
{
    for (size_t i = 0; i < 63; i++) {
        if ((i == 0 || (uintptr_t)(from + i) % 4096 == 0) && !read_safely(&out[i], from + i, 1))
            return false;
        out[i] = from[i];
        if (out[i] == '\0')
            return i > 0;
        if ((unsigned char)out[i] < ' ' || out[i] == '\x7f')
            return false;
    }
    out[63] = '\0';
    return true;
}

/* Whether CALLER is one of the Fortran bindings, which pass no name. */
static bool is_fortran(const void *caller)
{
    Dl_info object;
    return dladdr(caller, &object) && object.dli_fname &&
           (strstr(object.dli_fname, "mpifh") || strstr(object.dli_fname, "fort"));
}

/* MPI_Pcontrol(1, "name") begins a region, MPI_Pcontrol(-1, "name") ends it. Nothing says whether
 * there is a second argument: it counts if it points to a text. Any other use is a mark. */
static void note_control(struct ml_page *page, int level, const char *argument, const void *caller)
{
    char text[64];
    if ((level == 1 || level == -1) && !is_fortran(caller) && read_text(text, argument)) {
        if (level == 1)
            ml_phases_begin_region(page, text);
        else
            ml_phases_end_region(page, text);
        return;
    }
    ml_phases_mark(page, ML_MPI_EVENT_MARK, "MPI_Pcontrol");
}

#define CONTROLS(symbol)                                                                           \
    ML_EXPORT int symbol(const int level, ...)                                                     \
    {                                                                                              \
        static _Atomic(void *) cache;                                                              \
        __typeof__(&symbol) call_on = ML_NEXT(&cache, #symbol);                                    \
        va_list list;                                                                              \
        va_start(list, level);                                                                     \
        void *argument = va_arg(list, void *);                                                     \
        va_end(list);                                                                              \
        struct ml_page *page = outermost_page();                                                   \
        struct ml_frame frame ML_LEAVES = ml_enter(ML_CALL_Pcontrol);                              \
        if (page)                                                                                  \
            note_control(page, level, argument, __builtin_return_address(0));                      \
        return call_on(level, argument);                                                           \
    }

CONTROLS(MPI_Pcontrol)
CONTROLS(PMPI_Pcontrol)
