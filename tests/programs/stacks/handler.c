/* handler hold|spin HOW [stack]: stays in the handler of a signal, on the stack of the thread or
 * (stack) on one of its own. The signal comes at the first instruction of a function: the address
 * before it belongs to another one. */
#include "stacks.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

void illegal(void);
__asm__(".text\n"
        ".type illegal, %function\n"
        "illegal:\n"
        ".cfi_startproc\n"
#ifdef __x86_64__
        "ud2\n"
#else
        "udf #0\n"
#endif
        "ret\n"
        ".cfi_endproc\n"
        ".size illegal, .-illegal\n");

CALLED static void from_handler(void)
{
    ENTER();
    stacks_stay();
    LEAVE();
}

static void on_illegal(int number)
{
    (void)number;
    stacks_enter("<signal handler called>");
    ENTER();
    from_handler();
    LEAVE();
}

CALLED static void outer(void)
{
    ENTER();
    stacks_enter("illegal");
    illegal();
    LEAVE();
}

int main(int argc, char **argv)
{
    static char room[256 * 1024];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
    struct sigaction action = {.sa_handler = on_illegal};
    stacks_begin(argc, argv, 1, "nanosleep");
    ENTER();
    if (argc > 3) {
        if (sigaltstack(&stack, NULL))
            return 1;
        action.sa_flags = SA_ONSTACK;
    }
    sigaction(SIGILL, &action, NULL);
    outer();
    return 1;
}
