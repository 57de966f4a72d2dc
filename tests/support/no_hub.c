/* LD_PRELOAD=no_hub.so: rank process 1 connects to no abstract Unix socket, such as the sampling
 * rank's. */
#include "rank.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#pragma GCC visibility push(default)

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    const struct sockaddr_un *un = (const struct sockaddr_un *)addr;
    if (addr->sa_family == AF_UNIX && !un->sun_path[0] && is_rank_1()) {
        errno = EACCES;
        return -1;
    }
    return next(fd, addr, len);
}
