/* Runs a command with a file for the heap profiler, and prints what its pages hold at the end.
 *
 *   heap_show LIBRARY OUT MEAN SHARE COMMAND...
 *
 * Preloads LIBRARY (behind what is in LD_PRELOAD already if it begins with '+', before it
 * otherwise;
 * "": none) into COMMAND and all that it starts, samples each MEAN bytes for at most SHARE of the
 * CPU time, and writes lines of JSON to OUT: one for each page that was claimed, one with its
 * modules, one for each of its stacks. Exits as the command does, 128 + signal if it was killed. */
#include "base/memory.h"
#include "mpi_hooks/heap/page.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 64

static void fail(const char *what)
{
    perror(what);
    exit(70);
}

static struct ml_heap_file *create(int64_t mean_B, double share, int *out_fd)
{
    size_t size = ML_HEAP_FIRST + PAGES * ML_HEAP_STRIDE;
    int fd = memfd_create("memlog-heap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0)
        fail("memfd");
    struct ml_heap_file *file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED)
        fail("mmap");
    *file =
        (struct ml_heap_file){ML_HEAP_MAGIC, ML_HEAP_VERSION, PAGES, ML_HEAP_STRIDE, mean_B, share};
    *out_fd = fd;
    return file;
}

static void preload(const char *library)
{
    const char *others = getenv("LD_PRELOAD");
    char *all = !others           ? ml_format("%s", library + (*library == '+'))
                : *library == '+' ? ml_format("%s:%s", others, library + 1)
                                  : ml_format("%s:%s", library, others);
    setenv("LD_PRELOAD", all, 1);
    free(all);
}

static pid_t start(char **command, const char *library, int fd)
{
    char *path = ml_format("/proc/%d/fd/%d", (int)getpid(), fd);
    pid_t pid = fork();
    if (pid == 0) {
        setenv(ML_HEAP_VARIABLE, path, 1);
        if (*library)
            preload(library);
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    free(path);
    return pid;
}

static void print_stack(FILE *out, const struct ml_heap_page *page, uint32_t number)
{
    static const char *const kinds[ML_HEAP_KINDS] = {"blocks", "mapped", "shared", "huge"};
    const struct ml_heap_stack *stack = &page->stacks[number];
    fprintf(out,
            "{\"pid\": %d, \"stack\": %u, \"kind\": \"%s\", \"live_B\": %" PRId64
            ", \"live_blocks\": %.4f, \"allocated_B\": %" PRId64
            ", \"allocated_blocks\": %.4f, \"live_variance\": %.17g, "
            "\"allocated_variance\": %.17g, \"pcs\": [",
            page->pid, number, kinds[stack->kind], stack->live_B,
            (double)stack->live_blocks / ML_HEAP_BLOCK, stack->allocated_B,
            (double)stack->allocated_blocks / ML_HEAP_BLOCK, stack->live_variance,
            stack->allocated_variance);
    for (uint32_t i = 0; i < stack->n; i++)
        fprintf(out, "%s%" PRIu64, i ? ", " : "", page->words[stack->first + i]);
    fprintf(out, "]}\n");
}

static void print_modules(FILE *out, const struct ml_heap_page *page)
{
    fprintf(out, "{\"pid\": %d, \"modules\": [", page->pid);
    for (uint32_t i = 0; i < page->n_modules && i < ML_HEAP_MODULES; i++) {
        const struct ml_heap_module *m = &page->modules[i];
        fprintf(out, "%s[%" PRIu64 ", %" PRIu64 ", %" PRIu64 ", \"%.*s\"]", i ? ", " : "", m->start,
                m->end, m->offset, ML_HEAP_PATH_B, m->path);
    }
    fprintf(out, "]}\n");
}

static void print_page(FILE *out, const struct ml_heap_page *page)
{
    if (!page->pid)
        return;
    fprintf(out,
            "{\"pid\": %d, \"image\": %" PRIu64 ", \"flags\": %u, \"stacks\": %u, \"words\": %u, "
            "\"mean_B\": %" PRId64 ", \"samples\": %" PRId64 ", \"lost\": %" PRId64
            ", \"sampling_ns\": %" PRId64 ", \"in_use_B\": %" PRId64 ", \"held_B\": %" PRId64 "}\n",
            page->pid, page->image, page->flags, page->n_stacks, page->n_words, page->mean_B,
            page->n_samples, page->n_lost, page->sampling_ns, page->in_use_B, page->held_B);
    print_modules(out, page);
    for (uint32_t i = 0; i < page->n_stacks && i < ML_HEAP_STACKS; i++)
        if (page->stacks[i].ready)
            print_stack(out, page, i);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: heap_show LIBRARY OUT MEAN SHARE COMMAND...\n");
        return 2;
    }
    int fd, status;
    struct ml_heap_file *file = create(atoll(argv[3]), atof(argv[4]), &fd);
    pid_t pid = start(argv + 5, argv[1], fd);
    waitpid(pid, &status, 0);
    FILE *out = fopen(argv[2], "w");
    if (!out)
        fail(argv[2]);
    for (size_t i = 0; i < PAGES; i++)
        print_page(out, (const void *)((char *)file + ML_HEAP_FIRST + i * ML_HEAP_STRIDE));
    fclose(out);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
