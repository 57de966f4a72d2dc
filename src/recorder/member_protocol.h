/* Messages between a rank process and the hub, its node's sampling rank. */
#ifndef ML_RECORDER_MEMBER_PROTOCOL_H
#define ML_RECORDER_MEMBER_PROTOCOL_H

enum ml_member_message {
    /* to the hub */
    ML_MEMBER_HELLO = 1,  /* int rank of the rank process, words of its command (ml_pack_texts) */
    ML_MEMBER_STARTED,    /* a struct ml_started, by the rank's number */
    ML_MEMBER_OUTPUT,     /* int time (ns of the node's clock), int rank, int stream, rest: bytes */
    ML_MEMBER_OUTPUT_CUT, /* int rank, int bytes recorded */
    ML_MEMBER_EXIT,       /* int rank, int wait status, int its largest resident set, or -1 */
    ML_MEMBER_CLOSED,     /* int rank: it has ended and its output is passed on */
    ML_MEMBER_SIGNAL,     /* int signal that was passed on */
    ML_MEMBER_STACKS,     /* the user asks for stacks */
    ML_MEMBER_NO_STARTER, /* int rank that cannot start: the starter is gone; its EXIT follows */
    /* from the hub */
    ML_MEMBER_START, /* int rank, int strip, int tracer, text cpus, text folder, int here_too, text
                        hooks, words of the command, settings (ml_pack_texts); with the PMI-1
                        socket */
    ML_MEMBER_END,   /* end your ranks: TERM, KILL after a grace */
    ML_MEMBER_LEAVE, /* int code, int signal: all is recorded; end so */
};

#endif
