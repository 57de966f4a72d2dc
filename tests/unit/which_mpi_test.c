/* The parser of ELF files on made-up and hostile ones, and the search on real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "flavour/elf_needed.h"
#include "flavour/which_mpi.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BASE 0x400000

/* A whole file: header, three segments, five entries, names. */
struct file {
    Elf64_Ehdr header;
    Elf64_Phdr interp, load, dynamic;
    Elf64_Dyn entries[5];
    char names[64];
};

/* needs libmpi.so.40, runpath $ORIGIN/lib */
static struct file make(void)
{
    struct file file = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_phoff = offsetof(struct file, interp),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 3},
        .interp = {.p_type = PT_INTERP},
        .load = {.p_type = PT_LOAD, .p_vaddr = BASE, .p_filesz = sizeof file},
        .dynamic = {.p_type = PT_DYNAMIC,
                    .p_offset = offsetof(struct file, entries),
                    .p_filesz = sizeof file.entries},
        .entries = {{DT_STRTAB, {BASE + offsetof(struct file, names)}},
                    {DT_NEEDED, {1}},
                    {DT_RUNPATH, {14}},
                    {DT_NEEDED, {1000000}},
                    {DT_NULL, {0}}},
        .names = "\0libmpi.so.40\0$ORIGIN/lib",
    };
    return file;
}

static struct ml_elf parse(const struct file *file, size_t n)
{
    static const char *names[ML_ELF_MAX_NEEDED];
    struct ml_elf elf;
    void *exact = malloc(n ? n : 1); /* so that a sanitizer sees each byte too far */
    memcpy(exact, file, n);
    ml_elf_parse(exact, n, names, &elf);
    if (elf.n_needed)
        assert_string_equal(elf.needed[0], "libmpi.so.40");
    free(exact);
    return elf;
}

static void test_parse(void **state)
{
    (void)state;
    const char *names[ML_ELF_MAX_NEEDED];
    struct ml_elf elf;
    struct file file = make();
    ml_elf_parse(&file, sizeof file, names, &elf);
    assert_true(elf.is_elf && elf.is_dynamic);
    assert_int_equal(elf.n_needed, 1);
    assert_string_equal(elf.needed[0], "libmpi.so.40");
    assert_string_equal(elf.runpath, "$ORIGIN/lib");
    assert_null(elf.rpath);
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    struct file file = make();
    for (size_t n = 0; n < sizeof file; n++)
        assert_true(parse(&file, n).n_needed <= 1);
    assert_false(parse(&file, sizeof file.header - 1).is_elf);
}

static void test_hostile(void **state)
{
    (void)state;
    struct file no_elf = make(), other_size = make(), other_order = make(), far = make(),
                far_segments = make(), endless = make(), no_names = make(), wrong_place = make();
    no_elf.header.e_ident[0] = 'x';
    other_size.header.e_ident[EI_CLASS] = ELFCLASS32;
    other_order.header.e_ident[EI_DATA] = ELFDATA2MSB;
    assert_false(parse(&no_elf, sizeof no_elf).is_elf);
    assert_false(parse(&other_size, sizeof other_size).is_elf);
    assert_false(parse(&other_order, sizeof other_order).is_elf);
    far.dynamic.p_offset = UINT64_MAX - 4;
    far_segments.header.e_phoff = UINT64_MAX - 8;
    endless.dynamic.p_filesz = UINT64_MAX;
    endless.entries[4].d_tag = DT_NEEDED;
    no_names.entries[0].d_tag = DT_SYMTAB;
    wrong_place.load.p_offset = UINT64_MAX - 16;
    assert_int_equal(parse(&far, sizeof far).n_needed, 0);
    assert_int_equal(parse(&far_segments, sizeof far_segments).n_needed, 0);
    assert_true(parse(&endless, sizeof endless).n_needed <= ML_ELF_MAX_NEEDED);
    assert_int_equal(parse(&no_names, sizeof no_names).n_needed, 0);
    assert_int_equal(parse(&wrong_place, sizeof wrong_place).n_needed, 0);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum ml_which_mpi which;
    } cases[] = {
        {"libmpi.so.40", ML_MPI_IS_OPENMPI},
        {"libmpi_mpifh.so.40", ML_MPI_IS_OPENMPI},
        {"libopen-pal.so.80", ML_MPI_IS_OPENMPI},
        {"libmpich.so.12", ML_MPI_IS_MPICH},
        {"libmpi.so.12", ML_MPI_IS_UNKNOWN},
        {"libmpifort.so.12", ML_MPI_IS_MPICH},
        {"libmpi.so", ML_MPI_IS_UNKNOWN},
        {"libm.so.6", ML_MPI_IS_UNKNOWN},
        {"", ML_MPI_IS_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ml_which_mpi_library(cases[i].name), cases[i].which);
}

/* The test's own folder, left empty. */
struct folder {
    char path[32];
};

static struct folder make_folder(void)
{
    struct folder folder = {"/tmp/which_mpi.XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static char *write_file(const struct folder *folder, const char *name, const void *bytes, size_t n,
                        mode_t mode)
{
    char *path = ml_format("%s/%s", folder->path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static void remove_file(char *path)
{
    unlink(path);
    free(path);
}

/* The executable needs a library beside it, which needs MPI. */
static void test_through_a_library(void **state)
{
    (void)state;
    struct folder folder = make_folder();
    struct file program = make(), library = make();
    memcpy(program.names, "\0libaaaaaa.so\0$ORIGIN\0", 23);
    char *a = write_file(&folder, "program", &program, sizeof program, 0700);
    assert_int_equal(ml_which_mpi(a, NULL), ML_MPI_IS_UNKNOWN);
    char *b = write_file(&folder, "libaaaaaa.so", &library, sizeof library, 0600);
    assert_int_equal(ml_which_mpi(a, NULL), ML_MPI_IS_OPENMPI);
    remove_file(a);
    program.entries[2].d_tag = DT_SONAME; /* no runpath */
    a = write_file(&folder, "program", &program, sizeof program, 0700);
    assert_int_equal(ml_which_mpi(a, NULL), ML_MPI_IS_UNKNOWN);
    assert_int_equal(ml_which_mpi(a, folder.path), ML_MPI_IS_OPENMPI);
    remove_file(a);
    remove_file(b);
    rmdir(folder.path);
}

static void expect_kind(const struct folder *folder, const char *name, const void *bytes, size_t n,
                        unsigned mode, enum ml_which_mpi kind)
{
    char *path = write_file(folder, name, bytes, n, mode);
    assert_int_equal(ml_which_mpi(path, NULL), kind);
    remove_file(path);
}

static void test_kinds_of_files(void **state)
{
    (void)state;
    struct folder folder = make_folder();
    struct file elf = make();
    expect_kind(&folder, "setuid", &elf, sizeof elf, 04700, ML_MPI_IS_SETUID);
    elf.interp.p_type = PT_NULL;
    expect_kind(&folder, "static", &elf, sizeof elf, 0700, ML_MPI_IS_STATIC);
    expect_kind(&folder, "script", "#!/bin/sh\n", 10, 0700, ML_MPI_IS_UNKNOWN);
    assert_int_equal(ml_which_mpi(folder.path, NULL), ML_MPI_IS_UNKNOWN);
    assert_int_equal(ml_which_mpi("/nowhere/at/all", NULL), ML_MPI_IS_UNKNOWN);
    assert_int_equal(ml_which_mpi("/bin/true", NULL), ML_MPI_IS_UNKNOWN);
    rmdir(folder.path);
}

static void expect_preload(enum ml_which_mpi which, const char *folder, const char *old,
                           const char *names)
{
    char *found = ml_which_mpi_preload(which, ML_PRELOAD_HOOKS, folder, old);
    if (!names) {
        assert_null(found);
        return;
    }
    char shortened[512] = "";
    for (char *part = strtok(found, ":"); part; part = strtok(NULL, ":"))
        snprintf(shortened + strlen(shortened), sizeof shortened - strlen(shortened), "%s%s",
                 *shortened ? ":" : "", strrchr(part, '/') ? strrchr(part, '/') + 1 : part);
    assert_string_equal(shortened, names);
    free(found);
}

/* What the loader of such a program would complain of, or what it would never see. */
static void test_out_of_reach(void **state)
{
    (void)state;
    struct folder folder = make_folder();
    struct file musl = make(), small = make(), old = make();
    memcpy(musl.names + 40, "/lib/ld-musl-x.so.1", 20);
    musl.interp.p_offset = offsetof(struct file, names) + 40;
    musl.interp.p_filesz = 20;
    small.header.e_ident[EI_CLASS] = ELFCLASS32;
    memcpy(old.names, "\0libmpi.so.12\0$ORIGIN/lib", 26);
    expect_kind(&folder, "musl", &musl, sizeof musl, 0700, ML_MPI_IS_STATIC);
    expect_kind(&folder, "small", &small, sizeof small, 0700, ML_MPI_IS_STATIC);
    expect_kind(&folder, "apptainer", "#!/bin/sh\n", 10, 0700, ML_MPI_IS_CONTAINED);
    expect_kind(&folder, "old", &old, sizeof old, 0700, ML_MPI_IS_MPICH);
    rmdir(folder.path);
}

static void test_preload(void **state)
{
    (void)state;
    struct folder folder = make_folder();
    expect_preload(ML_MPI_IS_OPENMPI, folder.path, "tool.so", NULL);
    char *a = write_file(&folder, "libmemlog_hooks_openmpi.so", "", 0, 0600);
    char *b = write_file(&folder, "libmemlog_hooks_mpich.so", "", 0, 0600);
#define OPENMPI "libmemlog_hooks_openmpi.so"
#define MPICH "libmemlog_hooks_mpich.so"
    expect_preload(ML_MPI_IS_OPENMPI, folder.path, NULL, OPENMPI);
    expect_preload(ML_MPI_IS_MPICH, folder.path, "tool.so", "tool.so:" MPICH);
    expect_preload(ML_MPI_IS_UNKNOWN, folder.path, "", OPENMPI ":" MPICH);
    expect_preload(ML_MPI_IS_STATIC, folder.path, NULL, NULL);
    expect_preload(ML_MPI_IS_SETUID, folder.path, "tool.so", NULL);
    remove_file(b);
    expect_preload(ML_MPI_IS_UNKNOWN, folder.path, NULL, OPENMPI);
    remove_file(a);
    rmdir(folder.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_through_a_library),
        cmocka_unit_test(test_kinds_of_files),
        cmocka_unit_test(test_out_of_reach),
        cmocka_unit_test(test_preload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
