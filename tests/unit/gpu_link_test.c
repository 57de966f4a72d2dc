/* A GPU server that asks a made-up NVML, and may hang or die, as its sampling rank sees it. */
#include "orders/gpu_link.h"

#include "../support/fake_proc.h"
#include "gpu/server.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wait_for.h"

#define TELLS(...) fake_proc_write(&folder, "behaviour", __VA_ARGS__)

/* Whoever does not answer at once is silent. */
static const struct ml_gpu_patience none = {1, 1}, ample = {3600 * ML_NS_PER_S, 3600 * ML_NS_PER_S};

static struct fake_proc folder;
static struct ml_loop *loop;
static struct ml_starter *starter;
static struct ml_gpu_link *server;
static pid_t pid;
static int n_devices, n_ready, n_samples, n_looked, n_lost;
static bool hurt;
static char why[256];

static _Noreturn void serve(int fd)
{
    ml_gpu_serve_library(fd, MEMLOG_SUPPORT "/nvml_3/libnvidia-ml.so.1");
}

static void on_started(void *context, const struct ml_started *started)
{
    (void)context;
    (void)started;
}

static void on_helper_started(void *context, int helper, pid_t number)
{
    (void)context;
    (void)helper;
    pid = number;
    ml_gpu_link_started(server, pid);
}

static void on_starter_lost(void *context)
{
    (void)context;
}

static void on_device(void *context, const struct ml_gpu_told_device *device)
{
    (void)context;
    assert_int_equal(device->minor, n_devices);
    n_devices++;
}

static void on_ready(void *context)
{
    (void)context;
    n_ready++;
}

static void on_sample(void *context, const struct ml_gpu_told_sample *sample)
{
    (void)context;
    assert_int_equal(sample->n, sample->device == 1);
    n_samples++;
}

static void on_looked(void *context, int64_t cpu_ns)
{
    (void)context;
    assert_true(cpu_ns > 0);
    n_looked++;
}

static void on_lost(void *context, bool was_hurt, const char *text)
{
    (void)context;
    n_lost++;
    hurt = was_hurt;
    snprintf(why, sizeof why, "%s", text);
}

static void begin(const struct ml_gpu_patience *patience)
{
    static const struct ml_starter_helper helpers[] = {{"memlog-gpus", serve}};
    static const struct ml_starter_events on = {NULL, on_started, on_helper_started,
                                                on_starter_lost};
    static const struct ml_gpu_link_events events = {NULL,      on_device, on_ready,
                                                     on_sample, on_looked, on_lost};
    char *command[] = {"true", NULL};
    struct ml_error err;
    pid_t starter_pid;
    pid = 0;
    n_devices = n_ready = n_samples = n_looked = n_lost = 0;
    loop = ml_loop_new();
    int fd = ml_starter_fork(command, helpers, &starter_pid);
    assert_true(fd >= 0);
    starter = ml_starter_open(loop, fd, &on);
    assert_int_equal(ml_gpu_link_open(loop, starter, 0, patience, &events, &server, &err), ML_OK);
    WAIT_FOR(loop, pid > 0);
}

static void end(void)
{
    ml_gpu_link_close(server);
    assert_true(kill(pid, 0) < 0 && errno == ESRCH); /* it was waited for */
    ml_starter_close(starter);
    ml_loop_free(loop);
}

static int make_folder(void **state)
{
    (void)state;
    fake_proc_open(&folder);
    setenv("MADE_UP_NVML", folder.root, 1);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    fake_proc_close(&folder);
    return 0;
}

static void tells_what_it_sees(void **state)
{
    (void)state;
    TELLS("devices 3\n");
    fake_proc_write(&folder, "7", "1 5000\n");
    begin(&ample);
    WAIT_FOR(loop, n_ready == 1);
    assert_true(n_devices == 3 && ml_gpu_link_idle(server) && !ml_gpu_link_begins(server));
    for (int i = 1; i < 3; i++) {
        ml_gpu_link_look(server);
        assert_false(ml_gpu_link_idle(server));
        WAIT_FOR(loop, n_looked == i);
        assert_true(n_samples == 3 * i && ml_gpu_link_idle(server));
    }
    end();
    assert_int_equal(n_lost, 0);
}

static void says_that_it_cannot(void **state)
{
    (void)state;
    TELLS("error nvmlInit_v2 9\n");
    begin(&ample);
    WAIT_FOR(loop, n_lost);
    assert_false(hurt);
    assert_string_equal(why, "nvmlInit: Some error (9)");
    assert_false(ml_gpu_link_idle(server) || ml_gpu_link_begins(server));
    end();
    assert_true(n_devices == 0 && n_lost == 1);
}

static void hangs_at_the_start(void **state)
{
    static const char *const calls[] = {"nvmlInit_v2", "nvmlDeviceGetUUID"};
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        TELLS("hang %s\n", calls[i]);
        begin(&none);
        WAIT_FOR(loop, n_lost);
        assert_true(hurt && n_ready == 0);
        assert_non_null(strstr(why, "NVML did not answer"));
        end();
    }
}

static void hangs_in_a_look(void **state)
{
    (void)state;
    TELLS("devices 2\n");
    begin(&(struct ml_gpu_patience){ample.begin_ns, none.look_ns});
    WAIT_FOR(loop, n_ready == 1);
    TELLS("hang nvmlDeviceGetMemoryInfo_v2\n");
    ml_gpu_link_look(server);
    WAIT_FOR(loop, n_lost);
    assert_true(hurt && n_looked == 0);
    end();
}

static void dies(void **state)
{
    (void)state;
    TELLS("die nvmlDeviceGetCount_v2\n");
    begin(&ample);
    WAIT_FOR(loop, n_lost);
    assert_true(hurt);
    assert_string_equal(why, "the process that asks NVML died");
    end();
    assert_int_equal(n_lost, 1);
}

static void is_ended_while_it_hangs(void **state)
{
    (void)state;
    TELLS("hang nvmlInit_v2\n");
    begin(&ample);
    assert_true(ml_gpu_link_begins(server));
    end();
    assert_int_equal(n_lost, 0);
}

/* One that hangs hears of no closed socket. */
static void does_not_outlive_the_sampling_rank(void **state)
{
    (void)state;
    TELLS("hang nvmlInit_v2\n");
    int report[2];
    assert_int_equal(pipe(report), 0);
    pid_t child = fork();
    if (child == 0) {
        close(report[0]);
        begin(&ample); /* the server has no end of the pipe */
        ssize_t ignored = write(report[1], &pid, sizeof pid);
        (void)ignored;
        _exit(0);
    }
    close(report[1]);
    assert_int_equal(read(report[0], &pid, sizeof pid), sizeof pid);
    close(report[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    loop = ml_loop_new();
    WAIT_FOR(loop, kill(pid, 0) < 0 && errno == ESRCH);
    ml_loop_free(loop);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_what_it_sees),
        TEST(says_that_it_cannot),
        TEST(hangs_at_the_start),
        TEST(hangs_in_a_look),
        TEST(dies),
        TEST(is_ended_while_it_hangs),
        TEST(does_not_outlive_the_sampling_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
