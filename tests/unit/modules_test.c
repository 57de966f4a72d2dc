/* The ELF files of processes: found, identified, and their headers believed no further than they
 * deserve. */
#include "base/memory.h"
#include "base/own.h"
#include "symbols/modules.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#if defined __x86_64__
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

enum { PAGE_B = 65536 }; /* the largest there is */

/* An ELF file of two segments and an unwind table, small enough to be spoilt on purpose. */
struct file {
    Elf64_Ehdr header;
    Elf64_Phdr parts[3];
    uint8_t table[4 + 4 + 4 + 2 * 8];
};

static struct file good_file(void)
{
    struct file f = {0};
    memcpy(f.header.e_ident, ELFMAG, SELFMAG);
    f.header.e_ident[EI_CLASS] = ELFCLASS64;
    f.header.e_ident[EI_DATA] = ELFDATA2LSB;
    f.header.e_machine = MACHINE;
    f.header.e_phoff = offsetof(struct file, parts);
    f.header.e_phentsize = sizeof(Elf64_Phdr);
    f.header.e_phnum = 3;
    f.parts[0] = (Elf64_Phdr){
        .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = sizeof f};
    f.parts[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                              .p_flags = PF_R | PF_W,
                              .p_vaddr = 0x800000,
                              .p_offset = 16,
                              .p_filesz = 32};
    f.parts[2] = (Elf64_Phdr){.p_type = PT_GNU_EH_FRAME,
                              .p_vaddr = 0x400000 + offsetof(struct file, table),
                              .p_offset = offsetof(struct file, table),
                              .p_filesz = sizeof f.table};
    static const int32_t numbers[] = {0, 2, -0x100, 0, 0x100, 8};
    memcpy(f.table, "\x01\x1b\x03\x3b", 4);
    memcpy(f.table + 4, numbers, sizeof numbers);
    return f;
}

static void good_headers(void **context)
{
    (void)context;
    struct file f = good_file();
    struct ml_elf_image image;
    uint64_t entry, table = f.parts[2].p_vaddr;
    assert_true(ml_elf_image_parse((uint8_t *)&f, sizeof f, &image));
    assert_int_equal(image.n_segments, 2);
    assert_true(image.segments[0].executable);
    assert_false(image.segments[1].executable);
    assert_ptr_equal(ml_elf_image_at(&image, 0x800004, 4), (uint8_t *)&f + 20);
    assert_null(ml_elf_image_at(&image, 0x800000 + 32, 1));
    assert_null(ml_elf_image_at(&image, 0x800000 + 31, 2));
    assert_null(ml_elf_image_at(&image, 0x7fffff, 1));
    assert_true(ml_elf_image_unwind_entry(&image, table - 0x100, &entry));
    assert_int_equal(entry, table + 12);
    assert_true(ml_elf_image_unwind_entry(&image, table + 0xff, &entry));
    assert_int_equal(entry, table + 12);
    assert_true(ml_elf_image_unwind_entry(&image, table + 0x100, &entry));
    assert_int_equal(entry, table + 20);
    assert_false(ml_elf_image_unwind_entry(&image, table - 0x101, &entry));
    ml_elf_image_free(&image);
}

static void cut_files(void **context)
{
    (void)context;
    struct file f = good_file();
    for (size_t size = 0; size < sizeof f; size++) {
        uint8_t *bytes = ml_alloc(size + 1); /* so that a sanitizer sees what is read beyond */
        memcpy(bytes, &f, size);
        uint8_t *exact = ml_realloc_array(bytes, size ? size : 1, 1);
        struct ml_elf_image image;
        uint64_t entry;
        if (ml_elf_image_parse(exact, size, &image)) {
            ml_elf_image_unwind_entry(&image, 0x400000, &entry);
            for (size_t i = 0; i < image.n_segments; i++)
                assert_true(image.segments[i].offset + image.segments[i].size <= size);
            ml_elf_image_free(&image);
        } else {
            assert_true(size < offsetof(struct file, table));
        }
        free(exact);
    }
}

static void spoilt_headers(void **context)
{
    (void)context;
    struct ml_elf_image image;
    for (int i = 0; i < 7; i++) {
        struct file f = good_file();
        switch (i) {
        case 0:
            f.header.e_ident[0] = 'M';
            break;
        case 1:
            f.header.e_ident[EI_CLASS] = ELFCLASS32;
            break;
        case 2:
            f.header.e_ident[EI_DATA] = ELFDATA2MSB;
            break;
        case 3:
            f.header.e_phoff = UINT64_MAX;
            break;
        case 4:
            f.header.e_phoff = sizeof f - 8;
            break;
        case 5:
            f.header.e_phnum = UINT16_MAX;
            break;
        default:
            f.header.e_phentsize = 1;
        }
        assert_false(ml_elf_image_parse((uint8_t *)&f, sizeof f, &image));
    }
    struct file f = good_file();
    f.parts[0].p_offset = UINT64_MAX - 1;
    f.parts[1].p_filesz = UINT64_MAX;
    f.parts[2].p_offset = sizeof f;
    assert_true(ml_elf_image_parse((uint8_t *)&f, sizeof f, &image));
    assert_int_equal(image.n_segments, 0);
    uint64_t entry;
    assert_false(ml_elf_image_unwind_entry(&image, 0x400000, &entry));
    ml_elf_image_free(&image);
}

static void spoilt_tables(void **context)
{
    (void)context;
    static const uint8_t bytes[][4] = {
        {2, 0x1b, 0x03, 0x3b},                        /* a version to come */
        {1, 0x1b, 0x03, 0x1b},                        /* entries of another kind */
        {1, 0x1b, 0xff, 0x3b},                        /* no number of entries */
        {1, 0xff, 0x03, 0x3b}, {1, 0x01, 0x03, 0x3b}, /* of no fixed size */
    };
    struct ml_elf_image image;
    uint64_t entry;
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        struct file f = good_file();
        memcpy(f.table, bytes[i], 4);
        assert_true(ml_elf_image_parse((uint8_t *)&f, sizeof f, &image));
        assert_false(ml_elf_image_unwind_entry(&image, f.parts[2].p_vaddr, &entry));
        ml_elf_image_free(&image);
    }
    struct file f = good_file();
    memset(f.table + 8, 0xff, 4); /* 4 billion entries */
    assert_true(ml_elf_image_parse((uint8_t *)&f, sizeof f, &image));
    assert_true(ml_elf_image_unwind_entry(&image, f.parts[2].p_vaddr + 0x1000, &entry));
    assert_int_equal(entry, f.parts[2].p_vaddr + 20);
    ml_elf_image_free(&image);
}

static struct ml_modules *modules;
static char folder[] = "/tmp/memlog-modules-XXXXXX";

static void write_file(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
}

static struct ml_map map_of(const char *path)
{
    struct stat s = {0};
    stat(path, &s);
    return (struct ml_map){.start = 0x10000,
                           .end = 0x20000,
                           .device = (uint64_t)major(s.st_dev) << 32 | minor(s.st_dev),
                           .inode = s.st_ino,
                           .executable = true,
                           .path = path};
}

static void files_are_opened_once(void **context)
{
    (void)context;
    struct file f = good_file();
    ML_AUTO_FREE char *path = ml_format("%s/a", folder);
    write_file(path, &f, sizeof f);
    struct ml_map map = map_of(path);
    struct ml_module *m = ml_modules_of(modules, getpid(), &map);
    assert_non_null(m);
    assert_string_equal(m->path, path);
    assert_int_equal(m->size, sizeof f);
    assert_memory_equal(m->bytes, &f, sizeof f);
    assert_ptr_equal(ml_modules_of(modules, getpid(), &map), m);
    unlink(path);
    map.deleted = true;
    assert_ptr_equal(ml_modules_of(modules, getpid(), &map), m);
}

static void a_replaced_file_is_another(void **context)
{
    (void)context;
    struct file old = good_file(), new = good_file();
    new.parts[0].p_vaddr = 0x500000;
    ML_AUTO_FREE char *path = ml_format("%s/b", folder);
    ML_AUTO_FREE char *other = ml_format("%s/b.new", folder);
    write_file(path, &old, sizeof old);
    write_file(other, &new, sizeof new);
    struct ml_map before = map_of(path), never_read = before;
    struct ml_module *m = ml_modules_of(modules, getpid(), &before);
    assert_int_equal(m->segments[0].address, 0x400000);
    assert_int_equal(rename(other, path), 0);
    struct ml_map after = map_of(path);
    struct ml_module *n = ml_modules_of(modules, getpid(), &after);
    assert_ptr_not_equal(n, m);
    assert_int_equal(n->segments[0].address, 0x500000);
    /* The old one is gone for good: its name leads to another now. */
    struct ml_modules *late = ml_modules_open();
    never_read.deleted = true;
    assert_null(ml_modules_of(late, getpid(), &never_read));
    ml_modules_close(late);
}

static void what_is_no_elf_file_is_none(void **context)
{
    (void)context;
    ML_AUTO_FREE char *text = ml_format("%s/text", folder);
    ML_AUTO_FREE char *empty = ml_format("%s/empty", folder);
    ML_AUTO_FREE char *fifo = ml_format("%s/fifo", folder);
    ML_AUTO_FREE char *foreign = ml_format("%s/foreign", folder);
    struct file f = good_file();
    f.header.e_machine = EM_SPARCV9;
    write_file(text, "hello", 5);
    write_file(empty, "", 0);
    write_file(foreign, &f, sizeof f);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const char *paths[] = {text, empty,    fifo,      foreign, folder,      "/nowhere/at/all",
                           "",   "[heap]", "[stack]", "[vdso", "/dev/zero", "/memfd:x"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct ml_map map = map_of(paths[i]);
        assert_null(ml_modules_of(modules, getpid(), &map));
        assert_null(ml_modules_of(modules, getpid(), &map));
    }
}

static void the_vdso_is_read_from_the_process(void **context)
{
    (void)context;
    uint64_t start = getauxval(AT_SYSINFO_EHDR), entry;
    assert_int_not_equal(start, 0);
    struct ml_map map = {.start = start, .end = start + 4096, .executable = true, .path = "[vdso]"};
    struct ml_map nowhere = {.start = 4096, .end = 8192, .executable = true, .path = "[vdso]"};
    assert_null(ml_modules_of(modules, getpid(), &nowhere)); /* not remembered */
    struct ml_module *m = ml_modules_of(modules, getpid(), &map);
    assert_non_null(m);
    assert_true(m->n_segments > 0);
    assert_true(ml_elf_image_unwind_entry(&m->image, m->image.table_address + 4096, &entry));
}

/* Text and data of one library, and its text split into several mappings. */
static void addresses_by_the_segment_of_the_offset(void **context)
{
    (void)context;
    struct ml_segment segments[] = {
        {.offset = 0, .address = 0, .size = 3 * PAGE_B},
        {.offset = 3 * PAGE_B, .address = 0x100000, .size = 4 * PAGE_B, .executable = true},
        {.offset = 7 * PAGE_B + 0x10, .address = 0x300010, .size = 100},
    };
    struct ml_module m = {.segments = segments, .n_segments = 3};
    struct ml_map map = {.start = 0x7f0000000000,
                         .end = 0x7f0000000000 + 4 * PAGE_B,
                         .offset = 3 * PAGE_B,
                         .executable = true};
    uint64_t address;
    assert_true(ml_module_address(&m, &map, map.start + 0x123, &address));
    assert_int_equal(address, 0x100123);
    map.offset += 2 * PAGE_B;
    assert_true(ml_module_address(&m, &map, map.start + 0x123, &address));
    assert_int_equal(address, 0x100123 + 2 * PAGE_B);
    map.executable = false;
    map.offset = 7 * PAGE_B; /* the page that holds the end of the text, as data */
    assert_true(ml_module_address(&m, &map, map.start + 0x10, &address));
    assert_int_equal(address, 0x300010);
    map.offset = 9 * PAGE_B;
    assert_false(ml_module_address(&m, &map, map.start, &address));
}

static int set_up(void **context)
{
    (void)context;
    modules = ml_modules_open();
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **context)
{
    (void)context;
    ml_modules_close(modules);
    ml_modules_close(NULL);
    char *command = ml_format("rm -rf %s", folder);
    int status = system(command);
    free(command);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_headers),
        cmocka_unit_test(cut_files),
        cmocka_unit_test(spoilt_headers),
        cmocka_unit_test(spoilt_tables),
        cmocka_unit_test(files_are_opened_once),
        cmocka_unit_test(a_replaced_file_is_another),
        cmocka_unit_test(what_is_no_elf_file_is_none),
        cmocka_unit_test(the_vdso_is_read_from_the_process),
        cmocka_unit_test(addresses_by_the_segment_of_the_offset),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
