/* What the kernel lets us see, and stop. */
#include "base/own.h"
#include "base/scratch.h"
#include "base/units.h"
#include "doctor/doctor.h"
#include "probe/cgroup.h"
#include "probe/proc_parse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define YAMA "/proc/sys/kernel/yama/ptrace_scope"

/* The number in the file PATH; -1: there is none. */
static int number_in(const char *path)
{
    char text[32];
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    return n > 0 ? atoi(text) : -1;
}

/* The errno with which a child of ours cannot be traced; 0: it can. */
static int try_tracing(void)
{
    pid_t pid = fork();
    if (pid < 0)
        return errno;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    int error = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 ? 0 : errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR) {
    }
    return error;
}

/* Documentation/admin-guide/LSM/Yama.rst: 0 all, 1 descendants and who permits it, 2 with
 * CAP_SYS_PTRACE, 3 nobody. */
static void look_tracing(struct ml_findings *f)
{
    int scope = number_in(YAMA), error = try_tracing();
    if (error && scope >= 2)
        ml_finding_add(f, ML_FINDING_NOTE, "tracing",
                       "for --pstack: sysctl kernel.yama.ptrace_scope=1, as root",
                       "ptrace_scope is %d: no stacks can be taken", scope);
    else if (error)
        ml_finding_add(f, ML_FINDING_NOTE, "tracing",
                       "in a container: start it with --cap-add SYS_PTRACE, or with a seccomp "
                       "profile that permits ptrace",
                       "refused (%s): no stacks can be taken", strerror(error));
    else if (scope >= 1)
        ml_finding_add(
            f, ML_FINDING_OK, "tracing", "",
            "permitted; ptrace_scope is %d, so around a launcher (memlog-mpi -- mpiexec) "
            "not for ranks on other nodes",
            scope);
    else
        ml_finding_add(f, ML_FINDING_OK, "tracing", "", "permitted");
}

static void look_proc(struct ml_findings *f)
{
    static const char remedy[] = "mount it: mount -t proc proc /proc";
    if (access("/proc/self/statm", R_OK) || access("/proc/self/smaps", R_OK))
        ml_finding_add(f, ML_FINDING_MISSING, "/proc", remedy, "cannot be read");
    else if (access("/proc/self/smaps_rollup", R_OK))
        ml_finding_add(f, ML_FINDING_NOTE, "/proc", "Linux 4.14 or later has it",
                       "has no smaps_rollup: what is shared is read from smaps, seldom");
    else
        ml_finding_add(f, ML_FINDING_OK, "/proc", "", "memory of all kinds can be read");
}

static void say_cgroup(struct ml_findings *f, const struct ml_cgroup *c, struct ml_procfs *fs)
{
    char limit[16], used[16];
    ssize_t n = ml_procfs_reread(fs, c->levels[c->charged].usage);
    ml_size_format(used, sizeof used,
                   n > 0 ? ml_proc_parse_limit(fs->text, (size_t)n) : ML_NOT_MEASURED);
    ml_size_format(limit, sizeof limit, ml_cgroup_limit_B(c));
    if (ml_cgroup_limit_B(c) >= 0)
        ml_finding_add(f, ML_FINDING_OK, "cgroup", "", "version %d, %s of %s used",
                       c->version_1 ? 1 : 2, used, limit);
    else
        ml_finding_add(f, ML_FINDING_OK, "cgroup", "", "version %d, %s used, no limit",
                       c->version_1 ? 1 : 2, used);
}

static void look_cgroup(struct ml_findings *f)
{
    struct ml_procfs fs;
    struct ml_cgroup cgroup;
    if (ml_procfs_open("/proc", &fs, NULL) != ML_OK)
        return;
    ml_cgroup_open("/sys/fs/cgroup", &fs, &cgroup);
    if (cgroup.n_levels)
        say_cgroup(f, &cgroup, &fs);
    else
        ml_finding_add(f, ML_FINDING_NOTE, "cgroup",
                       "the batch system makes one where it limits memory by cgroups",
                       "no memory cgroup here: what is left is of the node");
    ml_cgroup_close(&cgroup);
    ml_procfs_close(&fs);
}

static void look_scratch(struct ml_findings *f)
{
    struct ml_scratch s;
    struct ml_error err;
    const char *wanted = getenv("TMPDIR");
    if (ml_scratch_make(&s, &err) != ML_OK) {
        ml_finding_add(f, ML_FINDING_MISSING, "scratch folder",
                       "set TMPDIR to a folder that you may write on each node", "%s", err.text);
        return;
    }
    int n = (int)(strrchr(s.path, '/') - s.path);
    bool elsewhere = wanted && *wanted && !(strncmp(s.path, wanted, (size_t)n) == 0 && !wanted[n]);
    if (elsewhere)
        ml_finding_add(f, ML_FINDING_NOTE, "scratch folder",
                       "set TMPDIR to a folder of this node, if other programs need it",
                       "TMPDIR, %.150s, cannot be written; %.*s is used", wanted, n, s.path);
    else
        ml_finding_add(f, ML_FINDING_OK, "scratch folder", "", "%.*s", n, s.path);
    ml_scratch_remove(&s);
}

void ml_doctor_look_kernel(struct ml_findings *findings)
{
    look_proc(findings);
    look_tracing(findings);
    look_cgroup(findings);
    look_scratch(findings);
}
