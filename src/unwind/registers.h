/* The registers of a thread, by libunwind's numbers; not all of them need be known. The few lines
 * that differ between x86_64 and aarch64 are in registers.c. */
#ifndef ML_UNWIND_REGISTERS_H
#define ML_UNWIND_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { ML_REGISTERS_MAX = 33 };

/* The frame pointer, libunwind's number. */
#if defined __x86_64__
enum { ML_REGISTER_FP = 6 };
#else
enum { ML_REGISTER_FP = 29 };
#endif

struct ml_registers {
    uint64_t value[ML_REGISTERS_MAX];
    uint64_t known; /* bit N: value[N] is known */
};

/* Those that matter everywhere. */
uint64_t ml_registers_sp(const struct ml_registers *r);
uint64_t ml_registers_pc(const struct ml_registers *r);

/* Only these are known, as of a blocked thread; or of one, with FRAME, in code of frame pointers.*/
void ml_registers_set(struct ml_registers *r, uint64_t sp, uint64_t pc, const uint64_t *frame);

/* These are the caller's, whose stack pointer and pc are so; others as they stand. */
void ml_registers_return(struct ml_registers *r, uint64_t sp, uint64_t pc);

/* Of a thread that is stopped by us (ptrace). False: it is gone. MEND: it shall not see that we
 * interrupted its system call.
 *
 * ptrace makes some system calls (epoll_wait, recv with a timeout, sigtimedwait, semtimedop: those
 * that no handler's SA_RESTART would restart) return EINTR although no handler ran. On x86_64 the
 * kernel is told instead to decide anew when the thread goes on (ERESTARTNOHAND): EINTR if it runs
 * a handler, else the call again. aarch64 has overwritten the call's first argument by then, so
 * there the program sees EINTR. */
bool ml_registers_read(pid_t thread, bool mend, struct ml_registers *out);

/* Whether the 16 bytes of CODE at the pc of a frame are what a signal handler returns to. */
bool ml_registers_is_trampoline(const uint8_t *code);

#endif
