#include "journal/spool.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define PORTION_B (16 << 20)
#define LENGTH_B sizeof(uint16_t)

/* Before each row in the log; LENGTH stays before it where it is sorted. */
struct label {
    uint32_t stream;
    uint16_t length;
} __attribute__((packed));

static struct ml_spool_stream *stream_of(struct ml_spool *s, size_t stream)
{
    while (s->n_streams <= stream) {
        ML_GROW(s->streams, s->n_streams, s->streams_capacity);
        s->streams[s->n_streams++] = (struct ml_spool_stream){0};
    }
    return &s->streams[stream];
}

/* The extent of what STREAM has in the log, AT in the portion. */
static void add_extent(struct ml_spool *s, struct ml_spool_stream *stream, uint64_t at)
{
    size_t number = s->n_extents;
    ML_GROW(s->extents, s->n_extents, s->extents_capacity);
    s->extents[s->n_extents++] = (struct ml_spool_extent){
        .at = at, .length = stream->pending_B, .rows = stream->pending_rows, .next = SIZE_MAX};
    if (stream->rows)
        s->extents[stream->last].next = number;
    else
        stream->first = number;
    stream->last = number;
    stream->rows += stream->pending_rows;
    stream->pending_rows = 0;
}

/* Sorts the portion: each stream's rows stand together. Afterwards pending_B is where the next row
 * of a stream would stand. */
static size_t sort(struct ml_spool *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_pending; i++) {
        struct ml_spool_stream *stream = &s->streams[s->pending[i]];
        size_t length = stream->pending_B;
        add_extent(s, stream, n);
        stream->pending_B = n;
        n += length;
    }
    if (!s->sorted) /* labels are longer than lengths: what the log has room for is enough */
        s->sorted = ml_realloc_array(NULL, s->log.capacity, 1);
    const char *p = s->log.data, *end = p + s->log.length;
    while (p < end) {
        struct label label;
        memcpy(&label, p, sizeof label);
        struct ml_spool_stream *stream = &s->streams[label.stream];
        p += offsetof(struct label, length);
        memcpy(s->sorted + stream->pending_B, p, LENGTH_B + label.length);
        stream->pending_B += LENGTH_B + label.length;
        p += LENGTH_B + label.length;
    }
    return n;
}

/* The sorted portion of the extents from FIRST on, N bytes, goes to the spill, or stays in memory
 * where there is none, it fails, or this is all and little. */
static void keep(struct ml_spool *s, size_t first, size_t n, bool is_last)
{
    uint64_t at = 0;
    bool stays = !s->spill || (is_last && first == 0 && ml_spill_spares(s->spill, n)) ||
                 !ml_spill_add(s->spill, s->sorted, n, &at);
    uint8_t *portion = stays ? ml_realloc_array(s->sorted, n, 1) : NULL;
    for (size_t i = first; i < s->n_extents; i++) {
        struct ml_spool_extent *e = &s->extents[i];
        e->bytes = stays ? portion + e->at : NULL;
        e->at += at;
    }
    if (!stays)
        return;
    s->sorted = NULL;
    ML_GROW(s->kept, s->n_kept, s->kept_capacity);
    s->kept[s->n_kept++] = portion;
}

static void end_portion(struct ml_spool *s, bool is_last)
{
    size_t first = s->n_extents;
    if (!s->n_pending)
        return;
    keep(s, first, sort(s), is_last);
    for (size_t i = 0; i < s->n_pending; i++)
        s->streams[s->pending[i]].pending_B = 0;
    s->n_pending = 0;
    ml_buffer_clear(&s->log);
}

void ml_spool_add(struct ml_spool *s, size_t stream, const void *row, size_t n)
{
    struct label label = {(uint32_t)stream, (uint16_t)n};
    if (s->log.length + sizeof label + n > PORTION_B)
        end_portion(s, false);
    struct ml_spool_stream *of_row = stream_of(s, stream);
    if (!of_row->pending_rows) {
        ML_GROW(s->pending, s->n_pending, s->pending_capacity);
        s->pending[s->n_pending++] = stream;
    }
    of_row->pending_rows++;
    of_row->pending_B += LENGTH_B + n;
    char *to = ml_buffer_reserve(&s->log, sizeof label + n);
    memcpy(to, &label, sizeof label);
    memcpy(to + sizeof label, row, n);
    s->log.length += sizeof label + n;
}

void ml_spool_finish(struct ml_spool *s)
{
    end_portion(s, true);
    ml_buffer_free(&s->log);
    free(s->sorted);
    free(s->pending);
    s->sorted = NULL;
    s->pending = NULL;
    s->pending_capacity = 0;
}

size_t ml_spool_rows(const struct ml_spool *s, size_t stream)
{
    return stream < s->n_streams ? s->streams[stream].rows : 0;
}

/* N bytes of extent E. */
static const uint8_t *bytes_of(const struct ml_spool *s, const struct ml_spool_extent *e, size_t at,
                               size_t n)
{
    return e->bytes ? e->bytes + at : ml_spill_read(s->spill, e->at + at, n, e->length - at);
}

/* The length of the row at PLACE. */
static bool read_length(const struct ml_spool *s, const struct ml_spool_place *p, uint16_t *out)
{
    const uint8_t *bytes = bytes_of(s, &s->extents[p->extent], p->at, LENGTH_B);
    if (bytes)
        memcpy(out, bytes, LENGTH_B);
    return bytes != NULL;
}

static void next_extent(const struct ml_spool *s, struct ml_spool_place *p)
{
    p->first_row += s->extents[p->extent].rows;
    p->extent = s->extents[p->extent].next;
    p->row = p->first_row;
    p->at = 0;
}

/* From PLACE, or from the stream's first row, to ROW. */
static bool go_to(const struct ml_spool *s, struct ml_spool_place *p, size_t stream, size_t row)
{
    if (!p->begun || p->stream != stream || row < p->row)
        *p = (struct ml_spool_place){
            .begun = true, .stream = stream, .extent = s->streams[stream].first};
    while (row - p->first_row >= s->extents[p->extent].rows)
        next_extent(s, p);
    for (uint16_t length; p->row < row; p->row++) {
        if (!read_length(s, p, &length))
            return false;
        p->at += LENGTH_B + length;
    }
    return true;
}

const uint8_t *ml_spool_row(const struct ml_spool *s, struct ml_spool_place *place, size_t stream,
                            size_t row, size_t *out_n)
{
    uint16_t length;
    const uint8_t *bytes = NULL;
    if (go_to(s, place, stream, row) && read_length(s, place, &length))
        bytes = bytes_of(s, &s->extents[place->extent], place->at, LENGTH_B + length);
    *out_n = bytes ? length : 0;
    place->begun = bytes != NULL;
    return bytes ? bytes + LENGTH_B : NULL;
}

void ml_spool_free(struct ml_spool *s)
{
    for (size_t i = 0; i < s->n_kept; i++)
        free(s->kept[i]);
    free(s->kept);
    free(s->sorted);
    free(s->extents);
    free(s->pending);
    free(s->streams);
    ml_buffer_free(&s->log);
    *s = (struct ml_spool){0};
}
