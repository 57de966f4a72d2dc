/* The parts of survivor: each a thread that does one thing over and over until it is told to end,
 * counts how often, and notes the first thing that went wrong. */
#ifndef SURVIVOR_H
#define SURVIVOR_H

#include <stdatomic.h>
#include <stdbool.h>

struct part {
    const char *name;
    void (*turn)(struct part *part, long turn); /* one round; TURN counts from 0 */
    bool last;                                  /* this is the last turn */
    long turns, eintr;
    char wrong[256]; /* "": nothing */
};

/* Notes WHAT, with errno; the first one of a part stays. */
void part_wrong(struct part *part, const char *what, long value);

/* True if a call returned RESULT < 0 for EINTR, which is counted. */
bool part_interrupted(struct part *part, long result);

void short_sleep(long ns);

/* Each waits in one kind of call (survivor_waits.c), */
void turn_epoll(struct part *part, long turn);
void turn_recv(struct part *part, long turn);
void turn_sigtimedwait(struct part *part, long turn);
void turn_semtimedop(struct part *part, long turn);
void turn_nanosleep(struct part *part, long turn);
void turn_poll(struct part *part, long turn);

/* or makes something (survivor_makes.c). */
void turn_fork(struct part *part, long turn);
void turn_spawn(struct part *part, long turn);
void turn_dlopen(struct part *part, long turn);
void turn_thread(struct part *part, long turn);
void turn_heap(struct part *part, long turn);
void turn_sum(struct part *part, long turn);

#endif
