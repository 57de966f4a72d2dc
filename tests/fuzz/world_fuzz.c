/* libFuzzer: messages between our processes. The first byte chooses what they are taken for. What
 * can be unpacked is the same after packing and unpacking once more. */
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "world/meeting.h"
#include "world/names.h"
#include "world/world.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void as_world(const char *bytes, size_t n)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    struct ml_world world, again;
    if (ml_world_unpack(&u, &world)) {
        struct ml_buffer first = {0}, second = {0}, text = {0};
        ml_world_pack(&world, &first);
        u = ml_unpack(first.data, first.length);
        must(ml_world_unpack(&u, &again) && u.cursor == u.end);
        ml_world_pack(&again, &second);
        must(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
        if (world.n_ranks > 0 && world.n_ranks < 1000)
            ml_world_process_mapping(&world, &text);
        ml_world_free(&again);
        ml_buffer_free(&first);
        ml_buffer_free(&second);
        ml_buffer_free(&text);
    }
    ml_world_free(&world);
}

/* The bytes say what to unpack. */
static void as_message(const char *bytes, size_t n)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    const uint8_t *start = u.cursor;
    for (size_t i = 0; i < n; i++) {
        size_t length = 0;
        if (bytes[i] % 4 == 0)
            ml_unpack_int(&u);
        else if (bytes[i] % 4 == 1)
            length = strlen(ml_unpack_text(&u));
        else if (bytes[i] % 4 == 2)
            ml_unpack_bytes(&u, &length);
        else
            free(ml_unpack_texts(&u, &length));
        must(u.cursor >= start && u.cursor <= u.end && length <= n);
    }
}

static void post(void *context, int to, enum ml_service service, const struct ml_buffer *bytes)
{
    (void)context;
    (void)to;
    must(service <= ML_SERVICE_NAMES && (bytes->data || !bytes->length));
}

static void answered(void *context, enum ml_names_status status, const void *value, size_t n)
{
    (void)context;
    (void)status;
    must(value || !n);
}

/* Letters of at most 255 bytes, each with its length before it. */
static void as_letters(const uint8_t *bytes, size_t n, bool of_names)
{
    struct ml_loop *loop = ml_loop_new();
    struct ml_post way = {NULL, 0, post};
    struct ml_names *names = ml_names_new(loop, &way);
    struct ml_meetings *meetings = ml_meetings_new(&way);
    ml_names_lookup(names, "k", -1, answered, NULL);
    while (n > 1) {
        size_t length = bytes[0] < n - 1 ? bytes[0] : n - 1;
        ML_AUTO_FREE char *letter = malloc(length ? length : 1);
        memcpy(letter, bytes + 1, length);
        if (of_names)
            ml_names_receive(names, 1, letter, length);
        else
            ml_meetings_receive(meetings, 1, letter, length);
        bytes += 1 + length;
        n -= 1 + length;
    }
    ml_meetings_free(meetings);
    ml_names_free(names);
    ml_loop_free(loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t n = size - 1;
    ML_AUTO_FREE char *bytes = malloc(n ? n : 1); /* exact: the sanitizer sees reads behind it */
    memcpy(bytes, data + 1, n);
    if (data[0] % 4 == 0)
        as_world(bytes, n);
    else if (data[0] % 4 == 1)
        as_message(bytes, n);
    else
        as_letters(data + 1, n, data[0] % 4 == 2);
    return 0;
}
