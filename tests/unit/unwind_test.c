/* Our own unwinder, on processes that this test starts. */
#include "base/clock.h"
#include "base/memory.h"
#include "stack/backend.h"
#include "stack/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_B = 1 << 17, THREADS_MAX = 64 };

/* Shared with the processes under test. */
static struct shared {
    volatile int ready, interrupted, caught, rounds, stop;
} * shared;

/* The last stacks, each as "outermost<...<innermost<". */
static struct seen {
    size_t n, n_cut, n_failed;
    enum ml_stack_failure why;
    char reason[200];
    int64_t stopped_ns[THREADS_MAX];
    size_t depth[THREADS_MAX];
    char text[THREADS_MAX][TEXT_B];
    bool vdso;
} * seen;

static const struct ml_stack_backend *backend = &ml_stack_unwind;
static void *state;

static void on_thread(void *context, const struct ml_stack_thread *s)
{
    (void)context;
    char *to = seen->text[seen->n];
    seen->stopped_ns[seen->n] = s->stopped_ns;
    seen->depth[seen->n] = s->n_frames;
    seen->n_cut += s->cut;
    *to = 0;
    for (size_t i = s->n_frames; i-- > 0;) {
        to += snprintf(to, 200, "%s<", s->frames[i].function);
        assert_true(to - seen->text[seen->n] < TEXT_B - 200);
        seen->vdso |= strcmp(s->frames[i].module, "[vdso]") == 0;
    }
    seen->n++;
    assert_true(seen->n < THREADS_MAX);
}

static void on_failed(void *context, const struct ml_stack_target *target,
                      enum ml_stack_failure why, const char *text)
{
    (void)context;
    (void)target;
    assert_true(strlen(text) > 0);
    snprintf(seen->reason, sizeof seen->reason, "%s", text);
    seen->n_failed++;
    seen->why = why;
}

static void take_all(const pid_t *pids, size_t n)
{
    struct ml_stack_target targets[8];
    struct ml_stack_sink sink = {NULL, on_thread, on_failed};
    struct ml_error err;
    for (size_t i = 0; i < n; i++)
        targets[i] = (struct ml_stack_target){.pid = pids[i], .process = (int)i};
    seen->n = seen->n_cut = seen->n_failed = 0;
    seen->why = 0;
    seen->reason[0] = 0;
    seen->vdso = false;
    assert_int_equal(backend->take(state, targets, n, &sink, &err), ML_OK);
}

static void take(pid_t pid)
{
    take_all(&pid, 1);
}

static pid_t start(void (*body)(void))
{
    shared->ready = shared->interrupted = shared->caught = shared->stop = shared->rounds = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    body();
    _exit(0);
}

static char state_of(pid_t pid)
{
    char path[64], line[512], c = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file) && strrchr(line, ')'))
        c = strrchr(line, ')')[2];
    if (file)
        fclose(file);
    return c;
}

static void await_ready(int value)
{
    while (shared->ready < value)
        usleep(1000);
}

static pid_t start_blocked(void (*body)(void))
{
    pid_t pid = start(body);
    await_ready(1);
    while (state_of(pid) != 'S')
        usleep(1000);
    return pid;
}

static void finish(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void assert_seen(size_t i, const char *functions)
{
    if (i >= seen->n)
        fail_msg("no stack %zu, and %zu failed: %s", i, seen->n_failed, seen->reason);
    if (!strstr(seen->text[i], functions))
        fail_msg("%s is not in %s", functions, seen->text[i]);
}

static void ready(void)
{
    __atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
}

/* What the processes do. Each function does something after its call, so that it has a frame. */
static volatile int sink_of_values;
#ifdef __clang__
#define OWN_FRAME __attribute__((noinline))
#else
#define OWN_FRAME __attribute__((noinline, noclone))
#endif

OWN_FRAME static void blocked_in_nanosleep(void)
{
    ready();
    sleep(1000);
    sink_of_values++;
}

OWN_FRAME static void blocked_in_poll(void)
{
    ready();
    poll(NULL, 0, -1);
    sink_of_values++;
}

OWN_FRAME static void blocked_in_futex(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&lock);
    ready();
    pthread_cond_wait(&never, &lock);
    sink_of_values++;
}

OWN_FRAME static void blocked_in_read(void)
{
    int ends[2];
    char byte;
    if (pipe(ends) < 0)
        _exit(1);
    ready();
    sink_of_values = (int)read(ends[0], &byte, 1);
    sink_of_values++;
}

OWN_FRAME static void work(void)
{
    ready();
    while (!shared->stop)
        shared->rounds++;
    sink_of_values++;
}

/* Deeper than the stack was before, and just above the start of its last page. */
OWN_FRAME static void work_at_the_end_of_the_stack(void)
{
    enum { DEEP_B = 512 << 10, ABOVE_B = 48 };
    uintptr_t here = (uintptr_t)__builtin_frame_address(0) - DEEP_B;
    volatile char *last = __builtin_alloca(DEEP_B + here % 4096 - ABOVE_B);
    *last = 1;
    __atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
    while (!shared->stop)
        shared->rounds++;
    sink_of_values = *last;
}

OWN_FRAME static void recurse(int depth, void (*bottom)(void))
{
    volatile char local[2048];
    local[depth] = 1;
    if (depth > 1)
        recurse(depth - 1, bottom);
    else
        bottom();
    local[depth]++;
}

OWN_FRAME static void recurse_and_block(void)
{
    recurse(200, blocked_in_poll);
    sink_of_values++;
}

OWN_FRAME static void recurse_and_work(void)
{
    recurse(200, work);
    sink_of_values++;
}

static void *work_in_thread(void *context)
{
    work();
    return context;
}

static void *block_in_thread(void *context)
{
    blocked_in_poll();
    return context;
}

OWN_FRAME static void run_8_threads(void)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, i % 2 ? work_in_thread : block_in_thread, NULL);
    blocked_in_read();
    sink_of_values++;
}

static void (*in_handler)(void);

OWN_FRAME static void handle(int number)
{
    (void)number;
    in_handler();
    sink_of_values++;
}

OWN_FRAME static void raise_on_other_stack(void)
{
    stack_t other = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    sigaltstack(&other, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sink_of_values++;
}

static void block_in_handler(void)
{
    in_handler = blocked_in_poll;
    raise_on_other_stack();
}

static void work_in_handler(void)
{
    in_handler = work;
    raise_on_other_stack();
}

OWN_FRAME static void ask_the_time(void)
{
    struct timespec t;
    ready();
    while (!shared->stop)
        clock_gettime(CLOCK_MONOTONIC, &t);
    sink_of_values++;
}

static void wait_for_events(void)
{
    int epoll = epoll_create1(0);
    struct epoll_event event;
    ready();
    while (!shared->stop) {
        if (epoll_wait(epoll, &event, 1, 3) < 0 && errno == EINTR)
            shared->interrupted++;
        shared->rounds++;
    }
}

static void count_signal(int number)
{
    (void)number;
    shared->caught++;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = count_signal};
    sigaction(SIGRTMIN, &action, NULL);
    wait_for_events();
}

static void sigusr1_sleep(void)
{
    struct sigaction action = {.sa_handler = count_signal};
    sigaction(SIGUSR1, &action, NULL);
    ready();
    struct epoll_event event;
    int epoll = epoll_create1(0);
    while (!shared->caught) {
        if (epoll_wait(epoll, &event, 1, -1) < 0 && errno == EINTR)
            shared->interrupted++;
    }
}

static void exec_again(void)
{
    char number[16];
    snprintf(number, sizeof number, "%d", 200);
    execl("/proc/self/exe", "unwind_test", "exec", number, NULL);
}

/* The tests. */
static void blocked_threads_run_on(void **context)
{
    (void)context;
    static const struct {
        void (*body)(void);
        const char *function;
    } cases[] = {{blocked_in_nanosleep, "blocked_in_nanosleep<"},
                 {blocked_in_poll, "blocked_in_poll<"},
                 {blocked_in_futex, "blocked_in_futex<"},
                 {blocked_in_read, "blocked_in_read<"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pid_t pid = start_blocked(cases[i].body);
        take(pid); /* code of frame pointers is stopped once */
        take(pid);
        assert_int_equal(seen->n, 1);
        assert_int_equal(seen->n_cut, 0);
        assert_int_equal(seen->stopped_ns[0], 0);
        assert_seen(0, "_start<");
        assert_seen(0, "main<");
        assert_seen(0, cases[i].function);
        finish(pid);
    }
}

static void running_threads_are_stopped_for_it(void **context)
{
    (void)context;
    pid_t pid = start(work);
    await_ready(1);
    take(pid);
    assert_int_equal(seen->n, 1);
    assert_int_equal(seen->n_cut, 0);
    assert_true(seen->stopped_ns[0] > 0);
    assert_seen(0, "start<work<");
    shared->stop = 1; /* it still runs */
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *c = text; (c = strstr(c, word)); c += strlen(word))
        n++;
    return n;
}

/* 400 KiB of stack: the first copy does not hold that. */
static void deep_stacks_are_whole(void **context)
{
    (void)context;
    pid_t pid = start_blocked(recurse_and_block);
    take(pid);
    assert_int_equal(seen->n_cut, 0);
    assert_int_equal(count(seen->text[0], "recurse<"), 200);
    assert_seen(0, "recurse_and_block<recurse<");
    assert_seen(0, "recurse<blocked_in_poll<");
    finish(pid);
    pid = start(recurse_and_work);
    await_ready(1);
    take(pid);
    assert_int_equal(seen->n_cut, 0);
    assert_int_equal(count(seen->text[0], "recurse<"), 200);
    assert_seen(0, "recurse<work<");
    finish(pid);
}

/* The red zone below its pointer is not mapped. */
static void the_end_of_a_stack_is_seen(void **context)
{
    (void)context;
    pid_t pid = start(work_at_the_end_of_the_stack);
    await_ready(1);
    take(pid);
    assert_int_equal(seen->n_failed, 0);
    assert_seen(0, "start<work_at_the_end_of_the_stack<");
    finish(pid);
}

static void all_threads_are_seen(void **context)
{
    (void)context;
    pid_t pid = start(run_8_threads);
    await_ready(9);
    take(pid);
    assert_int_equal(seen->n, 9);
    assert_int_equal(seen->n_cut, 0);
    size_t working = 0, blocked = 0;
    for (size_t i = 0; i < seen->n; i++) {
        working += count(seen->text[i], "work_in_thread<work<");
        blocked += count(seen->text[i], "block_in_thread<blocked_in_poll<");
    }
    assert_int_equal(working, 4);
    assert_int_equal(blocked, 4);
    assert_seen(0, "run_8_threads<blocked_in_read<");
    finish(pid);
}

static void handlers_on_other_stacks_are_seen_through(void **context)
{
    (void)context;
    pid_t pid = start_blocked(block_in_handler);
    take(pid);
    assert_int_equal(seen->n_cut, 0);
    assert_seen(0, "raise_on_other_stack<");
    assert_seen(0, "<signal handler called><handle<blocked_in_poll<");
    finish(pid);
    pid = start(work_in_handler);
    await_ready(1);
    take(pid);
    assert_int_equal(seen->n_cut, 0);
    assert_seen(0, "raise_on_other_stack<");
    assert_seen(0, "<signal handler called><handle<work<");
    finish(pid);
}

static void the_vdso_has_frames(void **context)
{
    (void)context;
    pid_t pid = start(ask_the_time);
    await_ready(1);
    bool found = false;
    for (int i = 0; i < 2000 && !found; i++) {
        take(pid);
        assert_seen(0, "ask_the_time<");
        assert_int_equal(seen->n_cut, 0);
        found = seen->vdso;
    }
    finish(pid);
    if (!found) {
        print_message("skipped: this kernel's clock is not read in the vdso\n");
        skip();
    }
}

static void the_stopped_stay_stopped(void **context)
{
    (void)context;
    void (*bodies[])(void) = {blocked_in_poll, work};
    for (size_t i = 0; i < 2; i++) {
        pid_t pid = start(bodies[i]);
        await_ready(1);
        kill(pid, SIGSTOP);
        while (state_of(pid) != 'T')
            usleep(1000);
        take(pid);
        assert_int_equal(seen->n, 1);
        assert_int_equal(seen->n_cut, 0);
        assert_seen(0, i ? "work<" : "blocked_in_poll<");
        assert_int_equal(state_of(pid), 'T');
        int rounds = shared->rounds;
        struct ml_holder *holder = ml_holder_open();
        struct ml_hold hold = {.pid = pid, .thread = pid, .size_B = 4096};
        ml_holder_take(holder, &hold, 1, ml_mono_now().ns + 10 * ML_NS_PER_S);
        assert_int_equal(hold.error, 0);
        ml_stack_copy_clear(&hold.copy);
        ml_holder_close(holder);
        for (int k = 0; k < 1000 && state_of(pid) != 'T'; k++)
            usleep(1000); /* on its way from our stop to that of job control */
        assert_int_equal(state_of(pid), 'T');
        assert_int_equal(shared->rounds, rounds);
        kill(pid, SIGCONT);
        while (state_of(pid) == 'T')
            usleep(1000);
        finish(pid);
    }
}

/* Threads are stopped in the middle of epoll_wait, again and again, whether that is needed or
 * not.*/
static void hold_often(pid_t pid, int times)
{
    struct ml_holder *holder = ml_holder_open();
    for (int i = 0; i < times; i++) {
        struct ml_hold hold = {.pid = pid, .thread = pid, .size_B = 4096};
        ml_holder_take(holder, &hold, 1, ml_mono_now().ns + 10 * ML_NS_PER_S);
        assert_int_equal(hold.error, 0);
        assert_true(hold.stopped_ns > 0);
        ml_stack_copy_clear(&hold.copy);
        usleep(200);
    }
    ml_holder_close(holder);
}

static void system_calls_are_not_interrupted(void **context)
{
    (void)context;
#if !defined __x86_64__
    print_message("skipped: only x86_64 lets a system call be begun again\n");
    skip();
#endif
    pid_t pid = start(wait_for_events);
    await_ready(1);
    hold_often(pid, 500);
    for (int i = 0; i < 500; i++)
        take(pid);
    shared->stop = 1;
    waitpid(pid, NULL, 0);
    assert_true(shared->rounds > 0);
    assert_int_equal(shared->interrupted, 0);
}

/* A signal with a handler does interrupt, also right after a stop. */
static void handlers_still_interrupt(void **context)
{
    (void)context;
    for (int i = 0; i < 50; i++) {
        pid_t pid = start_blocked(sigusr1_sleep);
        hold_often(pid, 3);
        kill(pid, SIGUSR1);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(shared->interrupted >= 1);
    }
}

static void no_signal_is_lost(void **context)
{
    (void)context;
    enum { SIGNALS = 3000 };
    pid_t pid = start(catch_signals);
    await_ready(1);
    struct ml_holder *holder = ml_holder_open();
    for (int i = 0; i < SIGNALS; i++) {
        union sigval value = {.sival_int = i};
        while (sigqueue(pid, SIGRTMIN, value) < 0)
            usleep(100);
        if (i % 3 == 0)
            take(pid);
        struct ml_hold hold = {.pid = pid, .thread = pid, .size_B = 4096};
        ml_holder_take(holder, &hold, 1, ml_mono_now().ns + 10 * ML_NS_PER_S);
        ml_stack_copy_clear(&hold.copy);
    }
    ml_holder_close(holder);
    for (int i = 0; i < 2000 && shared->caught < SIGNALS; i++)
        usleep(1000);
    assert_int_equal(shared->caught, SIGNALS);
    finish(pid);
}

static void those_that_end_meanwhile_are_gone(void **context)
{
    (void)context;
    for (int i = 0; i < 300; i++) {
        pid_t pid = start(ready);
        if (i % 2)
            await_ready(1);
        take(pid);
        if (seen->n != 1 && seen->why != ML_STACK_GONE)
            fail_msg("%s", seen->reason);
        waitpid(pid, NULL, 0);
    }
    pid_t zombie = start(ready);
    while (state_of(zombie) != 'Z')
        usleep(1000);
    take(zombie);
    assert_int_equal(seen->why, ML_STACK_GONE);
    waitpid(zombie, NULL, 0);
    take(zombie);
    assert_int_equal(seen->why, ML_STACK_GONE);
}

static void exec_is_survived(void **context)
{
    (void)context;
    int ends[2];
    char byte = 0;
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    char number[16];
    snprintf(number, sizeof number, "%d", ends[1]);
    setenv("UNWIND_TEST_DONE", number, 1);
    pid_t pid = start(exec_again);
    size_t good = 0;
    while (read(ends[0], &byte, 1) != 1) {
        take(pid);
        good += seen->n;
        if (seen->n == 0 && seen->why != ML_STACK_GONE)
            fail_msg("%s", seen->reason);
        assert_true(seen->n || state_of(pid) != 't');
    }
    assert_int_equal(byte, 'd');
    assert_true(good > 0);
    waitpid(pid, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static void a_debugger_is_not_disturbed(void **context)
{
    (void)context;
    pid_t target = start(work);
    await_ready(1);
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t tracer = fork();
    if (tracer == 0) {
        byte = ptrace(PTRACE_SEIZE, target, 0, 0) == 0 ? 'y' : 'n';
        if (write(ends[1], &byte, 1) == 1)
            pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    take(target);
    assert_int_equal(seen->n, 0);
    assert_int_equal(seen->why, ML_STACK_TRACED);
    finish(tracer);
    take(target);
    assert_int_equal(seen->n, 1);
    finish(target);
    close(ends[0]);
    close(ends[1]);
}

static void refusal_is_told(void **context)
{
    (void)context;
    pid_t target = start_blocked(blocked_in_poll), taker = fork();
    if (taker == 0) {
        bool root = geteuid() == 0;
        if (root && setuid(65534) < 0)
            _exit(2);
        take(root ? target : 1);
        _exit(seen->n == 0 && seen->why == ML_STACK_REFUSED ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(taker, &status, 0), taker);
    assert_int_equal(status, 0);
    finish(target);
}

static size_t count_fds(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void nothing_is_left_open(void **context)
{
    (void)context;
    pid_t pids[] = {start(run_8_threads), 0};
    await_ready(9);
    pids[1] = start(work);
    await_ready(1);
    take_all(pids, 2);
    size_t before = count_fds();
    for (int i = 0; i < 100; i++)
        take_all(pids, 2);
    assert_int_equal(seen->n, 10);
    assert_int_equal(count_fds(), before);
    finish(pids[0]);
    finish(pids[1]);
    take_all(pids, 2);
    assert_int_equal(seen->n_failed, 2);
}

static int set_up(void **context)
{
    (void)context;
    struct ml_error err;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    seen = ml_alloc(sizeof *seen);
    return shared == MAP_FAILED || backend->open(&state, &err) != ML_OK;
}

static int tear_down(void **context)
{
    (void)context;
    backend->close(state);
    munmap(shared, sizeof *shared);
    free(seen);
    return 0;
}

/* "exec N": N more times. */
static int exec_on(const char *left)
{
    int n = atoi(left);
    char number[16];
    if (n == 0)
        return write(atoi(getenv("UNWIND_TEST_DONE")), "d", 1) == 1 ? 0 : 1;
    snprintf(number, sizeof number, "%d", n - 1);
    execl("/proc/self/exe", "unwind_test", "exec", number, NULL);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "exec") == 0)
        return exec_on(argv[2]);
    if (argc == 2)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocked_threads_run_on),
        cmocka_unit_test(running_threads_are_stopped_for_it),
        cmocka_unit_test(deep_stacks_are_whole),
        cmocka_unit_test(the_end_of_a_stack_is_seen),
        cmocka_unit_test(all_threads_are_seen),
        cmocka_unit_test(handlers_on_other_stacks_are_seen_through),
        cmocka_unit_test(the_vdso_has_frames),
        cmocka_unit_test(the_stopped_stay_stopped),
        cmocka_unit_test(system_calls_are_not_interrupted),
        cmocka_unit_test(handlers_still_interrupt),
        cmocka_unit_test(no_signal_is_lost),
        cmocka_unit_test(those_that_end_meanwhile_are_gone),
        cmocka_unit_test(exec_is_survived),
        cmocka_unit_test(a_debugger_is_not_disturbed),
        cmocka_unit_test(refusal_is_told),
        cmocka_unit_test(nothing_is_left_open),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
