/* Eight threads, thread N of them N functions deep in a chain of its own, beside the main one. */
#include "stacks.h"

#include <pthread.h>

#define LINK(letter, next)                                                                         \
    CALLED static void step_##letter(int levels)                                                   \
    {                                                                                              \
        ENTER();                                                                                   \
        if (levels > 1)                                                                            \
            next(levels - 1);                                                                      \
        else                                                                                       \
            stacks_stay();                                                                         \
        LEAVE();                                                                                   \
    }

CALLED static void step_a(int levels);
LINK(d, step_a)
LINK(c, step_d)
LINK(b, step_c)
LINK(a, step_b)

#define THREAD(n, first)                                                                           \
    static void *thread_##n(void *unused)                                                          \
    {                                                                                              \
        ENTER();                                                                                   \
        first(n);                                                                                  \
        LEAVE();                                                                                   \
        return unused;                                                                             \
    }
THREAD(1, step_a)
THREAD(2, step_b)
THREAD(3, step_c)
THREAD(4, step_d)
THREAD(5, step_a)
THREAD(6, step_b)
THREAD(7, step_c)
THREAD(8, step_d)

int main(int argc, char **argv)
{
    static void *(*const starts[])(void *) = {thread_1, thread_2, thread_3, thread_4,
                                              thread_5, thread_6, thread_7, thread_8};
    stacks_begin(argc, argv, 9, "futex");
    ENTER();
    for (int i = 0; i < 8; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, starts[i], NULL))
            return 1;
    }
    stacks_stay();
    return 1;
}
