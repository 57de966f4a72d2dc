/* memlog doctor: whether this machine can record, and what it lacks. */
#ifndef ML_DOCTOR_DOCTOR_H
#define ML_DOCTOR_DOCTOR_H

#include "base/buffer.h"
#include "doctor/findings.h"

/* Looks at everything; takes a second or so, since other programs are asked. HDF5 is the version of
 * the library that reads files here. */
void ml_doctor_look(const char *hdf5, struct ml_findings *out_findings);

/* FINDINGS as one JSON object and a newline. */
void ml_doctor_json(const struct ml_findings *findings, const char *system, struct ml_buffer *out);

/* Its parts; each adds its findings. */
void ml_doctor_look_mpi(struct ml_findings *findings);
void ml_doctor_look_kernel(struct ml_findings *findings);
void ml_doctor_look_limits(struct ml_findings *findings);
void ml_doctor_look_tools(struct ml_findings *findings);

/* "node: Linux 6.1.0, x86_64" into OUT. */
void ml_doctor_system(char *out, size_t size);

#endif
