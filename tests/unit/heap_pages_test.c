/* The sampling rank's side of the heap profile: hostile pages, which changes are worth a row, and a
 * question to the stack server and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/pack.h"
#include "heap/heap.h"
#include "heap/heap_file.h"
#include "heap/order.h"
#include "heap/thinning.h"
#include "record/tables.h"
#include "stack/sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what the sampling rank would do with what it is told ---- */

enum { SITES = 300 };

struct heard {
    struct ml_heap_sample_row rows[64]; /* the first */
    size_t n_rows;
    struct ml_heap_sample_row last[SITES]; /* by site */
    size_t n_questions;
    bool refuse;  /* no server */
    bool unknown; /* no such process */
    struct ml_buffer question;
    int fd; /* of the pages */
    char note[128];
    int64_t used_B, held_B;
};

static int of_pid(void *context, pid_t pid)
{
    const struct heard *h = context;
    return h->unknown || pid <= 0 ? -1 : 5;
}

static void samples(void *context, int64_t now_ns, const void *rows, size_t size)
{
    struct heard *h = context;
    const uint8_t *p = rows, *end = p + size;
    (void)now_ns;
    while (p < end) {
        struct ml_heap_sample_row row;
        assert_true(ml_row_unpack(&ml_table_heap_samples, &p, end, &row));
        if (h->n_rows < sizeof h->rows / sizeof *h->rows)
            h->rows[h->n_rows++] = row;
        if (row.site < SITES)
            h->last[row.site] = row;
    }
}

static bool name(void *context, const struct ml_buffer *order)
{
    struct heard *h = context;
    if (h->refuse)
        return false;
    h->n_questions++;
    ml_buffer_clear(&h->question);
    ml_buffer_append(&h->question, order->data, order->length);
    return true;
}

static void allocator(void *context, pid_t pid, int64_t used_B, int64_t held_B)
{
    struct heard *h = context;
    (void)pid;
    h->used_B = used_B;
    h->held_B = held_B;
}

static void note(void *context, int process, const char *text)
{
    struct heard *h = context;
    assert_int_equal(process, 5);
    snprintf(h->note, sizeof h->note, "%s", text);
}

static struct ml_heap *open_heap(struct heard *h, struct ml_heap_file **out_file)
{
    struct ml_heap *heap;
    struct ml_error err;
    struct ml_heap_setup setup = {h, of_pid, samples, name, allocator, note};
    assert_int_equal(ml_heap_open(&setup, 4, 1 << 19, 0.01, &heap, &err), ML_OK);
    char *entry = ml_heap_environment(heap);
    int fd;
    assert_int_equal(sscanf(strrchr(entry, '/'), "/%d", &fd), 1);
    h->fd = fd;
    free(entry);
    *out_file =
        mmap(NULL, ML_HEAP_FIRST + 4 * ML_HEAP_STRIDE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(*out_file, MAP_FAILED);
    return heap;
}

static struct ml_heap_page *page_of(struct ml_heap_file *file, int i)
{
    return (struct ml_heap_page *)((char *)file + ML_HEAP_FIRST + i * ML_HEAP_STRIDE);
}

static void close_all(struct heard *h, struct ml_heap *heap, struct ml_heap_file *file)
{
    munmap(file, ML_HEAP_FIRST + 4 * ML_HEAP_STRIDE);
    ml_heap_close(heap);
    ml_buffer_free(&h->question);
}

/* As the library does: stack 0 for what has no place, then one with two calls. */
static void claim(struct ml_heap_page *page, pid_t pid)
{
    page->pid = pid;
    page->image = 77;
    page->stacks[0].ready = 1;
    page->stacks[1] = (struct ml_heap_stack){.ready = 1, .kind = ML_HEAP_SHARED, .n = 2};
    page->words[0] = 0x1000;
    page->words[1] = 0x2000;
    page->modules[0] = (struct ml_heap_module){.start = 0x800, .end = 0x2800};
    page->n_modules = 1;
    page->n_words = 2;
    page->n_stacks = 2;
}

static void set(struct ml_heap_page *page, int i, int64_t live_B, int64_t allocated_B)
{
    page->stacks[i].live_B = live_B;
    page->stacks[i].live_blocks = 3 * ML_HEAP_BLOCK;
    page->stacks[i].live_variance = 16;
    page->stacks[i].allocated_B = allocated_B;
    page->moved[i / 64] |= UINT64_C(1) << i % 64;
    page->changes++;
}

static void a_process_and_its_end(void **state)
{
    (void)state;
    struct heard h = {0};
    struct ml_heap_file *file;
    struct ml_heap *heap = open_heap(&h, &file);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    claim(page_of(file, 2), child);
    set(page_of(file, 2), 1, 1000, 4000);
    page_of(file, 2)->in_use_B = 900;
    page_of(file, 2)->held_B = 1100;
    ml_heap_tick(heap, 10);
    assert_int_equal(h.n_rows, 1);
    assert_int_equal(h.used_B, 900);
    assert_int_equal(h.held_B, 1100);
    assert_int_equal(h.rows[0].process, 5);
    assert_int_equal(h.rows[0].kind, ML_SITE_SHARED);
    assert_int_equal(h.rows[0].live_B, 1000);
    assert_int_equal(h.rows[0].live_blocks, 3);
    assert_int_equal(h.rows[0].live_error_B, 4);
    assert_int_equal(h.rows[0].time_ns, 10);
    assert_int_equal(h.n_questions, 1);
    ml_heap_tick(heap, 20); /* nothing new */
    assert_int_equal(h.n_rows, 1);
    assert_int_equal(h.n_questions, 1);
    set(page_of(file, 2), 1, 300, 4000);
    assert_int_equal(waitpid(child, NULL, 0), child);
    ml_heap_tick(heap, 30);
    assert_int_equal(h.n_rows, 2);
    assert_int_equal(h.rows[1].live_B, 300); /* what lived at its end stays so */
    struct stat pages;
    assert_int_equal(fstat(h.fd, &pages), 0);
    assert_in_range(pages.st_blocks * 512, 1, ML_HEAP_FIRST); /* a hole: for another one */
    ml_heap_tick(heap, 40);
    ml_heap_stop(heap, 50);
    assert_int_equal(h.n_rows, 2);
    close_all(&h, heap, file);
}

/* Nothing more happens, and they are in a row all the same. */
static void small_changes_come_later(void **state)
{
    (void)state;
    struct heard h = {0};
    struct ml_heap_file *file;
    struct ml_heap *heap = open_heap(&h, &file);
    struct ml_heap_page *page = page_of(file, 0);
    claim(page, getpid());
    set(page, 0, 1 << 20, 1 << 20);
    set(page, 1, 1 << 20, 1 << 20);
    ml_heap_tick(heap, 10);
    assert_int_equal(h.n_rows, 2);
    set(page, 1, (1 << 20) + 100, (1 << 20) + 100);
    ml_heap_tick(heap, 20);
    ml_heap_tick(heap, 30);
    assert_int_equal(h.n_rows, 2);
    ml_heap_tick(heap, 30 + 2 * ML_NS_PER_S);
    assert_int_equal(h.n_rows, 3);
    assert_int_equal(h.rows[2].live_B, (1 << 20) + 100);
    ml_heap_tick(heap, 30 + 9 * ML_NS_PER_S);
    assert_int_equal(h.n_rows, 3);
    close_all(&h, heap, file);
}

/* Between two words of the allocator samples say what came and went. */
static void allocators_tell_seldom(void **state)
{
    (void)state;
    struct heard h = {0};
    struct ml_heap_file *file;
    struct ml_heap *heap = open_heap(&h, &file);
    struct ml_heap_page *page = page_of(file, 0);
    claim(page, getpid());
    page->stacks[1].kind = ML_HEAP_BLOCKS;
    page->in_use_B = page->held_B = -1;
    set(page, 1, 1000, 4000);
    ml_heap_tick(heap, 10);
    assert_int_equal(h.used_B, -1);
    page->in_use_B = 900;
    page->held_B = 1100;
    ml_heap_tick(heap, 20);
    assert_int_equal(h.used_B, 900);
    assert_int_equal(h.held_B, 1100);
    set(page, 1, 3000, 6000);
    ml_heap_tick(heap, 30);
    assert_int_equal(h.used_B, 2900);
    assert_int_equal(h.held_B, 3100);
    page->in_use_B = 3050;
    page->held_B = 3200;
    ml_heap_tick(heap, 40);
    assert_int_equal(h.used_B, 3050);
    assert_int_equal(h.held_B, 3200);
    page->held_B = 800; /* cannot be */
    ml_heap_tick(heap, 50);
    assert_int_equal(h.used_B, -1);
    close_all(&h, heap, file);
}

static void another_program(void **state)
{
    (void)state;
    struct heard h = {0};
    struct ml_heap_file *file;
    struct ml_heap *heap = open_heap(&h, &file);
    claim(page_of(file, 0), getpid());
    set(page_of(file, 0), 1, 1000, 1000);
    ml_heap_tick(heap, 10);
    page_of(file, 0)->image = 0; /* it is just being taken over */
    ml_heap_tick(heap, 20);
    assert_int_equal(h.n_rows, 1);
    page_of(file, 0)->image = 78;
    set(page_of(file, 0), 1, 7000, 7000);
    ml_heap_tick(heap, 30);
    assert_int_equal(h.n_rows, 3);
    assert_int_equal(h.rows[1].site, h.rows[0].site);
    assert_int_equal(h.rows[1].live_B, 0); /* of the program before nothing lives */
    assert_int_equal(h.rows[1].allocated_B, 1000);
    assert_int_not_equal(h.rows[2].site, h.rows[0].site);
    assert_int_equal(h.rows[2].live_B, 7000);
    close_all(&h, heap, file);
}

static void questions_are_asked_again(void **state)
{
    (void)state;
    struct heard h = {.refuse = true};
    struct ml_heap_file *file;
    struct ml_heap *heap = open_heap(&h, &file);
    claim(page_of(file, 0), getpid());
    set(page_of(file, 0), 1, 1000, 1000);
    ml_heap_tick(heap, 10);
    h.refuse = false;
    ml_heap_tick(heap, 20);
    assert_int_equal(h.n_questions, 1);
    ml_heap_ask_again(heap); /* the server died before it answered */
    ml_heap_tick(heap, 30);
    assert_int_equal(h.n_questions, 2);
    struct ml_buffer pair = {0};
    ml_varint_append(&pair, h.rows[0].site);
    ml_varint_append(&pair, 44);
    ml_heap_answered(heap, pair.data, pair.length);
    ml_buffer_free(&pair);
    ml_heap_ask_again(heap);
    ml_heap_tick(heap, 40);
    assert_int_equal(h.n_questions, 2);
    close_all(&h, heap, file);
}

/* What is in no module is asked for a little later: the library may still be told of. */
static void code_that_is_told_late(void **state)
{
    (void)state;
    struct heard h = {0};
    struct ml_heap_file *file;
    struct ml_heap *heap = open_heap(&h, &file);
    struct ml_heap_page *page = page_of(file, 0);
    claim(page, getpid());
    set(page, 1, 1000, 1000);
    page->n_modules = 1;
    page->modules[0] = (struct ml_heap_module){.start = 0x1000, .end = 0x1800};
    ml_heap_tick(heap, 10);
    assert_int_equal(h.n_questions, 0);
    page->modules[1] = (struct ml_heap_module){.start = 0x1800, .end = 0x2000};
    page->n_modules = 2;
    ml_heap_tick(heap, 20);
    assert_int_equal(h.n_questions, 0); /* 0x1000 is the first byte, and no call returns there */
    ml_heap_tick(heap, 10 + 2 * ML_NS_PER_S);
    assert_int_equal(h.n_questions, 1);
    close_all(&h, heap, file);
}

static void what_nobody_knows_of(void **state)
{
    (void)state;
    struct heard h = {.unknown = true};
    struct ml_heap_file *file;
    struct ml_heap *heap = open_heap(&h, &file);
    claim(page_of(file, 0), getpid());
    set(page_of(file, 0), 1, 1000, 1000);
    ml_heap_tick(heap, 10);
    assert_int_equal(h.n_rows, 0);
    h.unknown = false; /* it has its first sample now */
    page_of(file, 0)->flags = ML_HEAP_STEPPED_BACK;
    ml_heap_tick(heap, 20);
    assert_int_equal(h.n_rows, 1);
    assert_non_null(strstr(h.note, "no heap profile"));
    h.note[0] = '\0';
    ml_heap_tick(heap, 30); /* once */
    assert_string_equal(h.note, "");
    close_all(&h, heap, file);
}

static void what_is_lacking_is_told(void **state)
{
    (void)state;
    static const struct {
        uint32_t flags;
        int64_t n_samples, n_lost;
        const char *words;
    } cases[] = {
        {ML_HEAP_OWN_ALLOCATOR, 1000, 10, ""},
        {ML_HEAP_OWN_ALLOCATOR | ML_HEAP_BYPASSED, 0, 0, "sees maps alone"},
        {ML_HEAP_NEW_BYPASSED, 0, 0, "operator new"},
        {0, 1000, 11, "has lost samples"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct heard h = {0};
        struct ml_heap_file *file;
        struct ml_heap *heap = open_heap(&h, &file);
        claim(page_of(file, 0), getpid());
        page_of(file, 0)->flags = cases[i].flags;
        page_of(file, 0)->n_samples = cases[i].n_samples;
        page_of(file, 0)->n_lost = cases[i].n_lost;
        ml_heap_tick(heap, 10);
        assert_int_equal(*cases[i].words == '\0', h.note[0] == '\0');
        assert_non_null(strstr(h.note, cases[i].words));
        close_all(&h, heap, file);
    }
}

/* Stacks come and move at random, and are looked at between: what is in no row after a tick is so
 * by less than the floor, and at the end nothing is. */
static void no_change_is_missed(void **state)
{
    (void)state;
    struct heard h = {0};
    struct ml_heap_file *file;
    struct ml_heap *heap = open_heap(&h, &file);
    struct ml_heap_page *page = page_of(file, 0);
    int64_t now_ns = 10, most_B = 0, live_B[SITES] = {0}, allocated_B[SITES] = {0};
    claim(page, getpid());
    for (int i = 0; i < SITES; i++)
        page->stacks[i].ready = 1;
    srand(1);
    for (int t = 0; t < 400; t++) {
        for (int k = rand() % 8; k > 0; k--) {
            int i = rand() % SITES;
            live_B[i] = rand() % 10000;
            allocated_B[i] += 10000;
            set(page, i, live_B[i], allocated_B[i]);
        }
        if (t == 100)
            page->n_stacks = 70;
        if (t == 200)
            page->n_stacks = SITES;
        ml_heap_tick(heap, now_ns);
        now_ns += ML_NS_PER_S / 4;
        int64_t sum_B = 0;
        for (uint32_t i = 0; i < page->n_stacks; i++)
            sum_B += live_B[i];
        most_B = sum_B > most_B ? sum_B : most_B;
        for (uint32_t i = 0; i < page->n_stacks; i++)
            assert_true(llabs(h.last[i].live_B - live_B[i]) <= 1 + most_B / 256);
    }
    ml_heap_stop(heap, now_ns);
    for (int i = 0; i < SITES; i++) {
        assert_int_equal(h.last[i].live_B, live_B[i]);
        assert_int_equal(h.last[i].allocated_B, allocated_B[i]);
    }
    close_all(&h, heap, file);
}

/* The application writes what it likes. */
static void hostile_pages(void **state)
{
    (void)state;
    struct heard h = {0};
    struct ml_heap_file *file;
    struct ml_heap *heap = open_heap(&h, &file);
    for (int seed = 0; seed < 50; seed++) {
        struct ml_heap_page *page = page_of(file, seed % 4);
        uint64_t x = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
        uint64_t *words = (uint64_t *)page;
        for (size_t i = 0; i < sizeof *page / sizeof *words; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            words[i] = seed % 3 ? x : ~UINT64_C(0);
        }
        page->pid = seed % 2 ? getpid() : (int32_t)x;
        h.n_rows = 0;
        ml_heap_tick(heap, seed);
    }
    ml_heap_stop(heap, 100);
    close_all(&h, heap, file);
}

/* ---- thinning ---- */

static void which_changes_are_rows(void **state)
{
    (void)state;
    struct ml_heap_pace pace = {0};
    struct ml_heap_bytes sum = {.live = 1024 * 1000, .allocated = 10240 * 1000};
    struct ml_heap_bytes before = {.live = 5000, .allocated = 5000}, now = before;
    struct ml_heap_floor floor = ml_heap_floor_now(&pace, &sum, 1, false); /* a second is over */
    assert_false(ml_heap_is_worth_a_row(&floor, &before, &now));
    now.live = before.live - 1001;
    assert_true(ml_heap_is_worth_a_row(&floor, &before, &now));
    floor = ml_heap_floor_now(&pace, &sum, 2, false); /* a tick */
    assert_false(ml_heap_is_worth_a_row(&floor, &before, &now));
    now.live = before.live + 4001;
    assert_true(ml_heap_is_worth_a_row(&floor, &before, &now));
    now = before;
    now.allocated += 1000 * 1000;
    assert_false(ml_heap_is_worth_a_row(&floor, &before, &now));
    floor =
        ml_heap_floor_now(&pace, &sum, ML_NS_PER_S + 2, false); /* all, after the first second */
    now.allocated = before.allocated + 1;
    assert_true(ml_heap_is_worth_a_row(&floor, &before, &now));
    floor = ml_heap_floor_now(&pace, &sum, ML_NS_PER_S + 3, true); /* as asked */
    assert_true(ml_heap_is_worth_a_row(&floor, &before, &now));
}

static void all_is_written_ever_more_rarely(void **state)
{
    (void)state;
    struct ml_heap_pace pace = {0};
    struct ml_heap_bytes sum = {.live = 1 << 30, .allocated = 1 << 30};
    int64_t last_s = 0, longest_s = 0;
    int n = 0;
    for (int64_t s = 0; s < 600; s++) {
        if (ml_heap_floor_now(&pace, &sum, 1 + s * ML_NS_PER_S, false).live_B > 1)
            continue;
        longest_s = s - last_s > longest_s ? s - last_s : longest_s;
        last_s = s;
        n++;
    }
    assert_int_equal(longest_s, 30);
    assert_in_range(n, 20, 30);
}

/* ---- a question ---- */

static void on_site(void *context, const struct ml_stack_thread *thread)
{
    int *n = context;
    assert_int_equal(thread->process, 5);
    assert_int_equal(thread->thread, 900 + *n);
    assert_int_equal(thread->n_places, 2);
    assert_non_null(thread->places[0].module);
    assert_string_equal(strrchr(thread->places[0].module->path, '/'), "/heap_pages_test");
    assert_true(thread->places[0].is_caller);
    assert_null(thread->places[1].module);
    ++*n;
}

/* This program's code, as /proc/self/maps has it. */
static struct ml_heap_module own_code(void)
{
    struct ml_heap_module m = {0};
    char line[512], rights[8], path[256];
    unsigned long long start, end, offset, here = (unsigned long long)(uintptr_t)own_code;
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%llx-%llx %7s %llx %*s %*s %255s", &start, &end, rights, &offset, path) ==
                5 &&
            here >= start && here < end) {
            m.start = start;
            m.end = end;
            m.offset = offset;
            snprintf(m.path, sizeof m.path, "%.230s", path);
        }
    }
    fclose(maps);
    assert_true(m.end > 0);
    return m;
}

static void there_and_back(void **state)
{
    (void)state;
    struct ml_heap_file_map map;
    struct ml_error err;
    assert_int_equal(ml_heap_file_create(1, 1 << 19, 0.01, &map, &err), ML_OK);
    struct ml_heap_page *page = ml_heap_page_at(&map, 0);
    claim(page, 1);
    page->modules[0] = own_code();
    page->modules[0].start -= 4096; /* an older one, beneath */
    page->modules[1] = own_code();
    page->n_modules = 2;
    page->words[0] = (uint64_t)(uintptr_t)own_code + 4;
    page->words[1] = 0x10;
    struct ml_heap_order order;
    ml_heap_order_begin(&order, page, 999999999, 5, 2); /* that process is gone */
    ml_heap_order_add(&order, page, 1, 900);
    ml_heap_order_add(&order, page, 1, 901);
    const struct ml_buffer *message = ml_heap_order_end(&order);
    struct ml_sites *sites = ml_sites_open();
    int n = 0;
    assert_true(ml_sites_read(sites, message->data, message->length, on_site, &n));
    assert_int_equal(n, 2);
    for (size_t length = 0; length < message->length; length++) {
        n = 0;
        assert_false(ml_sites_read(sites, message->data, length, on_site, &n));
    }
    ml_sites_close(sites);
    ml_heap_order_free(&order);
    ml_heap_file_close(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_and_its_end),
        cmocka_unit_test(small_changes_come_later),
        cmocka_unit_test(allocators_tell_seldom),
        cmocka_unit_test(another_program),
        cmocka_unit_test(questions_are_asked_again),
        cmocka_unit_test(code_that_is_told_late),
        cmocka_unit_test(what_nobody_knows_of),
        cmocka_unit_test(what_is_lacking_is_told),
        cmocka_unit_test(no_change_is_missed),
        cmocka_unit_test(hostile_pages),
        cmocka_unit_test(which_changes_are_rows),
        cmocka_unit_test(all_is_written_ever_more_rarely),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
