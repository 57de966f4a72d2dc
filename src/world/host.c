#include "world/host.h"

#include "base/channel.h"
#include "base/memory.h"
#include "base/pack.h"
#include "world/meeting.h"
#include "world/names.h"
#include "world/pmi1.h"
#include "world/pmix.h"
#include "world/protocol.h"
#include "world/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who waits for the gatherings, eldest first. */
enum gatherer { FOR_PMI1 = 1, FOR_PMIX };

struct host {
    struct ml_loop *loop;
    struct ml_channel *sampler;
    struct ml_world world;
    struct ml_post post;
    struct ml_meetings *meetings;
    struct ml_names *names;
    struct ml_pmi1 *pmi1;
    struct ml_pmix *pmix; /* NULL: PMI-1 only */
    struct ml_buffer gatherers;
    bool done;
};

static void tell(struct host *h, enum ml_host_message type, const struct ml_buffer *message)
{
    ml_channel_send(h->sampler, type, message->data, message->length);
}

static void gather(struct host *h, enum gatherer who, const void *bytes, size_t n)
{
    char mark = (char)who;
    ml_buffer_append(&h->gatherers, &mark, 1);
    ml_channel_send(h->sampler, ML_HOST_GATHER, bytes, n);
}

static void gather_pmi1(void *context, const struct ml_buffer *bytes)
{
    gather(context, FOR_PMI1, bytes->data, bytes->length);
}

static void gather_pmix(void *context, const void *bytes, size_t n)
{
    gather(context, FOR_PMIX, bytes, n);
}

static void gathered(struct host *h, const void *bytes, size_t n)
{
    if (h->gatherers.length == 0)
        return;
    char who = h->gatherers.data[0];
    ml_buffer_consume(&h->gatherers, 1);
    if (who == FOR_PMI1)
        ml_pmi1_gathered(h->pmi1, bytes, n);
    else
        ml_pmix_gathered(h->pmix, bytes, n);
}

static void report_state(void *context, int rank, enum ml_rank_state state)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, rank);
    ml_pack_int(&message, state);
    tell(context, ML_HOST_STATE, &message);
    ml_buffer_free(&message);
}

static void report_abort(void *context, int rank, int code, const char *text)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, rank);
    ml_pack_int(&message, code);
    ml_pack_text(&message, text);
    tell(context, ML_HOST_ABORT, &message);
    ml_buffer_free(&message);
}

static void post(void *context, int to, enum ml_service service, const struct ml_buffer *bytes)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, to);
    ml_pack_int(&message, service);
    ml_buffer_append(&message, bytes->data, bytes->length);
    tell(context, ML_HOST_POST, &message);
    ml_buffer_free(&message);
}

static void received(struct host *h, const void *bytes, size_t n_bytes)
{
    struct ml_unpacker u = ml_unpack(bytes, n_bytes);
    int from = (int)ml_unpack_int(&u);
    int64_t service = ml_unpack_int(&u);
    size_t n;
    const void *rest = ml_unpack_rest(&u, &n);
    if (u.failed)
        return;
    if (service == ML_SERVICE_MEETING)
        ml_meetings_receive(h->meetings, from, rest, n);
    else if (service == ML_SERVICE_NAMES)
        ml_names_receive(h->names, from, rest, n);
    else if (service == ML_SERVICE_MODEX && h->pmix)
        ml_pmix_receive(h->pmix, from, rest, n);
}

/* What PMI-1 wants in the environment, but for PMI_FD, which the starter numbers. */
static int pack_pmi1_environment(const struct host *h, int rank, struct ml_buffer *out)
{
    char *entries[] = {
        ml_format("PMI_RANK=%d", rank),
        ml_format("PMI_SIZE=%d", h->world.n_ranks),
        ml_format("PMI_SPAWNED=0"),
    };
    int n = sizeof entries / sizeof *entries;
    for (int i = 0; i < n; i++) {
        ml_pack_text(out, entries[i]);
        free(entries[i]);
    }
    return n;
}

static void offer_rank(struct host *h, int rank)
{
    struct ml_buffer entries = {0}, message = {0};
    int fd = ml_pmi1_add_rank(h->pmi1, rank);
    int n = pack_pmi1_environment(h, rank, &entries);
    if (h->pmix)
        n += ml_pmix_environment(h->pmix, rank, &entries);
    ml_pack_int(&message, rank);
    ml_pack_int(&message, n);
    ml_buffer_append(&message, entries.data, entries.length);
    ml_channel_send_fd(h->sampler, ML_HOST_RANK, message.data, message.length, fd);
    close(fd);
    ml_buffer_free(&entries);
    ml_buffer_free(&message);
}

static void open_servers(struct host *h, struct ml_error *err)
{
    h->post = (struct ml_post){h, h->world.here, post};
    h->meetings = ml_meetings_new(&h->post);
    h->names = ml_names_new(h->loop, &h->post);
    struct ml_pmi1_host for_pmi1 = {h, gather_pmi1, report_state, report_abort};
    h->pmi1 = ml_pmi1_new(h->loop, &h->world, h->names, &for_pmi1);
    struct ml_pmix_host for_pmix = {h->loop, &h->world,   h->names,     h->meetings, &h->post,
                                    h,       gather_pmix, report_state, report_abort};
    if (ml_pmix_open(&for_pmix, &h->pmix, err) != ML_OK)
        h->pmix = NULL;
}

static void set_up(struct host *h, const void *bytes, size_t n)
{
    struct ml_error err = {""};
    struct ml_unpacker u = ml_unpack(bytes, n);
    struct ml_buffer message = {0};
    if (!ml_world_unpack(&u, &h->world)) {
        h->done = true;
        return;
    }
    open_servers(h, &err);
    ml_pack_text(&message, err.text);
    tell(h, ML_HOST_READY, &message);
    ml_buffer_free(&message);
    for (int rank = 0; rank < h->world.n_ranks; rank++) {
        if (h->world.host_of[rank] == h->world.here)
            offer_rank(h, rank);
    }
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct host *h = context;
    if (fd >= 0)
        close(fd);
    if (type == ML_HOST_SETUP && !h->pmi1)
        set_up(h, bytes, n);
    else if (type == ML_HOST_GATHERED && h->pmi1)
        gathered(h, bytes, n);
    else if (type == ML_HOST_RECEIVED && h->pmi1)
        received(h, bytes, n);
}

static void on_closed(void *context)
{
    struct host *h = context;
    h->done = true;
}

_Noreturn void ml_host_run(int fd)
{
    struct host h = {.loop = ml_loop_new()};
    struct ml_channel_events events = {&h, on_message, on_closed};
    h.sampler = ml_channel_open(h.loop, fd, &events);
    ml_loop_run_until(h.loop, &h.done);
    _exit(0); /* without libpmix's farewell: its clients are gone, its files the sampling rank's */
}
