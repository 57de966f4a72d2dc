/* The calls of a heap profile's sites, which come as addresses in modules: for whoever names them.
 * The process may have ended: files are found by their paths. */
#ifndef ML_STACK_SITES_H
#define ML_STACK_SITES_H

#include "trace/backend.h"

#include <stdbool.h>

struct ml_sites;

struct ml_sites *ml_sites_open(void);

/* Calls VISIT for each site of a question of N bytes: int pid, int process; int modules, each: int
 * start, int end, int offset, text path; int sites, each: int number, int cut, int calls, each an
 * int: where it returns to, the innermost first. The thread of what is passed on is the site's
 * number; there are places, whose modules are valid until the sites are closed. False: it is no
 * such question, and breaks off there. */
bool ml_sites_read(struct ml_sites *sites, const void *bytes, size_t n,
                   void (*visit)(void *context, const struct ml_stack_thread *thread),
                   void *context);

void ml_sites_close(struct ml_sites *sites); /* NULL is fine */

#endif
