/* Programs whose allocations are known: each function own_NAME owns some, and told() prints them as
 * a line of JSON for the test. They are linked at fixed addresses, so that a program counter of
 * theirs has a name without their maps. */
#ifndef KNOWN_H
#define KNOWN_H

#include <stdio.h>

#ifdef __clang__
#define OWNER __attribute__((noinline))
#else
#define OWNER __attribute__((noinline, noclone))
#endif

/* KEEP(p): P escapes, and the call before it is no tail call. */
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")

/* ALLOCATED blocks of SIZE bytes were allocated by own_NAME, LIVE of them are there at the end. */
static inline void told(const char *name, double size, double allocated, double live)
{
    printf("{\"owner\": \"own_%s\", \"size\": %.0f, \"allocated\": %.0f, \"live\": %.0f}\n", name,
           size, allocated, live);
}

#endif
