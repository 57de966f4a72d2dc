#include "module_file.h"

#include "base/memory.h"
#include "base/own.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

struct ml_module *module_of(const char *path, const uint8_t *bytes, size_t size)
{
    struct ml_module *module = ml_alloc(sizeof *module);
    struct ml_segment *segments = NULL;
    size_t n = 0, capacity = 0;
    Elf64_Ehdr header = {0};
    if (size >= sizeof header)
        memcpy(&header, bytes, sizeof header);
    for (int i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr p;
        uint64_t at = header.e_phoff + (uint64_t)i * sizeof p;
        if (at > size || size - at < sizeof p)
            break;
        memcpy(&p, bytes + at, sizeof p);
        if (p.p_type != PT_LOAD)
            continue;
        ML_GROW(segments, n, capacity);
        segments[n++] =
            (struct ml_segment){p.p_offset, p.p_vaddr, p.p_memsz, (p.p_flags & PF_X) != 0};
    }
    *module = (struct ml_module){.path = ml_strdup(path),
                                 .bytes = bytes,
                                 .size = size,
                                 .segments = segments,
                                 .n_segments = n};
    return module;
}

struct ml_module *module_map(const char *path)
{
    struct stat st;
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail_msg("cannot open %s", path);
    assert_int_equal(fstat(fd, &st), 0);
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    return module_of(path, bytes, (size_t)st.st_size);
}

void module_free(struct ml_module *module)
{
    if (module->free_user)
        module->free_user(module->user);
    free((void *)module->path);
    free((void *)module->segments);
    free(module);
}
