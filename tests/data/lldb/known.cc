// Known stacks: what the golden files of lldb's output were captured from.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <pthread.h>
#include <sys/time.h>
#include <unistd.h>
namespace ns
{
template <class T> struct Box {
    T value;
    __attribute__((noinline)) int hold(T x) const;
};
inline __attribute__((always_inline)) void inner(int k)
{
    for (;;)
        pause();
    (void)k;
}
inline __attribute__((always_inline)) void outer(int k)
{
    inner(k + 1);
}
template <class T> __attribute__((noinline)) int Box<T>::hold(T x) const
{
    outer((int)x);
    return 1;
}
} // namespace ns
static __attribute__((noinline)) int deep(int n)
{
    volatile int x = n;
    return (n ? deep(n - 1) : ns::Box<double>{1}.hold(2)) + x;
}
static int depth;
static void handler(int)
{
    deep(depth);
}
static void *idle(void *)
{
    for (;;)
        pause();
}
int main(int argc, char **argv)
{
    pthread_t t;
    depth = argc > 1 ? atoi(argv[1]) : 200;
    stack_t s{};
    s.ss_sp = new char[1 << 20];
    s.ss_size = 1 << 20;
    sigaltstack(&s, nullptr);
    struct sigaction sa {
    };
    sa.sa_handler = handler;
    sa.sa_flags = SA_ONSTACK;
    sigaction(SIGUSR1, &sa, nullptr);
    for (int i = 0; i < 2; i++)
        pthread_create(&t, nullptr, idle, nullptr);
    puts("x");
    fflush(stdout);
    raise(SIGUSR1);
}
