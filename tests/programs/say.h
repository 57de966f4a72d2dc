/* What the test programs share: a line on stdout that names its rank and leaves in one write,
 * so that lines of different ranks never mix, and a check that ends the program with 1. */
#ifndef SAY_H
#define SAY_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static inline void say(int rank, const char *format, ...)
{
    char line[4096];
    int used = snprintf(line, sizeof line, "rank %d: ", rank);
    va_list args;
    va_start(args, format);
    used += vsnprintf(line + used, sizeof line - used - 1, format, args);
    va_end(args);
    if (used > (int)sizeof line - 2)
        used = sizeof line - 2;
    line[used++] = '\n';
    if (write(STDOUT_FILENO, line, used) != used)
        _exit(74);
}

/* The rank that a launcher put into the environment, 0 without one: for programs without MPI. */
__attribute__((unused)) static int rank_from_environment(void)
{
    const char *text = getenv("OMPI_COMM_WORLD_RANK");
    if (!text)
        text = getenv("PMI_RANK");
    return text ? atoi(text) : 0;
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#endif
