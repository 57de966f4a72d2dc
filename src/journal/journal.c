#include "journal/journal.h"

#include "base/memory.h"
#include "base/own.h"
#include "journal/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BATCH_MAX_B (64 << 20)
#define OUTPUT_FRAME_B (1 << 20)

struct ml_journal {
    int fd;
    char *path;
    int64_t size_B;           /* of whole flushes: what the file is cut back to */
    bool broken;              /* a torn flush could not be cut off: no more writes */
    bool stacks_pending;      /* the batch has rows that others are counted from */
    bool stacks_lost;         /* such rows were dropped: the numbers of later ones are wrong */
    struct ml_buffer batch;   /* frames since the last flush */
    struct ml_buffer payload; /* of the frame that is being made */
    struct ml_buffer samples; /* rows of the tick */
    int64_t samples_ns;
};

char *ml_journal_name(const char *dir, const char *outfile, const char *node_name, int number)
{
    const char *slash = strrchr(outfile, '/');
    const char *base = slash ? slash + 1 : outfile;
    ML_AUTO_FREE char *node = ml_strdup(node_name);
    for (char *c = node; *c; c++) {
        if (*c == '/')
            *c = '_';
    }
    ML_AUTO_FREE char *folder = dir     ? ml_format("%s/", dir)
                                : slash ? strndup(outfile, (size_t)(base - outfile))
                                        : ml_strdup("");
    if (number < 0)
        return ml_format("%s%s.%s.journal", folder, base, node);
    return ml_format("%s%s.%s.%d.journal", folder, base, node, number);
}

static void append(struct ml_journal *j, enum ml_frame_type type, int64_t time_ns,
                   struct ml_buffer *payload)
{
    ml_frame_append(&j->batch, type, time_ns, payload->data, payload->length);
    ml_buffer_clear(payload);
}

enum ml_status ml_journal_create(const char *path, const struct ml_journal_header *header,
                                 int force, struct ml_journal **out_journal, struct ml_error *err)
{
    if (ml_journal_writer(path) == ML_HOLD_HELD)
        return ml_fail(err, ML_NODE_LOST, "%s is of a run that goes on; name another FILE with -o",
                       path);
    /* Unlinked, not truncated: somebody may have the old one mapped. */
    if (force && unlink(path) < 0 && errno != ENOENT)
        return ml_fail_errno(err, ML_NODE_LOST, "%s: remove the old journal", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ml_fail_errno(err, ML_NODE_LOST, "%s: create the journal", path);
    ml_hold_take(fd); /* without locks the journal's age tells */
    struct ml_journal *j = ml_alloc(sizeof *j);
    j->fd = fd;
    j->path = ml_strdup(path);
    ml_header_pack(header, &j->payload);
    append(j, ML_FRAME_HEADER, ml_mono_now().ns, &j->payload);
    if (ml_journal_flush(j, err) != ML_OK) {
        unlink(path);
        ml_journal_close(j);
        return ML_NODE_LOST;
    }
    *out_journal = j;
    return ML_OK;
}

void ml_journal_row(struct ml_journal *j, enum ml_frame_type type, int64_t time_ns,
                    const struct ml_table *table, const void *row)
{
    ml_row_pack(table, row, &j->payload);
    append(j, type, time_ns, &j->payload);
}

void ml_journal_attribute(struct ml_journal *j, int64_t time_ns, const struct ml_attribute *a)
{
    uint8_t kind = (uint8_t)a->kind;
    ml_buffer_append(&j->payload, &kind, 1);
    ml_buffer_append_text(&j->payload, a->name);
    ml_buffer_append_text(&j->payload, a->text);
    append(j, ML_FRAME_ATTRIBUTE, time_ns, &j->payload);
}

void ml_journal_clock(struct ml_journal *j, int64_t local_ns, int64_t offset_ns, int64_t error_ns)
{
    ml_varint_append(&j->payload, local_ns);
    ml_varint_append(&j->payload, offset_ns);
    ml_varint_append(&j->payload, error_ns);
    append(j, ML_FRAME_CLOCK, local_ns, &j->payload);
}

void ml_journal_process_end(struct ml_journal *j, int64_t time_ns, int process, int exit_code,
                            int signal, int64_t peak_rss_B)
{
    ml_varint_append(&j->payload, process);
    ml_varint_append(&j->payload, time_ns);
    ml_varint_append(&j->payload, exit_code);
    ml_varint_append(&j->payload, signal);
    ml_varint_append(&j->payload, peak_rss_B);
    append(j, ML_FRAME_PROCESS_END, time_ns, &j->payload);
}

void ml_journal_output(struct ml_journal *j, int64_t time_ns, int rank, enum ml_stream stream,
                       const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n) {
        size_t part = n < OUTPUT_FRAME_B ? n : OUTPUT_FRAME_B;
        ml_varint_append(&j->payload, rank);
        ml_varint_append(&j->payload, stream);
        ml_buffer_append(&j->payload, p, part);
        append(j, ML_FRAME_OUTPUT, time_ns, &j->payload);
        p += part;
        n -= part;
    }
}

void ml_journal_end(struct ml_journal *j, int64_t time_ns)
{
    append(j, ML_FRAME_END, time_ns, &j->payload);
}

bool ml_journal_packed(struct ml_journal *j, enum ml_frame_type type, int64_t time_ns,
                       const void *rows, size_t n)
{
    bool counted = type == ML_FRAME_STACK_FRAMES || type == ML_FRAME_STACKS;
    bool refers = counted || type == ML_FRAME_STACK_SAMPLES || type == ML_FRAME_HEAP_STACKS;
    j->stacks_lost |= counted && n > ML_FRAME_PAYLOAD_MAX;
    if (n > ML_FRAME_PAYLOAD_MAX || (j->stacks_lost && refers))
        return false;
    if (n)
        ml_frame_append(&j->batch, type, time_ns, rows, n);
    j->stacks_pending |= counted && n;
    return true;
}

void ml_journal_samples_begin(struct ml_journal *j, int64_t time_ns)
{
    ml_buffer_clear(&j->samples);
    j->samples_ns = time_ns;
}

void ml_journal_samples_add(struct ml_journal *j, const struct ml_sample_row *row)
{
    ml_row_pack(&ml_table_samples, row, &j->samples);
}

void ml_journal_samples_commit(struct ml_journal *j)
{
    if (j->samples.length)
        append(j, ML_FRAME_SAMPLES, j->samples_ns, &j->samples);
}

/* Cuts off what a failed write left, so that the next flush follows a whole one. */
static enum ml_status flush_failed(struct ml_journal *j, struct ml_error *err)
{
    enum ml_status status = ml_fail_errno(err, ML_SAMPLE_LOST, "%s: write", j->path);
    if (ftruncate(j->fd, j->size_B) < 0)
        j->broken = true;
    if (j->broken || j->batch.length > BATCH_MAX_B) {
        ml_buffer_clear(&j->batch);
        j->stacks_lost |= j->stacks_pending;
    }
    return status;
}

enum ml_status ml_journal_flush(struct ml_journal *j, struct ml_error *err)
{
    if (j->broken) {
        ml_buffer_clear(&j->batch);
        return ml_fail(err, ML_NODE_LOST,
                       "%s: a write broke off and could not be undone; "
                       "nothing more is recorded",
                       j->path);
    }
    size_t n = j->batch.length;
    if (!n)
        return ML_OK;
    ssize_t done;
    do {
        done = write(j->fd, j->batch.data, n);
    } while (done < 0 && errno == EINTR);
    if (done >= 0 && (size_t)done < n)
        errno = ENOSPC; /* what a short write to a regular file means */
    if (done < 0 || (size_t)done < n)
        return flush_failed(j, err);
    j->size_B += done;
    j->stacks_pending = false;
    ml_buffer_clear(&j->batch);
    return ML_OK;
}

enum ml_status ml_journal_sync(struct ml_journal *j, struct ml_error *err)
{
    enum ml_status status = ml_journal_flush(j, err);
    if (status == ML_OK && fdatasync(j->fd) < 0)
        return ml_fail_errno(err, ML_SAMPLE_LOST, "%s: fdatasync", j->path);
    return status;
}

const char *ml_journal_path(const struct ml_journal *j)
{
    return j->path;
}

int64_t ml_journal_size(const struct ml_journal *j)
{
    return j->size_B;
}

int ml_journal_hold(const struct ml_journal *j)
{
    return fcntl(j->fd, F_DUPFD_CLOEXEC, 0);
}

enum ml_hold ml_journal_writer(const char *path)
{
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 ? errno == ENOENT ? ML_HOLD_FREE : ML_HOLD_UNKNOWN : ml_hold_of(fd);
}

void ml_journal_close(struct ml_journal *j)
{
    if (!j)
        return;
    ml_journal_flush(j, NULL);
    close(j->fd);
    ml_buffer_free(&j->batch);
    ml_buffer_free(&j->payload);
    ml_buffer_free(&j->samples);
    free(j->path);
    free(j);
}
