/* The signals of a rank process come as events of its loop. */
#ifndef ML_RECORDER_SIGNALS_H
#define ML_RECORDER_SIGNALS_H

#include "base/loop.h"

#include <sys/signalfd.h>

struct ml_signals;

/* Ends the handlers by which MPI's libraries print the stack of a crash: UCX sets them as it is
 * loaded, Open MPI in MPI_Init. They allocate, and may so wait for ever for what the crashed code
 * holds, and all others for this process. */
void ml_signals_crash_plainly(void);

/* Blocks what ml_signals_open will report; to be called before any thread is made. */
void ml_signals_block(void);

/* The signal that comes when the process that started us may have ended: see
 * ml_signals_watch_parent. */
int ml_signals_parent_signal(void);

/* Asks the kernel for that signal (prctl(2), PR_SET_PDEATHSIG). It also comes when only the thread
 * ended that started us. Returns the parent's PID, to compare with getppid(2) then. */
int ml_signals_watch_parent(void);

/* CAME is called for that signal, TERM, INT, HUP, USR1, USR2, TSTP, CONT, WINCH and CHLD. */
struct ml_signals *ml_signals_open(struct ml_loop *loop,
                                   void (*came)(void *context, const struct signalfd_siginfo *info),
                                   void *context);
void ml_signals_close(struct ml_signals *signals); /* NULL is fine; they stay blocked */

/* Where somebody has stopped CHILD, it goes on; 0: there is none. For helpers of ours, for which
 * the application would wait; SIGCHLD says when to look. */
void ml_signals_continue(pid_t child);

/* Ends this process by signal NUMBER, without a core file. */
_Noreturn void ml_signals_die(int number);

#endif
