/* No MPI program: the surroundings that a process is born with: descriptors, terminal, directory,
 * umask, processors, limits, signals, priority and its arguments, verbatim. */
#include "say.h"
#include <dirent.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int rank;

static const char *kind_of(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return "closed";
    return S_ISSOCK(st.st_mode)   ? "socket"
           : S_ISFIFO(st.st_mode) ? "pipe"
           : S_ISCHR(st.st_mode)  ? "device"
           : S_ISREG(st.st_mode)  ? "file"
                                  : "other";
}

static void note_descriptors(void)
{
    struct dirent *entry;
    DIR *all = opendir("/proc/self/fd");
    for (int fd = 0; fd < 3; fd++)
        say(rank, "fd %d %s", fd, isatty(fd) ? "terminal" : kind_of(fd));
    while ((entry = readdir(all))) {
        int fd = atoi(entry->d_name);
        if (fd > 2 && fd != dirfd(all))
            say(rank, "more fd %d %s", fd, kind_of(fd));
    }
    closedir(all);
}

static void note_limits(void)
{
    static const struct {
        const char *name;
        int key;
    } list[] = {{"as", RLIMIT_AS},       {"core", RLIMIT_CORE},       {"data", RLIMIT_DATA},
                {"fsize", RLIMIT_FSIZE}, {"memlock", RLIMIT_MEMLOCK}, {"nofile", RLIMIT_NOFILE},
                {"nproc", RLIMIT_NPROC}, {"stack", RLIMIT_STACK}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct rlimit limit;
        getrlimit(list[i].key, &limit);
        say(rank, "limit %s %lld/%lld", list[i].name, (long long)limit.rlim_cur,
            (long long)limit.rlim_max);
    }
}

static void note_signals(void)
{
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status))
        if (!strncmp(line, "SigBlk", 6) || !strncmp(line, "SigIgn", 6))
            say(rank, "%.6s %.16s", line, line + 8);
    fclose(status);
}

static void note_processors(void)
{
    cpu_set_t cpus;
    char list[2048] = "";
    sched_getaffinity(0, sizeof cpus, &cpus);
    for (int cpu = 0; cpu < CPU_SETSIZE && strlen(list) < sizeof list - 8; cpu++)
        if (CPU_ISSET(cpu, &cpus))
            sprintf(list + strlen(list), " %d", cpu);
    say(rank, "%d processors:%s", CPU_COUNT(&cpus), list);
}

int main(int argc, char **argv)
{
    char directory[1024];
    mode_t mask = umask(0);
    umask(mask);
    rank = rank_from_environment();
    note_descriptors();
    note_limits();
    note_signals();
    note_processors();
    say(rank, "directory %s", getcwd(directory, sizeof directory));
    say(rank, "umask %04o", mask);
    say(rank, "nice %d", getpriority(PRIO_PROCESS, 0));
    say(rank, "group %s", getpgrp() == getpid() ? "leader" : "member");
    for (int i = 1; i < argc; i++)
        say(rank, "argument %d of %d <%s>", i, argc - 1, argv[i]);
    return 0;
}
