#include "base/memory.h"
#include "base/own.h"
#include "journal/frames.h"
#include "journal/harvest.h"
#include "journal/index.h"
#include "synthetic.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

static uint8_t *read_all(size_t *out_n)
{
    ML_AUTO_FILE FILE *f = fopen(journal_path, "rb");
    assert_non_null(f);
    struct stat st;
    fstat(fileno(f), &st);
    uint8_t *bytes = malloc((size_t)st.st_size);
    *out_n = fread(bytes, 1, (size_t)st.st_size, f);
    return bytes;
}

static size_t frames_in(const uint8_t *bytes, size_t n)
{
    const uint8_t *p = bytes;
    struct ml_frame f;
    size_t frames = 0;
    while (ml_frame_read(&p, bytes + n, &f))
        frames++;
    return frames;
}

static const struct synthetic small = {.node = 0,
                                       .n_nodes = 2,
                                       .processes = 3,
                                       .ticks = 4,
                                       .lines = 3,
                                       .stacks = 6,
                                       .complete = 1,
                                       .text = "x"};

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *outfile, *node;
        int number;
        const char *name;
    } cases[] = {
        {NULL, "run.h5", "n1", -1, "run.h5.n1.journal"},
        {NULL, "/a/b/run.h5", "n1", -1, "/a/b/run.h5.n1.journal"},
        {"/scratch", "/a/b/run.h5", "n1", 4, "/scratch/run.h5.n1.4.journal"},
        {NULL, "/run.h5", "../n", -1, "/run.h5..._n.journal"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ML_AUTO_FREE char *name =
            ml_journal_name(cases[i].dir, cases[i].outfile, cases[i].node, cases[i].number);
        assert_string_equal(name, cases[i].name);
    }
}

static void created_safely(void **state)
{
    (void)state;
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    assert_int_equal(ml_journal_create(journal_path, &header, 0, &j, &err), ML_OK);
    ml_journal_close(j);
    struct stat st;
    stat(journal_path, &st);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_not_equal(ml_journal_create(journal_path, &header, 0, &j, &err), ML_OK);
    assert_non_null(strstr(err.text, "File exists"));

    /* A link is neither followed nor written through, with force it is replaced. */
    ML_AUTO_FREE char *victim = ml_format("%s/victim", journal_folder);
    ML_AUTO_FREE char *link = ml_format("%s/link", journal_folder);
    fclose(fopen(victim, "w"));
    assert_int_equal(symlink(victim, link), 0);
    assert_int_not_equal(ml_journal_create(link, &header, 0, &j, &err), ML_OK);
    assert_int_equal(ml_journal_create(link, &header, 1, &j, &err), ML_OK);
    ml_journal_close(j);
    stat(victim, &st);
    assert_int_equal(st.st_size, 0);
}

/* Cut at every byte, the journal yields all frames that lie before the cut. */
static void torn_anywhere(void **state)
{
    (void)state;
    synthetic_write(journal_path, &small);
    size_t n;
    ML_AUTO_FREE uint8_t *bytes = read_all(&n);
    size_t whole = frames_in(bytes, n), last = 0;
    for (size_t cut = 0; cut <= n; cut++) {
        ML_AUTO_FREE uint8_t *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        size_t frames = frames_in(copy, cut);
        assert_true(frames == last || frames == last + 1);
        last = frames;
        struct ml_index x;
        struct ml_error err;
        enum ml_status status =
            ml_index_build(&(struct ml_index_source){.bytes = copy, .n = cut}, &x, &err);
        assert_int_equal(status == ML_OK, frames > 0);
        if (status != ML_OK)
            continue;
        assert_int_equal(frames_in(copy, x.length), frames);
        assert_int_equal(x.complete, cut == n);
        ml_index_free(&x);
    }
    assert_int_equal(last, whole);
}

/* A flipped bit loses the frame that it is in and those behind, never more, never a crash. */
static void flipped_bits(void **state)
{
    (void)state;
    synthetic_write(journal_path, &small);
    size_t n;
    ML_AUTO_FREE uint8_t *bytes = read_all(&n);
    for (size_t bit = 0; bit < 8 * n; bit += 3) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct ml_index x;
        if (ml_index_build(&(struct ml_index_source){.bytes = bytes, .n = n}, &x, NULL) == ML_OK) {
            assert_true(x.length <= bit / 8);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_true(frames_in(bytes, n) > frames_in(bytes, x.length));
            ml_index_free(&x);
        } else {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* A write that does not fit leaves whole frames; the batch comes with the next one. */
static void full_disk(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    assert_int_equal(ml_journal_create(journal_path, &header, 0, &j, &err), ML_OK);
    int64_t before = ml_journal_size(j);
    set_file_limit((rlim_t)before + 100);
    char line[1000];
    memset(line, 'a', sizeof line);
    ml_journal_output(j, 1, 0, ML_STDOUT, line, sizeof line);
    assert_int_equal(ml_journal_flush(j, &err), ML_SAMPLE_LOST);
    assert_non_null(strstr(err.text, journal_path));
    struct stat st;
    stat(journal_path, &st);
    assert_int_equal(st.st_size, before);
    set_file_limit(RLIM_INFINITY);
    ml_journal_output(j, 2, 0, ML_STDOUT, line, sizeof line);
    assert_int_equal(ml_journal_flush(j, &err), ML_OK);
    ml_journal_close(j);
    size_t n;
    ML_AUTO_FREE uint8_t *bytes = read_all(&n);
    assert_int_equal(frames_in(bytes, n), 3);
}

static void strange_files(void **state)
{
    (void)state;
    struct ml_harvest *h;
    struct ml_error err;
    assert_int_equal(ml_harvest_open(journal_path, NULL, &h, &err), ML_NODE_LOST);
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(ml_harvest_open(journal_folder, NULL, &h, &err), ML_NODE_LOST);
    FILE *f = fopen(journal_path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no journal\n", f);
    fclose(f);
    assert_int_equal(ml_harvest_open(journal_path, NULL, &h, &err), ML_NODE_LOST);
    assert_non_null(strstr(err.text, "not a memlog journal"));
}

static void other_versions(void **state)
{
    (void)state;
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_buffer payload = {0}, frame = {0};
    ml_header_pack(&header, &payload);
    payload.data[0] = (char)(payload.data[0] + 2); /* a zigzag varint: the next number */
    ml_frame_append(&frame, ML_FRAME_HEADER, 0, payload.data, payload.length);
    struct ml_index x;
    struct ml_error err;
    struct ml_index_source source = {.bytes = (uint8_t *)frame.data, .n = frame.length};
    assert_int_equal(ml_index_build(&source, &x, &err), ML_NODE_LOST);
    assert_non_null(strstr(err.text, "another version"));
    ml_buffer_free(&payload);
    ml_buffer_free(&frame);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_journal_folder, remove_journal_folder)
    const struct CMUnitTest tests[] = {
        TEST(names),     TEST(created_safely), TEST(torn_anywhere),  TEST(flipped_bits),
        TEST(full_disk), TEST(strange_files),  TEST(other_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
