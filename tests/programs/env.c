/* env [PREFIX...]: no MPI program: its environment, sorted, of the variables that begin with a
 * PREFIX (all of them without one). Line ends in values are shown as a blank. */
#include "say.h"
#include <string.h>

extern char **environ;

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int wanted(const char *variable, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strncmp(variable, argv[i], strlen(argv[i])))
            return 1;
    return argc < 2;
}

int main(int argc, char **argv)
{
    int count = 0;
    while (environ[count])
        count++;
    qsort(environ, count, sizeof *environ, compare);
    for (int i = 0; i < count; i++) {
        for (char *end; (end = strchr(environ[i], '\n'));)
            *end = ' ';
        if (wanted(environ[i], argc, argv))
            say(rank_from_environment(), "%s", environ[i]);
    }
    return 0;
}
