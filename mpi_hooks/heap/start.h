/* Begins the work in a process, at its first allocation or when the library is loaded. */
#ifndef ML_HOOKS_HEAP_START_H
#define ML_HOOKS_HEAP_START_H

enum ml_started {
    ML_STARTED_NOT_YET, /* too early, or at it */
    ML_STARTED_OFF,     /* nothing is recorded in this process */
    ML_STARTED_ON,
};

/* Starts if that was not done. */
enum ml_started ml_start(void);

/* Without starting. */
enum ml_started ml_started(void);

#endif
