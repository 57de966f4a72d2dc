/* What a stack server answers to a question of names, as its sampling rank hears it. */
#include "base/channel.h"
#include "base/memory.h"
#include "base/pack.h"
#include "record/tables.h"
#include "stack/protocol.h"
#include "stack/server.h"
#include "symbols/maps.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SITE = 900, FRAMES = 64 };

struct heard {
    struct ml_loop *loop;
    char *functions[FRAMES]; /* of the frames, as they came */
    size_t n_frames;
    int32_t frame_of[FRAMES]; /* of the stacks, likewise */
    size_t n_stacks;
    int64_t unnamed, named; /* the site's stack; -1: not heard so far */
    bool done;
};

static void hear_frames(struct heard *h, const uint8_t *p, const uint8_t *end)
{
    struct ml_frame_row row;
    while (p < end && h->n_frames < FRAMES) {
        assert_true(ml_row_unpack(&ml_table_frames, &p, end, &row));
        h->functions[h->n_frames++] = ml_strdup(row.function);
    }
}

static void hear_stacks(struct heard *h, const uint8_t *p, const uint8_t *end)
{
    struct ml_stack_row row;
    while (p < end && h->n_stacks < FRAMES) {
        assert_true(ml_row_unpack(&ml_table_stacks, &p, end, &row));
        h->frame_of[h->n_stacks++] = row.frame;
    }
}

static int64_t hear_site(struct heard *h, const uint8_t *p, const uint8_t *end)
{
    int64_t site = 0, stack = 0;
    assert_true(ml_varint_read(&p, end, &site) && ml_varint_read(&p, end, &stack));
    assert_true(p == end && site == SITE && stack >= 0 && (size_t)stack < h->n_stacks);
    return stack;
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct heard *h = context;
    struct ml_unpacker u = ml_unpack(bytes, n);
    assert_int_equal(fd, -1);
    if (type != ML_STACK_FRAMES && type != ML_STACK_STACKS && type != ML_STACK_SITES_UNNAMED &&
        type != ML_STACK_SITES)
        return;
    ml_unpack_int(&u);
    size_t size;
    const uint8_t *rows = ml_unpack_rest(&u, &size);
    if (type == ML_STACK_FRAMES)
        hear_frames(h, rows, rows + size);
    else if (type == ML_STACK_STACKS)
        hear_stacks(h, rows, rows + size);
    else if (type == ML_STACK_SITES_UNNAMED)
        h->unnamed = hear_site(h, rows, rows + size);
    else
        h->named = hear_site(h, rows, rows + size);
    h->done = h->named >= 0;
}

static void on_closed(void *context)
{
    struct heard *h = context;
    h->done = true;
}

static pid_t start_server(int *out_fd)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        ml_stack_serve(fds[1]);
    }
    close(fds[1]);
    *out_fd = fds[0];
    return pid;
}

static void open_server(struct ml_channel *channel)
{
    struct ml_buffer message = {0};
    ml_pack_text(&message, "unwind");
    ml_pack_int(&message, 0);
    ml_pack_int(&message, 0);
    ml_channel_send(channel, ML_STACK_OPEN, message.data, message.length);
    ml_buffer_free(&message);
}

/* One site, with one call: of a place in this file's code. */
static void ask(struct ml_channel *channel, const struct ml_map *map, uint64_t pc)
{
    struct ml_buffer message = {0};
    const int64_t before[] = {
        getpid(), 5, 1, (int64_t)map->start, (int64_t)map->end, (int64_t)map->offset};
    const int64_t after[] = {1, SITE, false, 1, (int64_t)pc};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        ml_pack_int(&message, before[i]);
    ml_pack_text(&message, map->path);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        ml_pack_int(&message, after[i]);
    ml_channel_send(channel, ML_STACK_NAME, message.data, message.length);
    ml_buffer_free(&message);
}

static void read_maps(struct ml_maps *maps)
{
    static char text[1 << 18];
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    for (ssize_t got = 1; got > 0; n += (size_t)got) {
        got = read(fd, text + n, sizeof text - n);
        assert_true(got >= 0);
    }
    close(fd);
    ml_maps_parse(text, n, maps);
}

static const char *function_of(const struct heard *h, int64_t stack)
{
    return h->functions[h->frame_of[stack]];
}

/* Whoever is killed before the names are read has the addresses. */
static void a_site_has_its_stack_before_its_names(void **state)
{
    struct heard h = {.loop = ml_loop_new(), .unnamed = -1, .named = -1};
    const struct ml_channel_events events = {&h, on_message, on_closed};
    struct ml_maps maps = {0};
    int fd;
    (void)state;
    pid_t server = start_server(&fd);
    struct ml_channel *channel = ml_channel_open(h.loop, fd, &events);
    uint64_t pc = (uint64_t)(uintptr_t)read_maps + 4;
    read_maps(&maps);
    open_server(channel);
    ask(channel, ml_maps_find(&maps, pc), pc);
    ml_loop_run_until(h.loop, &h.done);
    assert_true(h.named >= 0 && h.unnamed >= 0);
    assert_string_equal(function_of(&h, h.unnamed), "");
    assert_string_equal(function_of(&h, h.named), "read_maps");
    ml_channel_close(channel);
    assert_int_equal(waitpid(server, NULL, 0), server);
    for (size_t i = 0; i < h.n_frames; i++)
        free(h.functions[i]);
    ml_maps_free(&maps);
    ml_loop_free(h.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_has_its_stack_before_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
