#include "base/channel.h"

#include "base/memory.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wait_for.h"

#define MIB ((size_t)1 << 20)

/* One end, and what came out of it. */
struct end {
    struct ml_channel *channel;
    int n_messages, n_closed;
    size_t n_bytes;
    uint64_t sum; /* of the last that was not empty */
    int n_fds, n_wrong;
    int close_after; /* messages; 0: never */
};

struct pair {
    struct ml_loop *loop;
    struct end a, b;
};

static uint64_t sum_of(const unsigned char *bytes, size_t n)
{
    uint64_t sum = n;
    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

/* A descriptor says in its first bytes to which message it belongs. */
static void look_into(struct end *e, uint32_t type, int fd)
{
    uint32_t said = 0;
    bool wanted = type % 2 == 1;
    if (fd >= 0) {
        e->n_fds++;
        if (pread(fd, &said, sizeof said, 0) != sizeof said || said != type)
            e->n_wrong++;
        close(fd);
    }
    if ((fd >= 0) != wanted)
        e->n_wrong++;
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct end *e = context;
    if (type != (uint32_t)e->n_messages)
        e->n_wrong++;
    look_into(e, type, fd);
    e->n_messages++;
    e->n_bytes += n;
    if (n)
        e->sum = sum_of(bytes, n);
    if (e->n_messages == e->close_after) {
        ml_channel_close(e->channel);
        e->channel = NULL;
    }
}

static void on_closed(void *context)
{
    struct end *e = context;
    e->n_closed++;
    ml_channel_close(e->channel);
    e->channel = NULL;
}

static struct ml_channel *open_end(struct ml_loop *loop, int fd, struct end *e)
{
    struct ml_channel_events events = {e, on_message, on_closed};
    e->channel = ml_channel_open(loop, fd, &events);
    return e->channel;
}

/* The other end of A as a bare socket. */
static int open_one(struct pair *p)
{
    int fds[2];
    *p = (struct pair){.loop = ml_loop_new()};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    open_end(p->loop, fds[0], &p->a);
    return fds[1];
}

static void open_pair(struct pair *p)
{
    int other = open_one(p);
    open_end(p->loop, other, &p->b);
}

static void close_pair(struct pair *p)
{
    ml_channel_close(p->a.channel);
    ml_channel_close(p->b.channel);
    ml_loop_free(p->loop);
}

static int count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static int numbered_fd(uint32_t number)
{
    int fd = memfd_create("number", MFD_CLOEXEC);
    assert_int_equal(write(fd, &number, sizeof number), sizeof number);
    return fd;
}

static void send_numbered(struct ml_channel *c, uint32_t number, const void *bytes, size_t n)
{
    int fd = number % 2 ? numbered_fd(number) : -1;
    ml_channel_send_fd(c, number, bytes, n, fd);
    if (fd >= 0)
        close(fd); /* the channel has its own */
}

static void small_messages(void **state)
{
    struct pair p;
    (void)state;
    open_pair(&p);
    for (uint32_t i = 0; i < 2000; i++)
        send_numbered(p.a.channel, i, "abcdefg", i % 8);
    WAIT_FOR(p.loop, p.b.n_messages == 2000);
    assert_int_equal(p.b.n_wrong, 0);
    assert_int_equal(p.b.n_fds, 1000);
    assert_int_equal(p.b.n_bytes, 2000 / 8 * 28);
    assert_int_equal(ml_channel_backlog(p.a.channel), 0);
    close_pair(&p);
}

static void taken_before_the_loop(void **state)
{
    struct pair p;
    (void)state;
    open_pair(&p);
    ml_channel_take(p.b.channel);
    assert_int_equal(p.b.n_messages, 0);
    ml_channel_send(p.a.channel, 0, "a", 1);
    ml_channel_take(p.b.channel);
    assert_int_equal(p.b.n_messages, 1);
    ml_channel_close(p.a.channel);
    p.a.channel = NULL;
    ml_channel_take(p.b.channel);
    assert_int_equal(p.b.n_closed, 1);
    assert_null(p.b.channel);
    close_pair(&p);
}

static void large_both_ways(void **state)
{
    struct pair p;
    unsigned char *bytes = malloc(8 * MIB);
    (void)state;
    for (size_t i = 0; i < 8 * MIB; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 65536);
    open_pair(&p);
    for (uint32_t i = 0; i < 4; i += 2) {
        ml_channel_send(p.a.channel, i, bytes, 8 * MIB);
        send_numbered(p.a.channel, i + 1, "", 0);
        ml_channel_send(p.b.channel, i, bytes, 8 * MIB - 1);
        send_numbered(p.b.channel, i + 1, "", 0);
    }
    assert_true(ml_channel_backlog(p.a.channel) > 8 * MIB);
    WAIT_FOR(p.loop, p.a.n_messages == 4 && p.b.n_messages == 4);
    assert_true(p.a.sum == sum_of(bytes, 8 * MIB - 1));
    assert_true(p.b.sum == sum_of(bytes, 8 * MIB));
    assert_int_equal(p.a.n_wrong + p.b.n_wrong, 0);
    assert_int_equal(p.a.n_bytes, 16 * MIB - 2);
    assert_int_equal(p.b.n_bytes, 16 * MIB);
    assert_int_equal(ml_channel_backlog(p.b.channel), 0);
    close_pair(&p);
    free(bytes);
}

/* Batched behind large payloads, in chunks that the socket chooses. */
static void descriptors_with_their_messages(void **state)
{
    static char filler[70000];
    struct pair p;
    int before = count_fds();
    (void)state;
    open_pair(&p);
    srandom(5);
    for (uint32_t i = 0; i < 300; i++)
        send_numbered(p.a.channel, i, filler, (size_t)random() % (i % 3 ? 20 : sizeof filler));
    WAIT_FOR(p.loop, p.b.n_messages == 300);
    assert_int_equal(p.b.n_wrong, 0);
    assert_int_equal(p.b.n_fds, 150);
    close_pair(&p);
    assert_int_equal(count_fds(), before);
}

static void unsent_descriptors_are_closed(void **state)
{
    static char filler[70000];
    struct pair p;
    int before = count_fds();
    (void)state;
    open_pair(&p);
    for (uint32_t i = 0; i < 100; i++)
        send_numbered(p.a.channel, i, filler, sizeof filler);
    p.b.close_after = 2;
    WAIT_FOR(p.loop, p.a.n_closed == 1);
    assert_int_equal(p.b.n_messages, 2);
    assert_int_equal(p.b.n_closed, 0);
    close_pair(&p);
    assert_int_equal(count_fds(), before);
}

static void peer_closes(void **state)
{
    struct pair p;
    (void)state;
    open_pair(&p);
    ml_channel_send(p.a.channel, 0, "last", 4);
    send_numbered(p.a.channel, 1, "words", 5);
    ml_channel_close(p.a.channel);
    p.a.channel = NULL;
    WAIT_FOR(p.loop, p.b.n_closed == 1);
    assert_int_equal(p.b.n_messages, 2);
    assert_int_equal(p.b.n_wrong, 0);
    assert_int_equal(p.a.n_closed, 0);
    close_pair(&p);
    ml_channel_close(NULL);
}

static void peer_is_killed(void **state)
{
    struct pair p;
    int other = open_one(&p);
    (void)state;
    pid_t pid = fork();
    if (pid == 0) { /* two messages, half a third, and then never more */
        static const uint32_t bytes[] = {4, 0, 0, 42, 4, 2, 0, 43, 400000, 4, 0, 1, 2};
        ssize_t n = write(other, bytes, sizeof bytes);
        (void)n;
        pause();
    }
    close(other);
    WAIT_FOR(p.loop, p.a.n_messages == 2);
    kill(pid, SIGKILL);
    WAIT_FOR(p.loop, p.a.n_closed == 1);
    assert_int_equal(p.a.n_messages, 2);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close_pair(&p);
}

/* It has stopped reading when it dies, so that much waits to be sent. */
static void peer_is_killed_while_we_send(void **state)
{
    struct pair p;
    int other = open_one(&p);
    char *bytes = calloc(1, MIB);
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        close_range(3, (unsigned)other - 1, 0); /* the loop is the parent's: nothing is called */
        close_range((unsigned)other + 1, ~0U, 0);
        pause();
    }
    close(other);
    ml_channel_send(p.a.channel, 0, bytes, MIB);
    for (int i = 0; i < 3; i++) {
        send_numbered(p.a.channel, 1, bytes, 10);
        assert_true(ml_channel_backlog(p.a.channel) > MIB / 2);
    }
    kill(pid, SIGKILL);
    WAIT_FOR(p.loop, p.a.n_closed == 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close_pair(&p);
    free(bytes);
}

static void garbage(void **state)
{
    static const struct {
        const char *what;
        uint32_t words[4];
        size_t n;
        int messages;
    } table[] = {
        {"text", {0xffffffff, 0, 0}, 12, 0},
        {"HTTP", {0x20544547, 0x54482f20, 0x312f5054}, 12, 0},
        {"two descriptors", {0, 0, 2}, 12, 0},
        {"over 2 GiB", {0x80000001, 0, 0}, 12, 0},
        {"half a head", {0, 0}, 7, 0},
        {"half a payload", {5, 0, 0, 0}, 16, 0},
        {"nothing", {0}, 0, 0},
        {"a head without payload", {0, 0, 0}, 12, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct pair p;
        int other = open_one(&p);
        assert_int_equal(write(other, table[i].words, table[i].n), table[i].n);
        shutdown(other, SHUT_WR);
        WAIT_FOR(p.loop, p.a.n_closed == 1);
        assert_int_equal(p.a.n_messages, table[i].messages);
        close(other);
        close_pair(&p);
    }
}

/* The head promises a descriptor that does not come. */
static void missing_descriptor(void **state)
{
    static const uint32_t heads[] = {0, 0, 0, 0, 1, 1, 0, 2, 0};
    struct pair p;
    int other = open_one(&p);
    (void)state;
    assert_int_equal(write(other, heads, sizeof heads), sizeof heads);
    WAIT_FOR(p.loop, p.a.n_messages == 3);
    assert_int_equal(p.a.n_fds, 0);
    assert_int_equal(p.a.n_wrong, 1);
    close(other);
    close_pair(&p);
}

static void byte_by_byte(void **state)
{
    static const uint32_t words[] = {4, 0, 0, 42, 0, 1, 0, 3, 2, 0};
    struct pair p;
    int other = open_one(&p);
    (void)state;
    for (size_t i = 0; i < sizeof words; i++) {
        assert_int_equal(write(other, (const char *)words + i, 1), 1);
        ml_loop_step(p.loop);
    }
    assert_int_equal(p.a.n_messages, 2);
    assert_int_equal(p.a.n_bytes, 4);
    close(other);
    WAIT_FOR(p.loop, p.a.n_closed == 1);
    close_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_messages),
        cmocka_unit_test(taken_before_the_loop),
        cmocka_unit_test(large_both_ways),
        cmocka_unit_test(descriptors_with_their_messages),
        cmocka_unit_test(unsent_descriptors_are_closed),
        cmocka_unit_test(peer_closes),
        cmocka_unit_test(peer_is_killed),
        cmocka_unit_test(peer_is_killed_while_we_send),
        cmocka_unit_test(garbage),
        cmocka_unit_test(missing_descriptor),
        cmocka_unit_test(byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
