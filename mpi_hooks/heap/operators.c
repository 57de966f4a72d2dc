/* C++'s operators new and delete, for programs with an allocator that has its own: the second
 * library is for these alone. libstdc++'s call malloc, where we stand already; whoever exports
 * operators is bound to by all libraries of the program, even by those that would find theirs
 * nearer by. */
#include "mpi_hooks/heap/filter.h"
#include "mpi_hooks/heap/interpose.h"
#include "mpi_hooks/heap/lookup.h"
#include "mpi_hooks/heap/modules.h"
#include "mpi_hooks/heap/next.h"
#include "mpi_hooks/heap/sampler.h"
#include "mpi_hooks/heap/start.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/* libstdc++'s, where the program has loaded it for a part of itself only. */
#define STANDARD_LIBRARY "libstdc++.so.6"

struct operator
{
    const char *symbol;
    _Atomic(void *) next;
    bool is_allocators; /* and not one that calls malloc */
};

static void *look_up(const char *symbol)
{
    void *next = ml_lookup_next(symbol);
    void *handle = next ? NULL : dlopen(STANDARD_LIBRARY, RTLD_LAZY | RTLD_NOLOAD);
    if (handle)
        next = dlsym(handle, symbol);
    if (!next)
        abort(); /* a program that calls an operator which nobody has does not start without us */
    return next;
}

static ML_SLOW void *find(struct operator* operator)
{
    int saved_errno = errno;
    ml_start();
    void *next = look_up(operator->symbol);
    operator->is_allocators = ml_modules_is_allocator((uintptr_t)next);
    if (operator->is_allocators)
        ml_modules_count_new();
    atomic_store_explicit(&operator->next, next, memory_order_release);
    errno = saved_errno;
    return next;
}

static inline void *next_of(struct operator* operator)
{
    void *next = atomic_load_explicit(&operator->next, memory_order_acquire);
    return next ? next : find(operator);
}

static inline void *made(void *p, size_t size, float probability)
{
    if (p && probability > 0)
        ml_sampler_made(p, size, probability);
    return p;
}

#define NEW(name, mangled, parameters, arguments)                                                  \
    void *name parameters __asm__(mangled);                                                        \
    static struct operator name##_operator = {.symbol = (mangled)};                                \
    ML_INTERPOSED void *name parameters                                                            \
    {                                                                                              \
        void *(*next)parameters = (void *(*)parameters)next_of(&name##_operator);                  \
        if (!name##_operator.is_allocators || ml_sampler_passes(size))                             \
            return next arguments;                                                                 \
        float probability = ml_sampler_choose(size);                                               \
        return made(next arguments, size, probability);                                            \
    }

/* What was not newed by the allocator's operator is found by free, or not at all. */
#define DELETE(name, mangled, parameters, arguments)                                               \
    void name parameters __asm__(mangled);                                                         \
    static struct operator name##_operator = {.symbol = (mangled)};                                \
    ML_INTERPOSED void name parameters                                                             \
    {                                                                                              \
        void(*next) parameters = (void(*) parameters)next_of(&name##_operator);                    \
        if (name##_operator.is_allocators && ml_filter_may_be(p))                                  \
            ml_sampler_freed(p);                                                                   \
        next arguments;                                                                            \
    }

NEW(new_one, "_Znwm", (size_t size), (size))
NEW(new_array, "_Znam", (size_t size), (size))
NEW(new_one_nothrow, "_ZnwmRKSt9nothrow_t", (size_t size, const void *t), (size, t))
NEW(new_array_nothrow, "_ZnamRKSt9nothrow_t", (size_t size, const void *t), (size, t))
NEW(new_one_aligned, "_ZnwmSt11align_val_t", (size_t size, size_t a), (size, a))
NEW(new_array_aligned, "_ZnamSt11align_val_t", (size_t size, size_t a), (size, a))
NEW(new_one_aligned_nothrow, "_ZnwmSt11align_val_tRKSt9nothrow_t",
    (size_t size, size_t a, const void *t), (size, a, t))
NEW(new_array_aligned_nothrow, "_ZnamSt11align_val_tRKSt9nothrow_t",
    (size_t size, size_t a, const void *t), (size, a, t))

DELETE(delete_one, "_ZdlPv", (void *p), (p))
DELETE(delete_array, "_ZdaPv", (void *p), (p))
DELETE(delete_one_nothrow, "_ZdlPvRKSt9nothrow_t", (void *p, const void *t), (p, t))
DELETE(delete_array_nothrow, "_ZdaPvRKSt9nothrow_t", (void *p, const void *t), (p, t))
DELETE(delete_one_sized, "_ZdlPvm", (void *p, size_t size), (p, size))
DELETE(delete_array_sized, "_ZdaPvm", (void *p, size_t size), (p, size))
DELETE(delete_one_aligned, "_ZdlPvSt11align_val_t", (void *p, size_t a), (p, a))
DELETE(delete_array_aligned, "_ZdaPvSt11align_val_t", (void *p, size_t a), (p, a))
DELETE(delete_one_aligned_nothrow, "_ZdlPvSt11align_val_tRKSt9nothrow_t",
       (void *p, size_t a, const void *t), (p, a, t))
DELETE(delete_array_aligned_nothrow, "_ZdaPvSt11align_val_tRKSt9nothrow_t",
       (void *p, size_t a, const void *t), (p, a, t))
DELETE(delete_one_sized_aligned, "_ZdlPvmSt11align_val_t", (void *p, size_t size, size_t a),
       (p, size, a))
DELETE(delete_array_sized_aligned, "_ZdaPvmSt11align_val_t", (void *p, size_t size, size_t a),
       (p, size, a))
