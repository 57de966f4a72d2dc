/* Programs that count their own MPI calls, to be held against what the hooks counted: each call
 * goes through COUNTED, and tell_counts says the sums as a line of JSON. */
#ifndef HOOKS_H
#define HOOKS_H

#include "say.h"

#include <mpi.h>
#include <string.h>

#define MAX_COUNTED 64

static struct {
    const char *name;
    long calls, messages, bytes;
} counted[MAX_COUNTED];

static inline void count(const char *name, long calls, long messages, long bytes)
{
    int i = 0;
    while (i < MAX_COUNTED - 1 && counted[i].name && strcmp(counted[i].name, name) != 0)
        i++;
    counted[i].name = name;
    counted[i].calls += calls;
    counted[i].messages += messages;
    counted[i].bytes += bytes;
}

#define COUNTED_SENT(name, messages, bytes, arguments)                                             \
    do {                                                                                           \
        count("MPI_" #name, 1, messages, bytes);                                                   \
        CHECK(MPI_##name arguments == MPI_SUCCESS);                                                \
    } while (0)
#define COUNTED(name, arguments) COUNTED_SENT(name, 0, 0, arguments)

static inline void tell_counts(int rank)
{
    char text[4000];
    int n = 0;
    for (int i = 0; i < MAX_COUNTED && counted[i].name; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s\"%s\": [%ld, %ld, %ld]", i ? ", " : "",
                      counted[i].name, counted[i].calls, counted[i].messages, counted[i].bytes);
    say(rank, "{%s}", text);
}

#endif
