/* The hosts of a job and their slots; as a text it is the PBS node file, one host name a line, each
 * host once per slot. */
#ifndef ML_NODE_NODEFILE_H
#define ML_NODE_NODEFILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct ml_nodefile {
    size_t n_hosts;
    char **hosts;           /* distinct, in the order of their first line, as written */
    int *slots;             /* [n_hosts] how often each is listed; 0: not known */
    struct ml_names *names; /* private: the known names of all hosts */
    size_t room;            /* private: hosts that fit */
};

/* Parses N bytes of TEXT. Blank lines, comments (#), CRLF and repeated hosts in any order are
 * fine, and thousands of hosts are quick. n1 and n1.cluster are one host, n1.a and n1.b are two,
 * and n1 is then the one that came first; IP addresses are compared whole. Errors: no host at all,
 * a name with a byte that no host name has (the line is named). */
enum ml_status ml_nodefile_parse(const char *text, size_t n, struct ml_nodefile *out_file,
                                 struct ml_error *err);

/* Adds SLOTS slots on the host NAME of N bytes to FILE ({0} at first), as that many lines would.
 * False: no host has such a name. */
bool ml_nodefile_add(struct ml_nodefile *file, const char *name, size_t n, int slots);

/* Reads and parses PATH. Errors: also those of open(2) and read(2), and files over 64 MiB. */
enum ml_status ml_nodefile_read(const char *path, struct ml_nodefile *out_file,
                                struct ml_error *err);

/* Index of the host called NAME, short or full, letters of either case; -1 if there is none. */
int ml_nodefile_find(const struct ml_nodefile *file, const char *name);

void ml_nodefile_free(struct ml_nodefile *file);

#endif
