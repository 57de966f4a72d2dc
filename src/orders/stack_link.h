/* The sampling rank's side of its stack server: starts it, watches it, starts it again, and hands
 * on what it says. */
#ifndef ML_ORDERS_STACK_LINK_H
#define ML_ORDERS_STACK_LINK_H

#include "base/loop.h"
#include "launch/starter.h"
#include "trace/backend.h"

struct ml_stack_link;

struct ml_stack_wish {
    pid_t pid;
    int process, trigger;
};

struct ml_stack_link_events {
    void *context;
    /* BACKEND serves; WHY is "" or why it is not the one that was asked for. */
    void (*ready)(void *context, const char *backend, const char *why);
    /* Packed rows of ml_table_frames, ml_table_stacks (numbered on through the restarts) and
     * ml_table_stack_samples: N of them. */
    void (*frames)(void *context, const void *rows, size_t size, int64_t n);
    void (*stacks)(void *context, const void *rows, size_t size, int64_t n);
    void (*samples)(void *context, const void *rows, size_t size, int64_t n);
    /* Pairs of varints: a site that was asked for, and its stack. Where it is not NAMED another one
     * follows, unless the names are never read. */
    void (*sites)(void *context, const void *pairs, size_t size, bool named);
    void (*failed)(void *context, int process, enum ml_stack_failure why, const char *text);
    /* The order is done; the targets were held so long, and it cost so much CPU time. Its stacks
     * may still wait for their names. */
    void (*taken)(void *context, int64_t held_ns, int64_t cpu_ns);
    /* Names were read, which cost so much CPU time. */
    void (*named)(void *context, int64_t cpu_ns);
    /* The debugger or the server itself hung or died; RESTARTS in all. */
    void (*broken)(void *context, int restarts, const char *why);
    /* No stacks any more; WHY: "the stack server died 4 times". */
    void (*lost)(void *context, const char *why);
};

/* Asks STARTER for a stack server, its helper of that number, that takes stacks by BACKEND. Errors:
 * no socket. */
enum ml_status ml_stack_link_open(struct ml_loop *loop, struct ml_starter *starter, int helper,
                                  const char *backend, const struct ml_stack_link_events *events,
                                  struct ml_stack_link **out_link, struct ml_error *err);

/* The starter's answer. */
void ml_stack_link_started(struct ml_stack_link *link, pid_t pid);

/* Whether an order is under way, no server is there, or the link is being closed: then none may be
 * given. */
bool ml_stack_link_busy(const struct ml_stack_link *link);

void ml_stack_link_take(struct ml_stack_link *link, const struct ml_stack_wish *wishes, size_t n);

/* Has the question of N bytes (stack/sites.h) answered. False: no server is ready. */
bool ml_stack_link_name(struct ml_stack_link *link, const void *question, size_t n);

/* Waits a moment for an order that is under way, and up to PATIENCE_NS in all for names as long as
 * the server reads them; ends the server and waits for it. Returns how many stacks were recorded
 * without names. NULL is fine. */
int64_t ml_stack_link_close(struct ml_stack_link *link, int64_t patience_ns);

#endif
