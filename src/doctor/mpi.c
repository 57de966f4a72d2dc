/* The recorders, the MPIs that they are built for, and those whose applications can be recorded. */
#include "base/memory.h"
#include "base/own.h"
#include "doctor/ask.h"
#include "doctor/doctor.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* An MPI and its launchers, that of the plain name first. */
static const struct flavour {
    const char *word; /* as memlog-mpi --version says it */
    const char *name;
    const char *sign; /* in what its mpiexec --version says */
    const char *launchers[5];
    const char *packages;
} flavours[] = {
    {"openmpi",
     "Open MPI",
     "(Open",
     {"mpiexec", "mpiexec.openmpi", "mpirun.openmpi", "orterun"},
     "openmpi-bin"},
    {"mpich",
     "MPICH",
     "HYDRA",
     {"mpiexec", "mpiexec.mpich", "mpiexec.hydra", "mpirun.mpich"},
     "mpich"},
};
enum { N_FLAVOURS = sizeof flavours / sizeof *flavours };

/* What a memlog-mpi says of itself (recorder/about.c). */
struct recorder {
    char path[PATH_MAX], first[200]; /* the line "memlog-mpi 0.1.0 for openmpi" */
    char mpi[200], hdf5[40], pmix[16], hooks[PATH_MAX], job[200];
    bool starts; /* else `first` is what it said */
    const struct flavour *flavour;
};

static const struct flavour *flavour_of(const char *word)
{
    for (size_t i = 0; i < N_FLAVOURS; i++) {
        if (strcmp(flavours[i].word, word) == 0)
            return &flavours[i];
    }
    return NULL;
}

static void read_value(const char *text, const char *name, char *out, size_t size)
{
    char line[PATH_MAX];
    *out = 0;
    if (ml_ask_line(text, name, line, sizeof line))
        snprintf(out, size, "%.*s", (int)size - 1, line + strlen(name));
}

/* The folder of this program, with a slash. */
static void find_folder(char *out, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    out[n > 0 ? n : 0] = 0;
    char *slash = strrchr(out, '/');
    if (slash)
        slash[1] = 0;
}

/* Takes NAME over. */
static bool take(char *name, struct recorder *out)
{
    ML_AUTO_FREE char *own = name, *path = ml_ask_find(own);
    snprintf(out->path, sizeof out->path, "%s", path ? path : "");
    return path != NULL;
}

/* Those of FOLDER, "" for PATH: each MPI's, else the one of the plain name. Returns how many. */
static size_t find_in(const char *folder, struct recorder *out)
{
    size_t n = 0;
    for (size_t i = 0; i < N_FLAVOURS; i++)
        n += take(ml_format("%smemlog-mpi.%s", folder, flavours[i].word), &out[n]);
    return n ? n : take(ml_format("%smemlog-mpi", folder), out);
}

static void ask_recorder(struct recorder *r)
{
    struct ml_answer answer;
    ml_ask((char *[]){r->path, "--version", NULL}, &answer);
    r->starts =
        answer.code == 0 && ml_ask_line(answer.text, "memlog-mpi ", r->first, sizeof r->first);
    if (!r->starts) {
        ml_ask_line(answer.text, "", r->first, sizeof r->first);
        return;
    }
    r->flavour = flavour_of(strrchr(r->first, ' ') + 1);
    read_value(answer.text, "MPI: ", r->mpi, sizeof r->mpi);
    read_value(answer.text, "HDF5: ", r->hdf5, sizeof r->hdf5);
    read_value(answer.text, "PMIx: ", r->pmix, sizeof r->pmix);
    read_value(answer.text, "hooks: ", r->hooks, sizeof r->hooks);
    read_value(answer.text, "job: ", r->job, sizeof r->job);
}

/* Those beside this program, else those in PATH. Returns how many. */
static size_t find_recorders(struct recorder *out)
{
    char here[PATH_MAX];
    find_folder(here, sizeof here);
    size_t n = *here ? find_in(here, out) : 0;
    if (n == 0)
        n = find_in("", out);
    for (size_t i = 0; i < n; i++)
        ask_recorder(&out[i]);
    return n;
}

/* The first that starts; NULL: none. */
static const struct recorder *look_recorders(struct ml_findings *f, const struct recorder *all,
                                             size_t n)
{
    const struct recorder *good = NULL;
    for (size_t i = n; i-- > 0;)
        good = all[i].starts ? &all[i] : good;
    for (size_t i = 0; i < n; i++) {
        const struct recorder *r = &all[i];
        if (r->starts)
            ml_finding_add(f, ML_FINDING_OK, "recorder", "", "%.150s: %.60s, %.60s, HDF5 %s",
                           r->path, r->first, r->mpi, r->hdf5);
        else
            ml_finding_add(f, good ? ML_FINDING_NOTE : ML_FINDING_MISSING, "recorder",
                           "load the modules that it was built with, or build it again",
                           "%.150s: %s", r->path, *r->first ? r->first : "it does not start");
    }
    if (n == 0)
        ml_finding_add(f, ML_FINDING_MISSING, "recorder",
                       "install it, or put its folder into PATH (module load memlog-mpi)",
                       "memlog-mpi is neither beside memlog nor in PATH");
    return good;
}

/* The first launcher of FLAVOUR in PATH, and its version; NULL: there is none. */
static const char *find_launcher(const struct flavour *flavour, char *version, size_t size)
{
    for (size_t i = 0; flavour->launchers[i]; i++) {
        struct ml_answer answer;
        ml_ask((char *[]){(char *)flavour->launchers[i], "--version", NULL}, &answer);
        if (!answer.started || !strstr(answer.text, flavour->sign))
            continue;
        ml_ask_version(answer.text, version, size);
        return flavour->launchers[i];
    }
    return NULL;
}

/* What starts a recorder: mpiexec of its own MPI. The plain name may be of the other one where
 * there are OTHERS, of which memlog-mpi takes the right one. */
static void look_mpiexec(struct ml_findings *f, const struct flavour *flavour, bool others)
{
    char version[32] = "", remedy[200];
    const char *launcher = find_launcher(flavour, version, sizeof version);
    ML_AUTO_FREE char *plain = ml_ask_find("mpiexec");
    if (!launcher) {
        snprintf(remedy, sizeof remedy,
                 "load the module of %s or install %s; memlog-mpi -n N runs on this machine alone",
                 flavour->name, flavour->packages);
        ml_finding_add(f, ML_FINDING_NOTE, "mpiexec", remedy, "none of %s in PATH%s", flavour->name,
                       plain ? "; mpiexec is of another MPI" : "");
    } else if (strcmp(launcher, "mpiexec") == 0) {
        ml_finding_add(f, ML_FINDING_OK, "mpiexec", "", "%s %s", flavour->name, version);
    } else if (others) {
        ml_finding_add(f, ML_FINDING_OK, "mpiexec", "", "%s %s is %s", launcher, version,
                       flavour->name);
    } else {
        snprintf(remedy, sizeof remedy, "start it with %s memlog-mpi", launcher);
        ml_finding_add(f, ML_FINDING_NOTE, "mpiexec", remedy,
                       "%s %s is %s; mpiexec is %s, which does not start this memlog-mpi", launcher,
                       version, flavour->name, plain ? "of another MPI" : "not here");
    }
}

static bool is_there(const char *folder, const char *format, const char *word)
{
    ML_AUTO_FREE char *name = ml_format(format, word);
    ML_AUTO_FREE char *path = ml_format("%s/%s", folder, name);
    return access(path, R_OK) == 0;
}

/* What of applications of FLAVOUR can be recorded. */
static void look_applications(struct ml_findings *f, const struct recorder *r,
                              const struct flavour *flavour)
{
    bool hosted = flavour == &flavours[1] || strcmp(r->pmix, "yes") == 0;
    bool counted = is_there(r->hooks, "libmemlog_hooks_%s.so", flavour->word);
    char version[32] = "", remedy[200];
    if (!counted && !find_launcher(flavour, version, sizeof version))
        return; /* it is not here */
    if (!hosted)
        ml_finding_add(f, ML_FINDING_NOTE, flavour->name, "build it with libpmix-dev",
                       "memlog-mpi is without PMIx: applications of it cannot be started");
    else if (counted)
        ml_finding_add(f, ML_FINDING_OK, flavour->name, "",
                       "applications of it are recorded, with their MPI calls");
    else {
        snprintf(remedy, sizeof remedy, "build memlog where mpicc.%s is in PATH", flavour->word);
        ml_finding_add(f, ML_FINDING_NOTE, flavour->name, remedy,
                       "applications of it are recorded, but for their MPI calls");
    }
}

static void look_heap(struct ml_findings *f, const struct recorder *r)
{
    if (is_there(r->hooks, "libmemlog_%s.so", "heap"))
        ml_finding_add(f, ML_FINDING_OK, "heap profiler", "", "%.300s", r->hooks);
    else
        ml_finding_add(f, ML_FINDING_NOTE, "heap profiler", "install the whole of memlog",
                       "libmemlog_heap.so is not in %.250s: there is no --heap", r->hooks);
}

/* The batch system whose job this is, else the one whose commands are here. */
static void look_scheduler(struct ml_findings *f, const struct recorder *r)
{
    static const char *const commands[][2] = {
        {"qstat", "PBS"}, {"sinfo", "Slurm"}, {"bjobs", "LSF"}, {"flux", "Flux"}};
    const char *seen = NULL;
    if (*r->job) {
        ml_finding_add(f, ML_FINDING_OK, "scheduler", "", "%s", r->job);
        return;
    }
    for (size_t i = 0; !seen && i < sizeof commands / sizeof *commands; i++) {
        ML_AUTO_FREE char *path = ml_ask_find(commands[i][0]);
        seen = path ? commands[i][1] : NULL;
    }
    ml_finding_add(f, ML_FINDING_OK, "scheduler", "", "%s%sthis is no batch job",
                   seen ? seen : "none", seen ? "; " : " seen; ");
}

void ml_doctor_look_mpi(struct ml_findings *findings)
{
    struct recorder all[N_FLAVOURS] = {0};
    size_t n = find_recorders(all);
    const struct recorder *r = look_recorders(findings, all, n);
    if (!r)
        return;
    for (size_t i = 0; i < n; i++) {
        if (all[i].flavour)
            look_mpiexec(findings, all[i].flavour, n > 1);
    }
    for (size_t i = 0; i < N_FLAVOURS; i++)
        look_applications(findings, r, &flavours[i]);
    look_heap(findings, r);
    look_scheduler(findings, r);
}
