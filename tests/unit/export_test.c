#include "base/memory.h"
#include "base/own.h"
#include "export/clean.h"
#include "export/export.h"
#include "export/proto.h"
#include "made_up.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define FOLDED_ROOT "_start;__libc_start_main;main;Solver::run(int);"
#define FOLDED_NEW                                                                                 \
    "assemble(Mesh const&);std::vector<Element, std::allocator<Element> >::push_back(Element "     \
    "const&);operator new(unsigned long);malloc "
#define FOLDED_WAIT "exchange(Halo&);MPI_Waitall;libmpi.so.40+0x5d2c0;poll "

struct loaded {
    struct ml_run *run;
    struct ml_slice processes, nodes;
    struct ml_stacks stacks;
    struct ml_heap_profile heap;
    struct ml_export export;
};

static int clean_up(void **state)
{
    (void)state;
    made_up_remove();
    return 0;
}

static void load(const char *options, struct loaded *l)
{
    struct ml_error err = {{0}};
    struct ml_stacks_choice choice = {.since_ns = INT64_MIN, .until_ns = INT64_MAX};
    if (ml_run_open(made_up_run(options), &l->run, &err) ||
        ml_slice_read_all(l->run, &ml_table_processes, &l->processes, &err) ||
        ml_slice_read_all(l->run, &ml_table_nodes, &l->nodes, &err) ||
        ml_stacks_load(l->run, l->processes.rows, l->processes.count, &choice, &l->stacks, &err))
        fail_msg("%s", err.text);
    l->heap = (struct ml_heap_profile){0};
    l->export = (struct ml_export){.stacks = &l->stacks,
                                   .processes = l->processes.rows,
                                   .nodes = l->nodes.rows,
                                   .n_nodes = l->nodes.count,
                                   .title = "a \"run\"",
                                   .exporter = "memlog test",
                                   .origin_wall_ns = 1000};
}

/* As load, with the heap at its peak in place of the stacks. */
static void load_heap(const char *options, bool churn, struct loaded *l)
{
    struct ml_error err = {{0}};
    struct ml_heap_choice choice = {.at_ns = 37500000000, .churn = churn};
    load(options, l);
    if (ml_heap_load(l->run, l->processes.rows, l->processes.count, &choice, &l->heap, &err))
        fail_msg("%s", err.text);
    l->export.stacks = &l->heap.stacks;
    l->export.heap = &l->heap;
}

static void unload(struct loaded *l)
{
    ml_heap_profile_free(&l->heap);
    ml_stacks_free(&l->stacks);
    ml_slice_free(&l->nodes);
    ml_slice_free(&l->processes);
    ml_run_close(l->run);
}

enum form { FOLDED, GROWTH, SPEEDSCOPE, PPROF };

/* What EXPORT writes in FORM, with a NUL behind it. */
static char *text_of(const struct ml_export *export, enum form form, size_t *out_size)
{
    struct ml_error err = {{0}};
    FILE *file = tmpfile();
    assert_non_null(file);
    enum ml_status status = ML_OK;
    if (form == SPEEDSCOPE)
        status = ml_export_speedscope(export, file, &err);
    else if (form == PPROF)
        status = ml_export_pprof(export, file, &err);
    else
        ml_export_folded(export, form == GROWTH ? ML_WEIGHT_GROWTH : ML_WEIGHT_OWN, file);
    if (status)
        fail_msg("%s", err.text);
    fflush(file);
    long size = lseek(fileno(file), 0, SEEK_END);
    char *text = ml_alloc((size_t)size + 1);
    assert_int_equal(pread(fileno(file), text, (size_t)size, 0), size);
    fclose(file);
    *out_size = (size_t)size;
    return text;
}

static void test_clean(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"", ""},
        {"a\033[0m\n", "a\xef\xbf\xbd[0m\xef\xbf\xbd"},
        {"\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe2\x80\xae"
         "abc",
         "\xef\xbf\xbd"
         "abc"},
        {"日本 😀 é", "日本 😀 é"},
    };
    struct ml_buffer out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ml_export_clean(cases[i][0], &out);
        assert_string_equal(out.data, cases[i][1]);
        assert_int_equal(out.length, strlen(cases[i][1]) + 1);
    }
    ml_buffer_free(&out);
}

/* The examples of the encoding guide, and a negative number. */
static void test_proto(void **state)
{
    (void)state;
    struct ml_buffer m = {0};
    ml_proto_int(&m, 1, 150);
    ml_proto_bytes(&m, 2, "testing", 7);
    ml_proto_packed(&m, 6, (const int64_t[]){3, 270, 86942}, 3);
    ml_proto_int(&m, 1, 0);
    ml_proto_int(&m, 16, -1);
    ml_proto_packed(&m, 4, NULL, 0);
    static const char expected[] = "\x08\x96\x01"
                                   "\x12\x07testing"
                                   "\x32\x06\x03\x8e\x02\x9e\xa7\x05"
                                   "\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                   "\x22\x00";
    assert_int_equal(m.length, sizeof expected - 1);
    assert_memory_equal(m.data, expected, m.length);
    ml_buffer_free(&m);
}

static void test_folded(void **state)
{
    (void)state;
    struct loaded l;
    struct ml_buffer expected = {0};
    size_t size;
    load("--stacks some", &l);
    ML_AUTO_FREE char *text = text_of(&l.export, FOLDED, &size);
    ml_buffer_printf(&expected,
                     FOLDED_ROOT FOLDED_NEW "24\n" FOLDED_ROOT FOLDED_WAIT "16\n" FOLDED_ROOT);
    for (int i = 0; i < 200; i++)
        ml_buffer_printf(&expected, "refine(Cell*, int);");
    ml_buffer_printf(&expected, "operator new(unsigned long);malloc 1\n"
                                "clone;libpmix.so.2+0x9a3f0;epoll_wait 40\n");
    ml_buffer_append(&expected, "", 1);
    assert_string_equal(text, expected.data);
    ml_buffer_free(&expected);
    unload(&l);
}

/* The weights of a rank that only grows sum up to its memory at its last stack; threads that
 * always wait have none. */
static void test_folded_by_growth(void **state)
{
    (void)state;
    struct loaded l;
    size_t size;
    int64_t sum_B = 0, last_B = 0;
    load("--stacks some --shape leak --nodes 1 --ranks-per-node 1", &l);
    ML_AUTO_FREE char *text = text_of(&l.export, GROWTH, &size);
    assert_null(strstr(text, "epoll_wait"));
    for (const char *p = text; *p; p = strchr(p, '\n') + 1)
        sum_B += strtoll(memrchr(p, ' ', (size_t)(strchr(p, '\n') - p)), NULL, 10);
    for (size_t i = 0; i < l.stacks.n_samples; i++) {
        if (l.stacks.samples[i].rss_B > last_B)
            last_B = l.stacks.samples[i].rss_B;
    }
    assert_true(last_B > 0);
    assert_int_equal(sum_B, last_B);
    unload(&l);
}

/* Each line is a path and a number, whatever names are like. */
static void test_folded_hostile(void **state)
{
    (void)state;
    struct loaded l;
    size_t size;
    load("--stacks hostile", &l);
    ML_AUTO_FREE char *text = text_of(&l.export, FOLDED, &size);
    size_t samples = 0;
    for (char *p = text, *end; *p; p = end + 1) {
        end = strchr(p, '\n');
        *end = 0;
        char *weight = strrchr(p, ' ');
        assert_non_null(weight);
        assert_int_equal(strspn(weight + 1, "0123456789"), strlen(weight + 1));
        samples += strtoul(weight + 1, NULL, 10);
        for (const char *c = p; *c; c++)
            assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
    assert_int_equal(samples, l.stacks.n_samples);
    assert_non_null(strstr(text, "a:b:c\xef\xbf\xbdroot:d 100\xef\xbf\xbd;"));
    unload(&l);
}

/* The weight of the line of TEXT that begins with PATH; -1: there is none. */
static int64_t weight_in(const char *text, const char *path)
{
    const char *line = strstr(text, path);
    return line ? strtoll(line + strlen(path), NULL, 10) : -1;
}

static void test_folded_heap(void **state)
{
    (void)state;
    struct loaded l;
    size_t size;
    int64_t sum_B = 0;
    load_heap("--heap some --nodes 1 --ranks-per-node 1", false, &l);
    ML_AUTO_FREE char *text = text_of(&l.export, FOLDED, &size);
    assert_int_equal(weight_in(text, FOLDED_ROOT "Matrix::reserve(int);operator new(unsigned "
                                                 "long) "),
                     25 << 19);
    assert_int_equal(weight_in(text, FOLDED_ROOT "Checkpoint::write() "), 40 << 19);
    assert_int_equal(weight_in(text, "\n[unknown] "), 1 << 19);
    for (const char *p = text; *p; p = strchr(p, '\n') + 1)
        sum_B += strtoll(memrchr(p, ' ', (size_t)(strchr(p, '\n') - p)), NULL, 10);
    assert_int_equal(sum_B, l.heap.total.live.bytes);
    unload(&l);
}

static void check_profile(const json_t *profile, size_t n_frames, const char *unit)
{
    json_t *samples = json_object_get(profile, "samples");
    json_t *weights = json_object_get(profile, "weights");
    double begin = json_number_value(json_object_get(profile, "startValue"));
    double end = json_number_value(json_object_get(profile, "endValue"));
    size_t i, k;
    json_t *value, *frame;
    double sum = 0;
    assert_string_equal(json_string_value(json_object_get(profile, "type")), "sampled");
    assert_string_equal(json_string_value(json_object_get(profile, "unit")), unit);
    assert_true(json_array_size(samples) > 0);
    assert_int_equal(json_array_size(samples), json_array_size(weights));
    json_array_foreach(weights, i, value)
    {
        assert_true(json_number_value(value) >= 0);
        sum += json_number_value(value);
    }
    assert_true(sum - (end - begin) < 1e-6 && end - begin - sum < 1e-6);
    json_array_foreach(samples, i, value)
    {
        json_array_foreach(value, k, frame)
            assert_true((uint64_t)json_integer_value(frame) < n_frames);
    }
}

/* Returns how many samples there are in all profiles. */
static size_t check_speedscope(const char *options, size_t n_frames, size_t n_profiles,
                               const char *name)
{
    struct loaded l;
    json_error_t error;
    size_t size, i, samples = 0;
    load(options, &l);
    ML_AUTO_FREE char *text = text_of(&l.export, SPEEDSCOPE, &size);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error), *profile;
    if (!root)
        fail_msg("line %d: %s", error.line, error.text);
    json_t *frames = json_object_get(json_object_get(root, "shared"), "frames");
    json_t *profiles = json_object_get(root, "profiles");
    assert_int_equal(json_array_size(frames), n_frames);
    assert_int_equal(json_array_size(profiles), n_profiles);
    assert_string_equal(json_string_value(json_object_get(root, "name")), "a \"run\"");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(profiles, n_profiles - 1), "name")), name);
    json_array_foreach(profiles, i, profile)
    {
        check_profile(profile, n_frames, "seconds");
        samples += json_array_size(json_object_get(profile, "samples"));
    }
    assert_int_equal(samples, l.stacks.n_samples);
    json_decref(root);
    unload(&l);
    return samples;
}

static void test_speedscope(void **state)
{
    (void)state;
    assert_int_equal(check_speedscope("--stacks some", 16, 16, "rank 7, thread 14007"), 81);
    assert_int_equal(check_speedscope("--stacks hostile", 32, 8, "rank 7"), 24);
    assert_int_equal(
        check_speedscope("--stacks many --nodes 8 --ranks-per-node 8", 38, 64, "rank 63"), 10000);
}

/* All ranks, then each; the whole is in the first. */
static void test_speedscope_heap(void **state)
{
    (void)state;
    struct loaded l;
    size_t size, i;
    int64_t sum_B = 0;
    load_heap("--heap some", true, &l);
    ML_AUTO_FREE char *text = text_of(&l.export, SPEEDSCOPE, &size);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *profile;
    assert_non_null(root);
    json_t *frames = json_object_get(json_object_get(root, "shared"), "frames");
    json_t *profiles = json_object_get(root, "profiles");
    assert_int_equal(json_array_size(profiles), 9);
    json_array_foreach(profiles, i, profile)
    {
        ML_AUTO_FREE char *name = i ? ml_format("rank %zu", i - 1) : ml_strdup("all ranks");
        int64_t end_B = json_integer_value(json_object_get(profile, "endValue"));
        check_profile(profile, json_array_size(frames), "bytes");
        assert_string_equal(json_string_value(json_object_get(profile, "name")), name);
        sum_B += i ? end_B : 0;
        if (i == 0)
            assert_int_equal(end_B, l.heap.total.allocated.bytes);
    }
    assert_int_equal(sum_B, l.heap.total.allocated.bytes - l.heap.unknown.allocated.bytes);
    json_decref(root);
    unload(&l);
}

/* A reader of the wire format: field, and its integer or its bytes. */
struct field {
    int number;
    uint64_t integer;
    const uint8_t *bytes; /* NULL: an integer */
    size_t n;
};

static uint64_t read_varint(const uint8_t **p, const uint8_t *end)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        assert_true(*p < end);
        value |= (uint64_t)(**p & 0x7f) << shift;
        if (*(*p)++ < 0x80)
            return value;
    }
    fail_msg("a number without an end");
    return 0;
}

static bool read_field(const uint8_t **p, const uint8_t *end, struct field *out)
{
    if (*p == end)
        return false;
    uint64_t tag = read_varint(p, end);
    *out = (struct field){.number = (int)(tag >> 3)};
    assert_true((tag & 7) == 0 || (tag & 7) == 2);
    if ((tag & 7) == 0) {
        out->integer = read_varint(p, end);
        return true;
    }
    out->n = read_varint(p, end);
    assert_true(out->n <= (size_t)(end - *p));
    out->bytes = *p;
    *p += out->n;
    return true;
}

/* Field NUMBER of a message; fails the test if it is not there. */
static struct field find(const struct field *message, int number)
{
    const uint8_t *p = message->bytes;
    struct field field;
    while (read_field(&p, message->bytes + message->n, &field)) {
        if (field.number == number)
            return field;
    }
    fail_msg("no field %d", number);
    return field;
}

struct profile {
    int64_t values[4], texts, functions, mappings;
    size_t samples;
    bool known[4096]; /* locations */
    uint64_t wanted[65536];
    size_t n_wanted;
    const char *names[4096];
    size_t lengths[4096];
};

static void note_sample(struct profile *p, const struct field *sample)
{
    struct field values = find(sample, 2), locations = {0};
    const uint8_t *cursor = sample->bytes, *end;
    while (read_field(&cursor, sample->bytes + sample->n, &locations) && locations.number != 1)
        locations.n = 0;
    cursor = locations.bytes;
    end = cursor + locations.n;
    while (cursor < end) {
        assert_true(p->n_wanted < sizeof p->wanted / sizeof *p->wanted);
        p->wanted[p->n_wanted++] = read_varint(&cursor, end);
    }
    cursor = values.bytes;
    end = cursor + values.n;
    for (int i = 0; cursor < end; i++) {
        assert_true(i < 4);
        p->values[i] += (int64_t)read_varint(&cursor, end);
    }
    p->samples++;
}

static void read_profile(const uint8_t *bytes, size_t n, struct profile *out)
{
    const uint8_t *p = bytes;
    struct field field;
    while (read_field(&p, bytes + n, &field)) {
        if (field.number == 2) {
            note_sample(out, &field);
        } else if (field.number == 3) {
            assert_int_equal(find(&field, 1).integer, ++out->mappings);
        } else if (field.number == 4) {
            uint64_t id = find(&field, 1).integer;
            assert_true(id > 0 && id < 4096 && !out->known[id]);
            out->known[id] = true;
        } else if (field.number == 5) {
            assert_int_equal(find(&field, 1).integer, ++out->functions);
        } else if (field.number == 6) {
            assert_true(out->texts < 4096);
            out->names[out->texts] = (const char *)field.bytes;
            out->lengths[out->texts++] = field.n;
        }
    }
}

static uint8_t *decompress(const char *packed, size_t size, size_t *out_size)
{
    size_t most = 1 << 24;
    uint8_t *bytes = ml_alloc(most);
    z_stream z = {.next_in = (Bytef *)packed,
                  .avail_in = (uInt)size,
                  .next_out = bytes,
                  .avail_out = (uInt)most};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    *out_size = z.total_out;
    inflateEnd(&z);
    return bytes;
}

static bool has_text(const struct profile *p, const char *text)
{
    for (int64_t i = 0; i < p->texts; i++) {
        if (p->lengths[i] == strlen(text) && memcmp(p->names[i], text, p->lengths[i]) == 0)
            return true;
    }
    return false;
}

static void check_pprof(const char *options, int64_t samples, const char *text)
{
    struct loaded l;
    size_t size, n;
    int64_t growth_B = 0, rss_B = 0;
    load(options, &l);
    ML_AUTO_FREE char *packed = text_of(&l.export, PPROF, &size);
    ML_AUTO_FREE uint8_t *bytes = decompress(packed, size, &n);
    ML_AUTO_FREE struct profile *p = ml_alloc(sizeof *p);
    read_profile(bytes, n, p);
    for (size_t i = 0; i < l.stacks.n_samples; i++) {
        growth_B += l.stacks.samples[i].growth_B;
        rss_B += l.stacks.samples[i].rss_B;
    }
    assert_int_equal(p->values[0], samples);
    assert_int_equal(p->values[1], growth_B);
    assert_int_equal(p->values[2], rss_B);
    assert_true(p->samples > 0 && p->samples <= l.stacks.n_samples);
    for (size_t i = 0; i < p->n_wanted; i++)
        assert_true(p->wanted[i] < 4096 && p->known[p->wanted[i]]);
    assert_int_equal(p->lengths[0], 0);
    assert_true(has_text(p, "growth") && has_text(p, text));
    unload(&l);
}

static void test_pprof(void **state)
{
    (void)state;
    check_pprof("--stacks some", 81, "libmpi.so.40+0x5d2c0");
    check_pprof("--stacks hostile", 24, "</script><script>alert(1)</script>");
    check_pprof("--stacks hostile", 24, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd(bad utf-8)");
}

static void test_pprof_heap(void **state)
{
    (void)state;
    struct loaded l;
    size_t size, n;
    load_heap("--heap some --stacks some", true, &l);
    ML_AUTO_FREE char *packed = text_of(&l.export, PPROF, &size);
    ML_AUTO_FREE uint8_t *bytes = decompress(packed, size, &n);
    ML_AUTO_FREE struct profile *p = ml_alloc(sizeof *p);
    read_profile(bytes, n, p);
    const struct ml_heap_owner *total = &l.heap.total;
    const int64_t wanted[] = {total->live.blocks, total->live.bytes, total->allocated.blocks,
                              total->allocated.bytes};
    for (int i = 0; i < 4; i++)
        assert_int_equal(p->values[i], wanted[i]);
    assert_true(wanted[0] > 0 && wanted[3] > wanted[1]);
    for (size_t i = 0; i < p->n_wanted; i++)
        assert_true(p->wanted[i] < 4096 && p->known[p->wanted[i]]);
    assert_true(has_text(p, "inuse_space") && has_text(p, "node") && !has_text(p, "thread"));
    assert_true(has_text(p, "Checkpoint::write()"));
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),           cmocka_unit_test(test_proto),
        cmocka_unit_test(test_folded),          cmocka_unit_test(test_folded_by_growth),
        cmocka_unit_test(test_folded_hostile),  cmocka_unit_test(test_speedscope),
        cmocka_unit_test(test_pprof),           cmocka_unit_test(test_folded_heap),
        cmocka_unit_test(test_speedscope_heap), cmocka_unit_test(test_pprof_heap),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
