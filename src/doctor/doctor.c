#include "doctor/doctor.h"

#include <stdio.h>
#include <sys/utsname.h>

void ml_doctor_system(char *out, size_t size)
{
    struct utsname u;
    *out = 0;
    if (uname(&u) == 0)
        snprintf(out, size, "%s: %s %s, %s", u.nodename, u.sysname, u.release, u.machine);
}

void ml_doctor_look(const char *hdf5, struct ml_findings *out_findings)
{
    struct ml_findings f = {0};
    ml_doctor_look_mpi(&f);
    ml_doctor_look_kernel(&f);
    ml_doctor_look_limits(&f);
    ml_finding_add(&f, ML_FINDING_OK, "HDF5", "", "%s reads the files", hdf5);
    ml_doctor_look_tools(&f);
    *out_findings = f;
}
