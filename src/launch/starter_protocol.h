/* Messages between a rank process and its starter. */
#ifndef ML_LAUNCH_STARTER_PROTOCOL_H
#define ML_LAUNCH_STARTER_PROTOCOL_H

enum ml_starter_message {
    /* to the starter; descriptors come one by one before the start that they belong to */
    ML_STARTER_OUTPUT = 1,
    ML_STARTER_ERROR,
    ML_STARTER_PMI,
    ML_STARTER_START,  /* int number, int strip, int own group, int tracer, text cpus, text folder,
                          int here_too, text hooks, words of the command, settings
                          (ml_pack_texts) */
    ML_STARTER_HELPER, /* int helper; with its socket */
    /* from the starter */
    ML_STARTER_STARTED,        /* a struct ml_started */
    ML_STARTER_HELPER_STARTED, /* int helper, int pid */
};

#endif
