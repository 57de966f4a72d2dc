/* libFuzzer: bytes of outside origin as a journal, and every row of what it yields.
 *
 * The checksums are set right first, so that the fuzzer reaches what lies behind them. */
#include "base/own.h"
#include "journal/frames.h"
#include "journal/harvest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend_checksums(uint8_t *bytes, size_t n)
{
    uint32_t length;
    for (size_t at = 0; n - at >= ML_FRAME_HEAD; at += ML_FRAME_HEAD + length) {
        memcpy(&length, bytes + at + 4, sizeof length);
        if (length > n - at - ML_FRAME_HEAD)
            return;
        uint32_t checksum = ml_frame_checksum(bytes + at, length);
        memcpy(bytes + at + 12, &checksum, sizeof checksum);
    }
}

/* Texts must end inside the journal or the harvest; a sanitizer watches strlen. */
static void look_at(const struct ml_table *table, const char *row)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ml_column *c = &table->columns[i];
        if (c->kind == ML_TEXT &&
            strlen(*(const char *const *)(const void *)(row + c->offset)) > ML_FRAME_PAYLOAD_MAX)
            abort();
    }
}

/* What follows takes the rows of a tree for indices. */
static void look_at_tree(struct ml_harvest *h)
{
    struct ml_rows frames = ml_harvest_rows(h, &ml_table_frames);
    struct ml_rows stacks = ml_harvest_rows(h, &ml_table_stacks);
    struct ml_rows samples = ml_harvest_rows(h, &ml_table_stack_samples);
    for (size_t i = 0; i < stacks.count; i++) {
        struct ml_stack_row row;
        stacks.fetch(stacks.context, i, &row);
        if (row.parent < -1 || row.parent >= (int64_t)i || row.frame < 0 ||
            (size_t)row.frame >= frames.count || row.depth < 0)
            abort();
    }
    for (size_t i = 0; i < samples.count; i++) {
        struct ml_stack_sample_row row;
        samples.fetch(samples.context, i, &row);
        if (row.stack < 0 || (size_t)row.stack >= stacks.count)
            abort();
    }
}

static void look_at_all(struct ml_harvest *h)
{
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        if (*t == &ml_table_nodes)
            continue;
        ML_AUTO_FREE char *row = malloc((*t)->row_size);
        struct ml_rows rows = ml_harvest_rows(h, *t);
        for (size_t i = 0; i < rows.count; i++) {
            rows.fetch(rows.context, i, row);
            look_at(*t, row);
            rows.fetch(rows.context, rows.count - 1 - i, row);
            look_at(*t, row);
        }
    }
    look_at_tree(h);
    for (size_t i = 0; i < ml_harvest_n_nodes(h); i++) {
        struct ml_node_row row;
        ml_harvest_node(h, i, &row);
        look_at(&ml_table_nodes, (const char *)&row);
    }
    for (size_t i = 0; i < ml_harvest_n_attributes(h); i++) {
        const struct ml_attribute *a = ml_harvest_attribute(h, i);
        if (strlen(a->name) > ML_FRAME_PAYLOAD_MAX || strlen(a->text) > ML_FRAME_PAYLOAD_MAX)
            abort();
    }
    ml_harvest_last_ns(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ML_AUTO_FD int fd = memfd_create("journal", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 || size == 0)
        return 0;
    uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return 0;
    memcpy(bytes, data, size);
    mend_checksums(bytes, size);
    munmap(bytes, size);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct ml_harvest *h;
    struct ml_error err;
    if (ml_harvest_open(path, NULL, &h, &err) == ML_OK) {
        look_at_all(h);
        ml_harvest_close(h);
    }
    return 0;
}
