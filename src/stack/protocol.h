/* Messages on the socket between a sampling rank and its stack server. Payloads as base/pack.h. */
#ifndef ML_STACK_PROTOCOL_H
#define ML_STACK_PROTOCOL_H

enum ml_stack_message {
    /* to the server */
    ML_STACK_OPEN = 1, /* text backend, int first frame, int first stack: numbers that are free */
    ML_STACK_TAKE,     /* int n, n times: int pid, int process, int trigger */
    /* from the server */
    ML_STACK_READY,   /* text backend in use; text "" or why it is not the one that was asked for */
    ML_STACK_FRAMES,  /* int n, rest: n packed rows of ml_table_frames */
    ML_STACK_STACKS,  /* int n, rest: n packed rows of ml_table_stacks */
    ML_STACK_SAMPLES, /* int n; int stacks of ML_STACK_UNNAMED, the oldest, that these rows replace;
                         rest: n packed rows of ml_table_stack_samples */
    ML_STACK_FAILURE, /* int process, int enum ml_stack_failure, text */
    ML_STACK_BROKEN,  /* int restarts, text: the debugger hung or died; another one serves now */
    ML_STACK_UNNAMED, /* int n, rest: n stacks that have waited for their names for long, without
                         (stack/unnamed.h): what is left of them, should the server die */
    ML_STACK_TAKEN,   /* the last ML_STACK_TAKE is answered, its targets are let go: int ns that
                         they were held, int ns of CPU that the server and its debugger have used
                         since this was told last, int places that wait for their names. Stacks
                         of which names are not known yet follow later */
    ML_STACK_NAMING,  /* names were read, or are being read: int ns of CPU and int places likewise.
                         Every half second while some wait, and when none does any more */

    ML_STACK_NAME,  /* to the server: what stack/sites.h reads, sites of a heap profile */
    ML_STACK_SITES, /* from it: int n, rest: n pairs of varints: a site that was asked for, and its
                       stack */
    ML_STACK_SITES_UNNAMED, /* likewise, and sooner: a stack without names, for a run of which
                               nobody is left to read them */
};

#endif
