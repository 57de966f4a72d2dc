/* A file that is held while its writer lives: how another process learns whether it still does.
 *
 * The lock is of the open file (F_OFD_SETLK), so that the kernel gives it up when the last
 * descriptor of it is closed, however the process ends. */
#ifndef ML_BASE_HOLD_H
#define ML_BASE_HOLD_H

#include <stdbool.h>

enum ml_hold {
    ML_HOLD_FREE,    /* nobody holds it: its writer is gone */
    ML_HOLD_HELD,    /* its writer lives, on this node or another */
    ML_HOLD_UNKNOWN, /* no lock is seen, but one of another node might not be seen from here */
};

/* Holds the file of FD, open for writing, for as long as FD or a duplicate of it is open. False:
 * another one holds it, or the file system has no locks; errno says which. */
bool ml_hold_take(int fd);

/* Who holds the file of FD, beside those who share FD itself. */
enum ml_hold ml_hold_of(int fd);

#endif
