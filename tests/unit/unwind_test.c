/* The stacks of our own unwinder, of processes that this test starts. */
#include "taken.h"
#include "targets.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

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
        await_state(pid, 'S');
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

int main(int argc, char **argv)
{
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
        cmocka_unit_test(refusal_is_told),
        cmocka_unit_test(nothing_is_left_open),
    };
    return cmocka_run_group_tests(tests, taken_open, taken_close);
}
