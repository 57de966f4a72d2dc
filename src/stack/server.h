/* The stack server: a process of its own that takes the stacks of the node's ranks through one of
 * the backends and interns them. Whatever a debugger or damaged debug information does to it, the
 * sampling rank goes on; and should it be stopped or killed, the kernel lets its targets go. */
#ifndef ML_STACK_SERVER_H
#define ML_STACK_SERVER_H

/* Of frames and of stacks that the server keeps, and of those that a journal may hold. */
#define ML_STACK_SERVER_MOST (1 << 19)

/* A debugger that hung or died is started again so often; then `unwind` takes over. */
#define ML_STACK_RESTARTS_MAX 3

/* Serves over FD (stack/protocol.h) until the sampling rank hangs up; then releases all and exits.
 * To be called in a process without threads. */
_Noreturn void ml_stack_serve(int fd);

#endif
