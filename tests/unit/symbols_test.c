#include "symbols/symbols.h"

#include "base/memory.h"
#include "base/own.h"

#include "module_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* ---- programs ---- */

#define PROGRAM(name) SYMBOLS_PROGRAMS "/" name "/program"

/* The value of SYMBOL in the ELF file at PATH, as nm tells it; its end where SIZED. */
static uint64_t address_of(const char *path, const char *symbol, bool at_end)
{
    ML_AUTO_FREE char *command = ml_format("nm -S %s", path);
    char line[1024], name[512], type;
    uint64_t address, size;
    FILE *nm = popen(command, "r");
    assert_non_null(nm);
    bool found = false;
    uint64_t value = 0;
    while (!found && fgets(line, sizeof line, nm)) {
        size = 0;
        found =
            (sscanf(line, "%" SCNx64 " %" SCNx64 " %c %511s", &address, &size, &type, name) == 4 ||
             sscanf(line, "%" SCNx64 " %c %511s", &address, &type, name) == 3) &&
            strcmp(name, symbol) == 0;
        value = at_end ? address + size : address;
    }
    pclose(nm);
    if (!found)
        fail_msg("%s has no %s", path, symbol);
    return value;
}

/* The number of the first line of SOURCE that contains TEXT. */
static int line_of(const char *source, const char *text)
{
    ML_AUTO_FREE char *path = ml_format("%s/%s", SYMBOLS_SOURCES, source);
    ML_AUTO_FILE FILE *file = fopen(path, "r");
    char line[1024];
    assert_non_null(file);
    for (int n = 1; fgets(line, sizeof line, file); n++) {
        if (strstr(line, text))
            return n;
    }
    fail_msg("%s has no %s", path, text);
    return 0;
}

/* ---- frames that are expected ---- */

struct expected {
    const char *function;
    const char *text; /* in the line of the source that the frame is at; NULL: unknown */
};

static void compare(const struct ml_stack_frame *frames, size_t n, const struct ml_module *module,
                    const char *source, const struct expected *expected, size_t n_expected)
{
    ML_AUTO_FREE char *file = ml_format("%s/%s", SYMBOLS_SOURCES, source);
    assert_int_equal(n, n_expected);
    for (size_t i = 0; i < n; i++) {
        const struct expected *e = &expected[i];
        assert_string_equal(frames[i].function, e->function);
        assert_string_equal(frames[i].file, e->text ? file : "");
        assert_int_equal(frames[i].line, e->text ? line_of(source, e->text) : -1);
        assert_string_equal(frames[i].module, module->path);
        assert_int_equal(frames[i].inlined, i + 1 < n);
        if (*e->function)
            assert_int_equal(frames[i].offset_B, -1);
    }
}

/* What is at SYMBOL of PROGRAM, whose address its twin WHOLE (unless NULL) tells. */
static void expect(const char *program, const char *whole, const char *debug_folder,
                   const char *symbol, const char *source, const struct expected *expected,
                   size_t n_expected)
{
    const struct ml_stack_frame *frames, *again;
    struct ml_module *module = module_map(program);
    struct ml_symbols *symbols = ml_symbols_open_in(debug_folder);
    uint64_t address = address_of(whole ? whole : program, symbol, false);
    size_t n = ml_symbols_at(symbols, module, address, false, &frames);
    compare(frames, n, module, source, expected, n_expected);
    if (!*frames[n - 1].function)
        assert_int_equal(frames[n - 1].offset_B, address);
    assert_int_equal(ml_symbols_at(symbols, module, address, false, &again), n);
    assert_ptr_equal(again, frames);
    ml_symbols_close(symbols);
    module_free(module);
}

#define EXPECT(program, whole, debug, symbol, source, ...)                                         \
    do {                                                                                           \
        static const struct expected expected_[] = {__VA_ARGS__};                                  \
        expect(program, whole, debug, symbol, source, expected_,                                   \
               sizeof expected_ / sizeof *expected_);                                              \
    } while (0)

static const char *const debug_folder = "/usr/lib/debug";

/* ---- C ---- */

static void expect_inlined(const char *program, const char *whole, const char *debug)
{
    EXPECT(program, whole, debug, "mark_innermost", "calls.c", {"innermost", "MARK(innermost)"},
           {"middle", "middle calls innermost"}, {"outer", "outer calls middle"});
    EXPECT(program, whole, debug, "mark_outer", "calls.c", {"outer", "MARK(outer)"});
    EXPECT(program, whole, debug, "mark_hidden", "calls.c", {"hidden", "MARK(hidden)"});
}

static void test_inlined(void **state)
{
    (void)state;
    expect_inlined(PROGRAM("dwarf5"), NULL, debug_folder);
    expect_inlined(PROGRAM("dwarf4"), NULL, debug_folder);
    expect_inlined(PROGRAM("fixed"), NULL, debug_folder);
    expect_inlined(PROGRAM("compressed"), NULL, debug_folder);
    expect_inlined(PROGRAM("compressed_old"), NULL, debug_folder);
    expect_inlined(PROGRAM("no_aranges"), NULL, debug_folder);
    expect_inlined(PROGRAM("split"), NULL, debug_folder);
}

static void test_separate(void **state)
{
    (void)state;
    const char *whole = SYMBOLS_PROGRAMS "/build_id/whole";
    expect_inlined(PROGRAM("linked"), SYMBOLS_PROGRAMS "/linked/whole", debug_folder);
    expect_inlined(PROGRAM("build_id"), whole, SYMBOLS_PROGRAMS "/build_id/debug");
    EXPECT(PROGRAM("build_id"), whole, SYMBOLS_PROGRAMS, "mark_outer", "calls.c", {"", NULL});
}

/* Of a .dwo file that is gone the lines are left, and the symbols. */
static void test_split_lost(void **state)
{
    (void)state;
    EXPECT(PROGRAM("split_lost"), NULL, debug_folder, "mark_outer", "calls.c",
           {"outer", "MARK(outer)"});
}

static void test_symbols_only(void **state)
{
    (void)state;
    const char *whole = SYMBOLS_PROGRAMS "/library/whole";
    EXPECT(PROGRAM("bare"), NULL, debug_folder, "mark_innermost", "calls.c", {"outer", NULL});
    EXPECT(PROGRAM("bare"), NULL, debug_folder, "mark_hidden", "calls.c", {"hidden", NULL});
    EXPECT(PROGRAM("bare"), NULL, debug_folder, "_start", "calls.c", {"_start", NULL});
    EXPECT(PROGRAM("library"), whole, debug_folder, "outer", "calls.c", {"outer", NULL});
    EXPECT(PROGRAM("library"), whole, debug_folder, "hidden", "calls.c", {"", NULL});
    EXPECT(PROGRAM("stripped"), SYMBOLS_PROGRAMS "/stripped/whole", debug_folder, "outer",
           "calls.c", {"", NULL});
}

/* The return address behind a call that does not return is that of the next function. */
static void test_caller(void **state)
{
    (void)state;
    static const char *const programs[] = {PROGRAM("dwarf5"), PROGRAM("bare")};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const struct ml_stack_frame *frames;
        struct ml_module *module = module_map(programs[i]);
        struct ml_symbols *symbols = ml_symbols_open();
        uint64_t end = address_of(programs[i], "ends", true);
        assert_int_equal(ml_symbols_at(symbols, module, end, true, &frames), 1);
        assert_string_equal(frames[0].function, "ends");
        if (i == 0)
            assert_int_equal(frames[0].line, line_of("calls.c", "ends calls leave"));
        assert_int_equal(ml_symbols_at(symbols, module, end, false, &frames), 1);
        assert_string_not_equal(frames[0].function, "ends");
        ml_symbols_close(symbols);
        module_free(module);
    }
}

/* ---- C++ and Fortran ---- */

static void test_cpp(void **state)
{
    (void)state;
    const char *program = PROGRAM("shapes"), *source = "shapes.cc";
    if (access(program, R_OK) != 0) {
        print_message("no C++ compiler was found: no test of C++ names\n");
        skip();
    }
    EXPECT(program, NULL, debug_folder, "mark_area", source,
           {"geometry::Box<int>::area", "MARK(area)"});
    EXPECT(program, NULL, debug_folder, "mark_shift", source,
           {"geometry::Box<int>::operator<<", "MARK(shift)"});
    EXPECT(program, NULL, debug_folder, "mark_call", source,
           {"geometry::Box<int>::operator()", "MARK(call)"});
    EXPECT(program, NULL, debug_folder, "mark_conversion", source,
           {"geometry::Box<int>::operator std::__cxx11::basic_string<char, "
            "std::char_traits<char>, std::allocator<char>>",
            "MARK(conversion)"});
    EXPECT(program, NULL, debug_folder, "mark_scaled", source,
           {"geometry::scaled<(geometry::Unit)1, int>", "MARK(scaled)"});
    EXPECT(program, NULL, debug_folder, "mark_less", source,
           {"geometry::operator< <int>", "MARK(less)"});
    EXPECT(program, NULL, debug_folder, "mark_c_name", source,
           {"geometry::c_name", "MARK(c_name)"});
    EXPECT(program, NULL, debug_folder, "mark_hidden", source,
           {"geometry::(anonymous namespace)::hidden", "MARK(hidden)"});
    EXPECT(program, NULL, debug_folder, "mark_twice", source,
           {"geometry::twice<int>", "MARK(twice)"},
           {"geometry::Square::corners", "corners calls twice"});
    EXPECT(program, NULL, debug_folder, "mark_lambda", source, {"operator()", "MARK(lambda)"});
}

static void test_fortran(void **state)
{
    (void)state;
    const char *program = PROGRAM("solver"), *source = "solver.f90";
    if (access(program, R_OK) != 0) {
        print_message("gfortran was not found: no test of Fortran names\n");
        skip();
    }
    EXPECT(program, NULL, debug_folder, "__solver_MOD_step", source,
           {"solver::step", "subroutine step"});
    EXPECT(program, NULL, debug_folder, "add.0", source, {"step::add", "s%n = s%n + y"});
    EXPECT(program, NULL, debug_folder, "outside_", source, {"outside", "x = x + 1"});
    EXPECT(program, NULL, debug_folder, "MAIN__", source, {"main_program", "program main_program"});
}

/* ---- against addr2line ---- */

enum { N_ADDRESSES = 400, N_CALLS = 16 };

struct told {
    int lines[N_CALLS]; /* -1: unknown */
    char functions[N_CALLS][256];
    size_t n;
};

/* Asks binutils about the addresses from FIRST on, each STEP bytes. */
static void ask_addr2line(const char *path, uint64_t first, uint64_t step, struct told *told)
{
    ML_AUTO_FREE char *list = ml_strdup("");
    for (int i = 0; i < N_ADDRESSES; i++) {
        char *longer = ml_format("%s 0x%" PRIx64, list, first + step * (uint64_t)i);
        free(list);
        list = longer;
    }
    ML_AUTO_FREE char *command = ml_format("addr2line -a -i -f -e %s%s", path, list);
    FILE *out = popen(command, "r");
    char function[1024], place[1024];
    int i = -1;
    assert_non_null(out);
    while (fgets(function, sizeof function, out)) {
        if (strncmp(function, "0x", 2) == 0) {
            i++;
            continue;
        }
        assert_true(i >= 0 && i < N_ADDRESSES && told[i].n < N_CALLS &&
                    fgets(place, sizeof place, out));
        const char *colon = strrchr(place, ':');
        struct told *t = &told[i];
        function[strcspn(function, "\n")] = 0;
        snprintf(t->functions[t->n], sizeof t->functions[0], "%.200s", function);
        t->lines[t->n++] = colon && colon[1] != '?' && atoi(colon + 1) > 0 ? atoi(colon + 1) : -1;
    }
    pclose(out);
    assert_int_equal(i, N_ADDRESSES - 1);
}

/* Lines and depths agree wherever addr2line knows a line, and in C also the functions. */
static void compare_with_addr2line(const char *path, const char *first, bool functions)
{
    struct told *told = ml_alloc(N_ADDRESSES * sizeof *told);
    uint64_t start = address_of(path, first, false);
    ask_addr2line(path, start, 1, told);
    struct ml_module *module = module_map(path);
    struct ml_symbols *symbols = ml_symbols_open();
    int compared = 0;
    for (int i = 0; i < N_ADDRESSES; i++) {
        const struct ml_stack_frame *frames;
        size_t n = ml_symbols_at(symbols, module, start + (uint64_t)i, false, &frames);
        const char *function = frames[n - 1].function;
        bool between = !*function || strncmp(function, "mark_", 5) == 0; /* functions */
        if (told[i].lines[0] < 0 || between)
            continue;
        compared++;
        assert_int_equal(n, told[i].n);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(frames[k].line, told[i].lines[k]);
            if (functions && strncmp(told[i].functions[k], "mark_", 5) != 0)
                assert_string_equal(frames[k].function, told[i].functions[k]);
        }
    }
    assert_true(compared > 20);
    ml_symbols_close(symbols);
    module_free(module);
    free(told);
}

static void test_addr2line(void **state)
{
    (void)state;
    if (system("addr2line --version >/dev/null 2>&1") != 0) {
        print_message("addr2line (binutils) was not found\n");
        skip();
    }
    compare_with_addr2line(PROGRAM("dwarf5"), "outer", true);
    compare_with_addr2line(PROGRAM("dwarf4"), "outer", true);
    compare_with_addr2line(PROGRAM("no_aranges"), "outer", true);
    if (access(PROGRAM("shapes"), R_OK) == 0)
        compare_with_addr2line(PROGRAM("shapes"), "_ZNK8geometry3BoxIiE4areaEv", false);
    if (access(PROGRAM("solver"), R_OK) == 0)
        compare_with_addr2line(PROGRAM("solver"), "__solver_MOD_step", false);
}

/* ---- modules that are no files ---- */

static void test_vdso(void **state)
{
    (void)state;
    ML_AUTO_FILE FILE *maps = fopen("/proc/self/maps", "r");
    char line[1024];
    size_t size = 0;
    uint64_t start = 0, end;
    assert_non_null(maps);
    while (!size && fgets(line, sizeof line, maps)) {
        if (strstr(line, "[vdso]") && sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2)
            size = (size_t)(end - start);
    }
    if (!size) {
        print_message("this kernel gives no vdso\n");
        skip();
    }
    ML_AUTO_FREE uint8_t *bytes = ml_alloc(size);
    memcpy(bytes, (const void *)(uintptr_t)start, size);
    struct ml_module *module = module_of("[vdso]", bytes, size);
    struct ml_symbols *symbols = ml_symbols_open();
    bool found = false;
    for (uint64_t a = 0; a < size && !found; a += 16) {
        const struct ml_stack_frame *frames;
        assert_int_equal(ml_symbols_at(symbols, module, a, false, &frames), 1);
        assert_string_equal(frames[0].module, "[vdso]");
        found = strstr(frames[0].function, "clock_gettime") != NULL;
    }
    assert_true(found);
    ml_symbols_close(symbols);
    module_free(module);
}

static void test_nowhere(void **state)
{
    (void)state;
    const struct ml_stack_frame *frames;
    struct ml_symbols *symbols = ml_symbols_open();
    assert_int_equal(ml_symbols_at(symbols, NULL, 0x1234, true, &frames), 1);
    assert_string_equal(frames[0].function, "");
    assert_string_equal(frames[0].module, "");
    assert_int_equal(frames[0].offset_B, 0x1234);
    assert_int_equal(frames[0].line, -1);
    assert_int_equal(ml_symbols_at(symbols, NULL, 0, true, &frames), 1);
    assert_int_equal(ml_symbols_at(symbols, NULL, UINT64_MAX, false, &frames), 1);
    ml_symbols_close(symbols);
    ml_symbols_close(NULL);
}

/* The path leads nowhere, or to another program: the bytes count. */
static void test_deleted(void **state)
{
    (void)state;
    const struct ml_stack_frame *frames;
    struct ml_module *file = module_map(PROGRAM("dwarf5"));
    uint64_t address = address_of(PROGRAM("dwarf5"), "mark_innermost", false);
    static const char *const paths[] = {"/nowhere/program", PROGRAM("shapes"), "/dev/zero"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct ml_module *module = module_of(paths[i], file->bytes, file->size);
        struct ml_symbols *symbols = ml_symbols_open();
        assert_int_equal(ml_symbols_at(symbols, module, address, false, &frames), 3);
        assert_string_equal(frames[0].function, "innermost");
        assert_string_equal(frames[0].module, paths[i]);
        module_free(module); /* the frames outlive it */
        assert_string_equal(frames[2].function, "outer");
        assert_string_equal(frames[2].module, paths[i]);
        ml_symbols_close(symbols);
    }
    module_free(file);
}

/* ---- the network ---- */

static void test_no_network(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    ML_AUTO_FD int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(server, 5), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &n), 0);
    ML_AUTO_FREE char *url = ml_format("http://127.0.0.1:%d", ntohs(address.sin_port));
    setenv("DEBUGINFOD_URLS", url, 1);
    setenv("DEBUGINFOD_TIMEOUT", "1", 1);
    EXPECT(PROGRAM("build_id"), SYMBOLS_PROGRAMS "/build_id/whole", SYMBOLS_PROGRAMS, "mark_outer",
           "calls.c", {"", NULL});
    assert_int_equal(accept4(server, NULL, NULL, SOCK_CLOEXEC), -1);
    assert_int_equal(errno, EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inlined),    cmocka_unit_test(test_separate),
        cmocka_unit_test(test_split_lost), cmocka_unit_test(test_symbols_only),
        cmocka_unit_test(test_caller),     cmocka_unit_test(test_cpp),
        cmocka_unit_test(test_fortran),    cmocka_unit_test(test_addr2line),
        cmocka_unit_test(test_vdso),       cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_deleted),    cmocka_unit_test(test_no_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
