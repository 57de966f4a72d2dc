#include "base/load.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

bool ml_load_is_full(int n_cpus)
{
    char text[16] = "";
    int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    bool known = fd >= 0 && read(fd, text, sizeof text - 1) > 0;
    if (fd >= 0)
        close(fd);
    return known && atoi(text) >= n_cpus;
}
