/* Stays in the handler of a timer's signal, which came anywhere in a busy function. */
#include "stacks.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

static volatile unsigned long work_done;

static void on_alarm(int number)
{
    (void)number;
    stacks_enter("<signal handler called>");
    ENTER();
    stacks_stay();
    LEAVE();
}

CALLED static void work(void)
{
    ENTER();
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value = {.tv_usec = 20000}}, NULL);
    for (;;)
        work_done += work_done / 3 + 1;
}

int main(int argc, char **argv)
{
    stacks_begin(argc, argv, 1, "poll");
    ENTER();
    signal(SIGVTALRM, on_alarm);
    work();
    return 1;
}
