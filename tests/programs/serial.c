/* serial [MIB [HOLD_S [CODE]]]: no MPI program: touches MIB, holds it, exits with CODE. */
#include "say.h"
#include <string.h>

int main(int argc, char **argv)
{
    size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    char *memory = malloc((mib << 20) + 1);
    CHECK(memory);
    memset(memory, 1, (mib << 20) + 1);
    usleep((argc > 2 ? atof(argv[2]) : 0) * 1e6);
    printf("serial: touched %zu MiB, last byte %d\n", mib, memory[mib << 20]);
    return argc > 3 ? atoi(argv[3]) : 0;
}
