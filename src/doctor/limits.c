/* What ulimit says of it. */
#include "base/units.h"
#include "doctor/doctor.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>

/* As ml_startup_check_limits has it; and what some hundred ranks on a node want. */
enum { LEAST_FILES = 64, GOOD_FILES = 1024 };

static void name_files(char *out, size_t size, rlim_t limit)
{
    if (limit == RLIM_INFINITY)
        snprintf(out, size, "unlimited");
    else
        snprintf(out, size, "%llu", (unsigned long long)limit);
}

static void name_bytes(char *out, size_t size, rlim_t limit)
{
    if (limit == RLIM_INFINITY)
        snprintf(out, size, "unlimited");
    else
        ml_size_format(out, size, (int64_t)limit);
}

static void look_files(struct ml_findings *f)
{
    struct rlimit limit;
    char soft[24], hard[24];
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    name_files(soft, sizeof soft, limit.rlim_cur);
    name_files(hard, sizeof hard, limit.rlim_max);
    if (limit.rlim_max < LEAST_FILES)
        ml_finding_add(f, ML_FINDING_MISSING, "open files", "raise it: ulimit -n 1024",
                       "%s at most; memlog-mpi takes %d", hard, LEAST_FILES);
    else if (limit.rlim_max < GOOD_FILES)
        ml_finding_add(f, ML_FINDING_NOTE, "open files", "raise it: ulimit -Hn 4096, as root",
                       "%s at most: sampling many ranks costs more", hard);
    else
        ml_finding_add(f, ML_FINDING_OK, "open files", "", "%s, at most %s", soft, hard);
}

static bool has_infiniband(void)
{
    DIR *dir = opendir("/sys/class/infiniband");
    bool found = false;
    for (const struct dirent *e; dir && (e = readdir(dir));)
        found |= e->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return found;
}

static void look_locked(struct ml_findings *f)
{
    struct rlimit limit;
    char most[24];
    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        return;
    name_bytes(most, sizeof most, limit.rlim_max);
    if (limit.rlim_max != RLIM_INFINITY && has_infiniband())
        ml_finding_add(f, ML_FINDING_NOTE, "locked memory", "ulimit -l unlimited, as root",
                       "%s at most: applications on InfiniBand want it unlimited", most);
    else
        ml_finding_add(f, ML_FINDING_OK, "locked memory", "", "%s", most);
}

static void look_cores(struct ml_findings *f)
{
    struct rlimit limit;
    char soft[24], hard[24];
    if (getrlimit(RLIMIT_CORE, &limit) < 0)
        return;
    name_bytes(soft, sizeof soft, limit.rlim_cur);
    name_bytes(hard, sizeof hard, limit.rlim_max);
    if (limit.rlim_cur == 0)
        ml_finding_add(f, ML_FINDING_OK, "core files", "", "none are written, at most %s", hard);
    else
        ml_finding_add(f, ML_FINDING_OK, "core files", "", "%s, at most %s", soft, hard);
}

void ml_doctor_look_limits(struct ml_findings *findings)
{
    look_files(findings);
    look_locked(findings);
    look_cores(findings);
}
