/* libFuzzer: what a rank may write on its PMI-1 socket; the parser alone, and the server. */
#include "world/pmi1.h"
#include "world/pmi1_wire.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* What is found lies inside the line, and says what the line says. */
static void parse(const uint8_t *data, size_t size)
{
    ML_AUTO_FREE char *line = malloc(size + 1); /* exact, so that the sanitizer sees reads behind */
    struct ml_pmi1_command command;
    memcpy(line, data, size);
    line[size] = 0;
    if (!ml_pmi1_parse(line, &command))
        return;
    must(command.n_words <= ML_PMI1_MAX_WORDS);
    for (size_t i = 0; i < command.n_words; i++) {
        const char *key = command.words[i].key, *value = command.words[i].value;
        must(key >= line && value > key && value + strlen(value) <= line + size);
        must(data[value - 1 - line] == '=' && ml_pmi1_word(&command, key));
    }
}

/* ---- the server, with this process at the other end ---- */

struct bed {
    struct ml_buffer letters[64]; /* to our own names */
    size_t n_letters;
    struct ml_buffer gathered;
    bool gathers;
};

static void post(void *context, int to, enum ml_service service, const struct ml_buffer *bytes)
{
    struct bed *bed = context;
    must(to == 0 && service == ML_SERVICE_NAMES);
    if (bed->n_letters < sizeof bed->letters / sizeof *bed->letters)
        ml_buffer_append(&bed->letters[bed->n_letters++], bytes->data, bytes->length);
}

static void on_gather(void *context, const struct ml_buffer *bytes)
{
    struct bed *bed = context;
    ml_buffer_append(&bed->gathered, bytes->data, bytes->length);
    bed->gathers = true;
}

static void on_state(void *context, int rank, enum ml_rank_state state)
{
    (void)context;
    must(rank == 0 && state <= ML_RANK_FINALIZED);
}

static void on_abort(void *context, int rank, int code, const char *text)
{
    (void)context;
    (void)code;
    must(rank == 0 && strlen(text) < 1 << 20);
}

static void answer(struct bed *bed, struct ml_pmi1 *pmi, struct ml_names *names)
{
    for (size_t i = 0; i < bed->n_letters; i++) { /* the answers come behind the questions */
        struct ml_buffer letter = bed->letters[i];
        ml_names_receive(names, 0, letter.data, letter.length);
    }
    for (size_t i = 0; i < bed->n_letters; i++)
        ml_buffer_free(&bed->letters[i]);
    memset(bed->letters, 0, sizeof bed->letters);
    bed->n_letters = 0;
    if (bed->gathers)
        ml_pmi1_gathered(pmi, bed->gathered.data, bed->gathered.length);
    ml_buffer_clear(&bed->gathered);
    bed->gathers = false;
}

/* Every answer is whole lines. */
static void read_answers(int fd)
{
    char bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    must(n <= 0 || (bytes[n - 1] == '\n' && !memchr(bytes, 0, (size_t)n)));
}

/* Refused at once, or answered never. */
static void on_spawn(void *context, int rank, const struct ml_spawn_call *call)
{
    struct ml_spawn_rank run;
    (void)context;
    (void)rank;
    if (ml_spawn_find_rank(call->apps, call->n_apps, 0, &run)) {
        free(run.command);
        free(run.settings);
    }
}

static void serve(const uint8_t *data, size_t size)
{
    enum { PART = 64 }; /* so little that its answers fit into the socket */
    static struct ml_run on_the_first = {0};
    static char *names_of_hosts[] = {"n1"};
    struct ml_world world = {.id = "w",
                             .n_ranks = 1,
                             .host_of = {1, &on_the_first, 1, 1},
                             .n_hosts = 1,
                             .host_names = names_of_hosts};
    struct bed bed = {.n_letters = 0};
    struct ml_loop *loop = ml_loop_new();
    struct ml_post way = {&bed, 0, post};
    struct ml_pmi1_host host = {&bed, on_gather, on_state, on_abort, on_spawn};
    struct ml_names *names = ml_names_new(loop, &way);
    struct ml_pmi1 *pmi = ml_pmi1_new(loop, &world, names, &host);
    ML_AUTO_FD int fd = ml_pmi1_add_rank(pmi, 0);
    for (size_t at = 0; at < size; at += PART) {
        if (send(fd, data + at, size - at < PART ? size - at : PART, MSG_NOSIGNAL) <= 0)
            break;
        ml_loop_step(loop);
        answer(&bed, pmi, names);
        answer(&bed, pmi, names);
        read_answers(fd);
    }
    for (size_t i = 0; i < bed.n_letters; i++)
        ml_buffer_free(&bed.letters[i]);
    ml_buffer_free(&bed.gathered);
    ml_pmi1_free(pmi);
    ml_names_free(names);
    ml_loop_free(loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size);
    serve(data, size);
    return 0;
}
