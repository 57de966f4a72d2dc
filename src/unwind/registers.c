#include "unwind/registers.h"

#include <elf.h>
#include <errno.h>
#include <libunwind.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined __x86_64__
enum { SP = UNW_X86_64_RSP, PC = UNW_X86_64_RIP };
_Static_assert((int)ML_REGISTER_FP == (int)UNW_X86_64_RBP, "rbp");
#else
enum { SP = UNW_AARCH64_SP, PC = UNW_AARCH64_PC };
_Static_assert((int)ML_REGISTER_FP == (int)UNW_AARCH64_X29, "x29");
#endif

uint64_t ml_registers_sp(const struct ml_registers *r)
{
    return r->value[SP];
}

uint64_t ml_registers_pc(const struct ml_registers *r)
{
    return r->value[PC];
}

static void set(struct ml_registers *r, int number, uint64_t value)
{
    r->value[number] = value;
    r->known |= (uint64_t)1 << number;
}

void ml_registers_return(struct ml_registers *r, uint64_t sp, uint64_t pc)
{
    set(r, SP, sp);
    set(r, PC, pc);
}

void ml_registers_set(struct ml_registers *r, uint64_t sp, uint64_t pc, const uint64_t *frame)
{
    r->known = 0;
    set(r, SP, sp);
    set(r, PC, pc);
    if (frame)
        set(r, ML_REGISTER_FP, *frame);
}

#if defined __x86_64__
/* <linux/errno.h> of the kernel, which no program sees. */
enum { ERESTARTNOHAND = 514 };

/* System calls that may be begun again when they were interrupted before anything happened. Not
 * close: it has closed the file. */
static bool is_repeatable(uint64_t call)
{
    switch (call) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
#ifdef SYS_epoll_pwait2 /* Linux 5.11 */
    case SYS_epoll_pwait2:
#endif
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_read:
    case SYS_readv:
    case SYS_write:
    case SYS_writev:
    case SYS_rt_sigtimedwait:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
    case SYS_io_uring_enter:
    case SYS_mq_timedsend:
    case SYS_mq_timedreceive:
        return true;
    default:
        return false;
    }
}

static void hide_interruption(pid_t thread, struct user_regs_struct *u)
{
    struct iovec all = {u, sizeof *u};
    if ((int64_t)u->rax != -EINTR || !is_repeatable(u->orig_rax))
        return;
    u->rax = (uint64_t)-ERESTARTNOHAND;
    ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &all);
}

static void convert(const struct user_regs_struct *u, struct ml_registers *r)
{
    set(r, UNW_X86_64_RAX, u->rax);
    set(r, UNW_X86_64_RDX, u->rdx);
    set(r, UNW_X86_64_RCX, u->rcx);
    set(r, UNW_X86_64_RBX, u->rbx);
    set(r, UNW_X86_64_RSI, u->rsi);
    set(r, UNW_X86_64_RDI, u->rdi);
    set(r, UNW_X86_64_RBP, u->rbp);
    set(r, UNW_X86_64_RSP, u->rsp);
    set(r, UNW_X86_64_R8, u->r8);
    set(r, UNW_X86_64_R9, u->r9);
    set(r, UNW_X86_64_R10, u->r10);
    set(r, UNW_X86_64_R11, u->r11);
    set(r, UNW_X86_64_R12, u->r12);
    set(r, UNW_X86_64_R13, u->r13);
    set(r, UNW_X86_64_R14, u->r14);
    set(r, UNW_X86_64_R15, u->r15);
    set(r, UNW_X86_64_RIP, u->rip);
}

/* mov $15,%rax; syscall: glibc's and musl's __restore_rt. */
static const uint8_t trampoline[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05};
#else
static void hide_interruption(pid_t thread, struct user_regs_struct *u)
{
    (void)thread;
    (void)u;
}

static void convert(const struct user_regs_struct *u, struct ml_registers *r)
{
    for (int i = 0; i <= 30; i++)
        set(r, UNW_AARCH64_X0 + i, u->regs[i]);
    set(r, SP, u->sp);
    set(r, PC, u->pc);
}

/* mov x8, #139; svc #0: __kernel_rt_sigreturn of the vdso. */
static const uint8_t trampoline[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
#endif

bool ml_registers_read(pid_t thread, bool mend, struct ml_registers *out)
{
    struct user_regs_struct u;
    struct iovec all = {&u, sizeof u};
    if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &all) < 0 || all.iov_len != sizeof u)
        return false;
    out->known = 0;
    convert(&u, out);
    if (mend)
        hide_interruption(thread, &u);
    return true;
}

bool ml_registers_is_trampoline(const uint8_t *code)
{
    return memcmp(code, trampoline, sizeof trampoline) == 0;
}
