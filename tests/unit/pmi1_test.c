#include "world/pmi1.h"

#include "base/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "wait_for.h"

enum { N_LOCAL = 3 };

/* A world host with 3 of the world's 5 ranks; the names are kept here too. */
struct bed {
    struct ml_loop *loop;
    struct ml_world world;
    struct ml_names *names;
    struct ml_pmi1 *pmi;
    struct ml_buffer letter; /* at most one lies in the post */
    struct ml_buffer gathered;
    int n_gathers, states[5], n_states;
    int aborted, code;
    int spawner;
    struct ml_buffer apps, put; /* of what it spawns */
    char text[64];
    int fds[N_LOCAL];
    char line[4096];
};

static int ranks_here[N_LOCAL] = {0, 1, 4};
static int host_of[] = {0, 0, 1, 1, 0};
static char *host_names[] = {"n1", "n2"};

static void post(void *context, int to, enum ml_service service, const struct ml_buffer *bytes)
{
    struct bed *bed = context;
    assert_int_equal(to, 0);
    assert_int_equal(service, ML_SERVICE_NAMES);
    assert_int_equal(bed->letter.length, 0);
    ml_buffer_append(&bed->letter, bytes->data, bytes->length);
}

static bool deliver(struct bed *bed)
{
    struct ml_buffer letter = bed->letter;
    bed->letter = (struct ml_buffer){0};
    if (letter.length)
        ml_names_receive(bed->names, 0, letter.data, letter.length);
    ml_buffer_free(&letter);
    return true;
}

static void on_gather(void *context, const struct ml_buffer *bytes)
{
    struct bed *bed = context;
    bed->n_gathers++;
    ml_buffer_clear(&bed->gathered);
    ml_buffer_append(&bed->gathered, bytes->data, bytes->length);
}

static void on_state(void *context, int rank, enum ml_rank_state state)
{
    struct bed *bed = context;
    bed->states[rank] = (int)state;
    bed->n_states++;
}

static void on_abort(void *context, int rank, int code, const char *text)
{
    struct bed *bed = context;
    bed->aborted = rank;
    bed->code = code;
    snprintf(bed->text, sizeof bed->text, "%s", text);
}

static void on_spawn(void *context, int rank, const struct ml_spawn_call *call)
{
    struct bed *bed = context;
    bed->spawner = rank;
    ml_buffer_append(&bed->apps, call->apps, call->n_apps);
    ml_buffer_append(&bed->put, call->put, call->n_put);
}

static int set_up(void **state)
{
    struct bed *bed = ml_alloc(sizeof *bed);
    bed->loop = ml_loop_new();
    bed->world = (struct ml_world){.id = "memlog-w1",
                                   .n_ranks = 5,
                                   .host_of = ml_runs_of(host_of, 5),
                                   .n_hosts = 2,
                                   .host_names = host_names,
                                   .universe_size = -1};
    struct ml_post way = {bed, 0, post};
    struct ml_pmi1_host host = {bed, on_gather, on_state, on_abort, on_spawn};
    bed->names = ml_names_new(bed->loop, &way);
    bed->pmi = ml_pmi1_new(bed->loop, &bed->world, bed->names, &host);
    for (int i = 0; i < N_LOCAL; i++)
        bed->fds[i] = ml_pmi1_add_rank(bed->pmi, ranks_here[i]);
    *state = bed;
    return 0;
}

static int tear_down(void **state)
{
    struct bed *bed = *state;
    for (int i = 0; i < N_LOCAL; i++) {
        if (bed->fds[i] >= 0)
            close(bed->fds[i]);
    }
    ml_pmi1_free(bed->pmi);
    ml_pmi1_free(NULL);
    ml_names_free(bed->names);
    ml_buffer_free(&bed->gathered);
    ml_buffer_free(&bed->apps);
    ml_buffer_free(&bed->put);
    ml_buffer_free(&bed->letter);
    ml_runs_free(&bed->world.host_of);
    ml_loop_free(bed->loop);
    free(bed);
    return 0;
}

/* ---- a client ---- */

static void say(struct bed *bed, int i, const char *text)
{
    size_t n = strlen(text);
    assert_int_equal(send(bed->fds[i], text, n, MSG_NOSIGNAL), n);
}

static bool read_line(struct bed *bed, int i)
{
    size_t n = strlen(bed->line);
    ssize_t k = recv(bed->fds[i], bed->line + n, sizeof bed->line - 1 - n, MSG_DONTWAIT);
    if (k > 0)
        bed->line[n + (size_t)k] = 0;
    return strchr(bed->line, '\n') != NULL;
}

/* Exactly the lines ANSWER come. */
static void hear(struct bed *bed, int i, const char *answer)
{
    memset(bed->line, 0, sizeof bed->line);
    WAIT_FOR(bed->loop, deliver(bed) && read_line(bed, i) && strlen(bed->line) >= strlen(answer));
    assert_string_equal(bed->line, answer);
}

static void ask(struct bed *bed, int i, const char *question, const char *answer)
{
    say(bed, i, question);
    hear(bed, i, answer);
}

static void still_serves(struct bed *bed, int i)
{
    ask(bed, i, "cmd=get_appnum\n", "cmd=appnum appnum=0\n");
}

/* ---- tests ---- */

static void start(void **state)
{
    struct bed *bed = *state;
    for (int i = 0; i < N_LOCAL; i++) {
        ask(bed, i, "cmd=init pmi_version=1 pmi_subversion=1\n",
            "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0\n");
        ask(bed, i, "cmd=get_maxes\n", "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=1024\n");
        ask(bed, i, "cmd=get_appnum\n", "cmd=appnum appnum=0\n");
        ask(bed, i, "cmd=get_my_kvsname\n", "cmd=my_kvsname kvsname=memlog-w1\n");
        ask(bed, i, "cmd=get_universe_size\n", "cmd=universe_size size=-1\n");
        ask(bed, i, "cmd=get kvsname=memlog-w1 key=PMI_process_mapping\n",
            "cmd=get_result rc=0 msg=success value=(vector,(0,2,2),(0,1,1))\n");
        assert_int_equal(bed->states[ranks_here[i]], ML_RANK_CONNECTED);
    }
    assert_int_equal(bed->n_states, 3);
    ask(bed, 0, "cmd=init pmi_version=2 pmi_subversion=0\n",
        "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=-1\n");
    ask(bed, 0, "cmd=finalize\n", "cmd=finalize_ack\n");
    assert_int_equal(bed->states[0], ML_RANK_FINALIZED);
    assert_int_equal(bed->n_states, 4);
}

/* The other host's part comes with the sum. */
static void answer_gather(struct bed *bed, const char *more, size_t n)
{
    ml_buffer_append(&bed->gathered, more, n);
    ml_pmi1_gathered(bed->pmi, bed->gathered.data, bed->gathered.length);
}

static void put_barrier_get(void **state)
{
    struct bed *bed = *state;
    ask(bed, 0, "cmd=put kvsname=memlog-w1 key=P0 value=a b=c\n",
        "cmd=put_result rc=0 msg=success\n");
    ask(bed, 2, "cmd=put kvsname=memlog-w1 key=P4 value=\n", "cmd=put_result rc=0 msg=success\n");
    say(bed, 0, "cmd=barrier_in\n");
    say(bed, 1, "cmd=barrier_in\ncmd=barrier_in\n"); /* one too many counts once */
    still_serves(bed, 2);
    assert_int_equal(bed->n_gathers, 0);
    say(bed, 2, "cmd=barrier_in\n");
    WAIT_FOR(bed->loop, bed->n_gathers == 1);
    answer_gather(bed, "P2\0two", 7);
    for (int i = 0; i < N_LOCAL; i++)
        hear(bed, i, "cmd=barrier_out\n");
    for (int i = 0; i < N_LOCAL; i++) {
        ask(bed, i, "cmd=get kvsname=memlog-w1 key=P0\n",
            "cmd=get_result rc=0 msg=success value=a b=c\n");
        ask(bed, i, "cmd=get kvsname=memlog-w1 key=P2\n",
            "cmd=get_result rc=0 msg=success value=two\n");
        ask(bed, i, "cmd=get kvsname=memlog-w1 key=P4\n",
            "cmd=get_result rc=0 msg=success value=\n");
        ask(bed, i, "cmd=get kvsname=memlog-w1 key=P3\n",
            "cmd=get_result rc=-1 msg=key_not_found value=unknown\n");
    }
    assert_int_equal(bed->n_gathers, 1);
}

static void barriers_again(void **state)
{
    struct bed *bed = *state;
    for (int round = 1; round <= 20; round++) {
        char put[64], got[64];
        sprintf(put, "cmd=put kvsname=w key=k value=%d\n", round);
        sprintf(got, "cmd=get_result rc=0 msg=success value=%d\n", round);
        ask(bed, round % N_LOCAL, put, "cmd=put_result rc=0 msg=success\n");
        for (int i = 0; i < N_LOCAL; i++)
            say(bed, i, "cmd=barrier_in\n");
        WAIT_FOR(bed->loop, bed->n_gathers == round);
        answer_gather(bed, NULL, 0);
        for (int i = 0; i < N_LOCAL; i++)
            hear(bed, i, "cmd=barrier_out\n");
        ask(bed, 1, "cmd=get kvsname=w key=k\n", got); /* the later one wins */
        if (round > 1)
            assert_int_equal(bed->gathered.length, round < 10 ? 4 : 5); /* only what is fresh */
    }
}

/* Sums that end in the middle of something. */
static void hostile_sums(void **state)
{
    struct bed *bed = *state;
    static const char sum[] = "a\0one\0b\0two\0c";
    for (size_t n = 0; n < sizeof sum; n++) {
        char *exact = malloc(n ? n : 1);
        memcpy(exact, sum, n);
        ml_pmi1_gathered(bed->pmi, exact, n);
        free(exact);
        hear(bed, 0, "cmd=barrier_out\n");
    }
    ask(bed, 0, "cmd=get key=b\n", "cmd=get_result rc=0 msg=success value=two\n");
    ask(bed, 0, "cmd=get key=c\n", "cmd=get_result rc=-1 msg=key_not_found value=unknown\n");
}

static void every_question_is_answered(void **state)
{
    struct bed *bed = *state;
    static const char *const table[][2] = {
        {"cmd=fly_to_the_moon\n", "cmd=fly_to_the_moon_result rc=-1 msg=unknown_command\n"},
        {"nonsense\n", "cmd=error rc=-1 msg=not_a_command\n"},
        {"\n", "cmd=error rc=-1 msg=not_a_command\n"},
        {"cmd=put kvsname=w value=1\n", "cmd=put_result rc=-1 msg=no_key_or_value\n"},
        {"cmd=put kvsname=w key=1\n", "cmd=put_result rc=-1 msg=no_key_or_value\n"},
        {"cmd=get kvsname=w\n", "cmd=get_result rc=-1 msg=key_not_found value=unknown\n"},
        {"cmd=init\n", "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=-1\n"},
        {"mcmd=spawn\nexecname=./app\ntotspawns=1\nspawnssofar=1\nendcmd\n",
         "cmd=spawn_result rc=-1 status=bad\n"},
        {"mcmd=spawn\nnprocs=2\nexecname=./app\nargcnt=1\nendcmd\n",
         "cmd=spawn_result rc=-1 status=bad\n"},
        {"mcmd=spawn\ncmd=get_appnum\nendcmd\ncmd=get_appnum\n",
         "cmd=spawn_result rc=-1 status=bad\ncmd=appnum appnum=0\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        ask(bed, 1, table[i][0], table[i][1]);
    still_serves(bed, 0);
}

/* As MPICH's PMI_Spawn_multiple writes it: one answer for all blocks. */
static void spawns(void **state)
{
    struct bed *bed = *state;
    struct ml_spawn_rank run;
    ask(bed, 1,
        "mcmd=spawn\nnprocs=1\nexecname=./first\ntotspawns=2\nspawnssofar=1\narg1=-x y=z\n"
        "argcnt=1\npreput_num=1\npreput_key_0=PARENT_ROOT_PORT_NAME\npreput_val_0=tag#0$ x\n"
        "info_num=2\ninfo_key_0=wdir\ninfo_val_0=/a b\ninfo_key_1=host\ninfo_val_1=n2\nendcmd\n"
        "mcmd=spawn\nnprocs=2\nexecname=second\ntotspawns=2\nspawnssofar=2\nargcnt=0\n"
        "preput_num=0\ninfo_num=1\ninfo_key_0=path\ninfo_val_0=/bin\nendcmd\n"
        "cmd=get_appnum\n",
        "cmd=appnum appnum=0\n");
    assert_int_equal(bed->spawner, 1);
    assert_memory_equal(bed->put.data, "PARENT_ROOT_PORT_NAME\0tag#0$ x", bed->put.length);
    assert_true(ml_spawn_find_rank(bed->apps.data, bed->apps.length, 0, &run));
    assert_string_equal(run.command[0], "./first");
    assert_string_equal(run.command[1], "-x y=z");
    assert_string_equal(run.folder, "/a b");
    assert_string_equal(run.placing.hosts, "n2");
    free(run.command);
    free(run.settings);
    assert_true(ml_spawn_find_rank(bed->apps.data, bed->apps.length, 2, &run));
    assert_string_equal(run.command[0], "/bin/second");
    assert_string_equal(run.folder, "");
    free(run.command);
    free(run.settings);
    assert_false(ml_spawn_find_rank(bed->apps.data, bed->apps.length, 3, &run));
    ml_pmi1_spawned(bed->pmi, 1, 0);
    ask(bed, 1, "cmd=get_appnum\n", "cmd=spawn_result rc=0 errcodes=0,0,0\ncmd=appnum appnum=0\n");
    ml_pmi1_put(bed->pmi, bed->put.data, bed->put.length);
    ask(bed, 0, "cmd=get key=PARENT_ROOT_PORT_NAME\n",
        "cmd=get_result rc=0 msg=success value=tag#0$ x\n");
}

static void names_of_services(void **state)
{
    struct bed *bed = *state;
    ask(bed, 0, "cmd=lookup_name service=s\n",
        "cmd=lookup_result info=fail rc=1 msg=service_not_found\n");
    ask(bed, 0, "cmd=publish_name service=s port=tag#0$port#5$\n",
        "cmd=publish_result info=ok rc=0 msg=success\n");
    ask(bed, 1, "cmd=publish_name service=s port=other\n",
        "cmd=publish_result info=fail rc=1 msg=duplicate_service\n");
    ask(bed, 2, "cmd=lookup_name service=s\n",
        "cmd=lookup_result info=ok rc=0 msg=success port=tag#0$port#5$\n");
    ask(bed, 1, "cmd=unpublish_name service=s\n",
        "cmd=unpublish_result info=ok rc=0 msg=success\n");
    ask(bed, 1, "cmd=unpublish_name service=s\n",
        "cmd=unpublish_result info=fail rc=1 msg=service_not_found\n");
    ask(bed, 0, "cmd=publish_name\n", "cmd=publish_result info=ok rc=0 msg=success\n");
}

static void aborting(void **state)
{
    struct bed *bed = *state;
    bed->aborted = -1;
    say(bed, 2, "cmd=abort exitcode=77 message=out_of_luck\n");
    WAIT_FOR(bed->loop, bed->aborted == 4);
    assert_int_equal(bed->code, 77);
    assert_string_equal(bed->text, "out_of_luck");
    bed->aborted = -1;
    say(bed, 2,
        "cmd=abort exitcode=7 message=Fatal error in x: Invalid rank, error stack:\nx(1): x\n");
    WAIT_FOR(bed->loop, bed->aborted == 4);
    assert_int_equal(bed->code, 7);
    assert_string_equal(bed->text, "Fatal error in x: Invalid rank, error stack:");
    say(bed, 1, "cmd=abort\n");
    WAIT_FOR(bed->loop, bed->aborted == 1);
    assert_int_equal(bed->code, 1);
}

static void pieces_of_lines(void **state)
{
    struct bed *bed = *state;
    static const char text[] = "cmd=get_appnum\ncmd=get_my_kvsname\n";
    for (const char *p = text; *p; p++) {
        char byte[] = {*p, 0};
        say(bed, 0, byte);
        still_serves(bed, 1);
    }
    hear(bed, 0, "cmd=appnum appnum=0\ncmd=my_kvsname kvsname=memlog-w1\n");
}

static void client_dies(void **state)
{
    struct bed *bed = *state;
    say(bed, 0, "cmd=barrier_in\n");
    say(bed, 1, "cmd=lookup_name service=s\ncmd=put key=a val"); /* dies in the middle of it */
    close(bed->fds[1]);
    bed->fds[1] = -1;
    WAIT_FOR(bed->loop, bed->letter.length > 0);
    still_serves(bed, 2);
    say(bed, 2, "cmd=barrier_in\n");
    still_serves(bed, 2);
    assert_int_equal(bed->n_gathers, 0);
    ml_pmi1_gathered(bed->pmi, "", 0);
    hear(bed, 0, "cmd=barrier_out\n");
    hear(bed, 2, "cmd=barrier_out\n");
}

static void client_without_newline(void **state)
{
    struct bed *bed = *state;
    static char flood[1 << 20];
    size_t sent = 0;
    bool hung_up = false;
    memset(flood, 'x', sizeof flood);
    while (!hung_up && sent < sizeof flood) {
        ssize_t n = send(bed->fds[1], flood, sizeof flood - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        hung_up = n < 0 && (errno == EPIPE || errno == ECONNRESET);
        sent += n > 0 ? (size_t)n : 0;
        still_serves(bed, 0);
    }
    assert_true(hung_up);
    still_serves(bed, 2);
}

/* One that asks and asks but reads no answer must not stop the others. */
static void client_that_does_not_read(void **state)
{
    struct bed *bed = *state;
    static const char question[] = "cmd=get key=PMI_process_mapping\n";
    alarm(20); /* the server may block in this very process */
    for (int i = 0; i < 5000; i++) {
        ssize_t n = send(bed->fds[1], question, sizeof question - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            break;
        if (i % 50 == 0)
            still_serves(bed, 0);
    }
    alarm(0);
    still_serves(bed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(put_barrier_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(barriers_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_sums, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_question_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spawns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_services, set_up, tear_down),
        cmocka_unit_test_setup_teardown(aborting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pieces_of_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(client_dies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(client_without_newline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(client_that_does_not_read, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
