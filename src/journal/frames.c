#include "journal/frames.h"

#include <string.h>
#include <zlib.h>

#define MAGIC 0x464a4c4dU /* "MLJF" */

enum { AT_MAGIC = 0, AT_LENGTH = 4, AT_TYPE = 8, AT_CHECKSUM = 12, AT_TIME = 16 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "journal and file are little-endian");

static uint32_t get_u32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static void put_u32(uint8_t *p, uint32_t value)
{
    memcpy(p, &value, sizeof value);
}

uint32_t ml_frame_checksum(const uint8_t *bytes, size_t payload_length)
{
    uLong crc = crc32(0, bytes, AT_CHECKSUM);
    return (uint32_t)crc32(crc, bytes + AT_TIME, (uInt)(ML_FRAME_HEAD - AT_TIME + payload_length));
}

void ml_frame_append(struct ml_buffer *out, int type, int64_t time_ns, const void *payload,
                     size_t n)
{
    uint8_t *head = (uint8_t *)ml_buffer_reserve(out, ML_FRAME_HEAD + n);
    put_u32(head + AT_MAGIC, MAGIC);
    put_u32(head + AT_LENGTH, (uint32_t)n);
    put_u32(head + AT_TYPE, (uint32_t)type);
    memcpy(head + AT_TIME, &time_ns, sizeof time_ns);
    if (n)
        memcpy(head + ML_FRAME_HEAD, payload, n);
    put_u32(head + AT_CHECKSUM, ml_frame_checksum(head, n));
    out->length += ML_FRAME_HEAD + n;
}

struct ml_frame ml_frame_at(const uint8_t *bytes)
{
    struct ml_frame f = {.type = (int)get_u32(bytes + AT_TYPE),
                         .payload = bytes + ML_FRAME_HEAD,
                         .length = get_u32(bytes + AT_LENGTH)};
    memcpy(&f.time_ns, bytes + AT_TIME, sizeof f.time_ns);
    return f;
}

bool ml_frame_read(const uint8_t **cursor, const uint8_t *end, struct ml_frame *out_frame)
{
    const uint8_t *p = *cursor;
    if (end - p < ML_FRAME_HEAD || get_u32(p + AT_MAGIC) != MAGIC)
        return false;
    uint32_t length = get_u32(p + AT_LENGTH);
    if (length > ML_FRAME_PAYLOAD_MAX || end - p - ML_FRAME_HEAD < (ptrdiff_t)length)
        return false;
    if (get_u32(p + AT_CHECKSUM) != ml_frame_checksum(p, length))
        return false;
    *out_frame = ml_frame_at(p);
    *cursor = p + ML_FRAME_HEAD + length;
    return true;
}

uint32_t ml_schema_fingerprint(void)
{
    uLong crc = crc32(0, NULL, 0);
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        for (size_t i = 0; i < (*t)->n_columns; i++) {
            const struct ml_column *c = &(*t)->columns[i];
            Bytef kind = (Bytef)c->kind;
            crc = crc32(crc, &kind, 1);
            crc = crc32(crc, (const Bytef *)c->name, (uInt)strlen(c->name) + 1);
        }
    }
    return (uint32_t)crc;
}

static bool read_integers(const uint8_t **p, const uint8_t *end, int64_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!ml_varint_read(p, end, &out[i]))
            return false;
    }
    return true;
}

/* A text that ends with its NUL before END. */
static bool read_text(const uint8_t **p, const uint8_t *end, const char **out)
{
    const uint8_t *nul = memchr(*p, 0, (size_t)(end - *p));
    if (!nul)
        return false;
    *out = (const char *)*p;
    *p = nul + 1;
    return true;
}

void ml_header_pack(const struct ml_journal_header *header, struct ml_buffer *out)
{
    ml_varint_append(out, ML_JOURNAL_VERSION);
    ml_varint_append(out, ml_schema_fingerprint());
    ml_varint_append(out, header->node);
    ml_varint_append(out, header->n_nodes);
    ml_varint_append(out, header->root);
    ml_varint_append(out, header->origin_ns);
    ml_varint_append(out, header->origin_wall);
    ml_buffer_append_text(out, header->run);
    ml_buffer_append_text(out, header->outfile);
}

bool ml_header_version(const struct ml_frame *f, int64_t *out_version, int64_t *out_fingerprint)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    int64_t v[2];
    if (f->type != ML_FRAME_HEADER || !read_integers(&p, end, v, 2))
        return false;
    *out_version = v[0];
    *out_fingerprint = v[1];
    return true;
}

bool ml_header_unpack(const struct ml_frame *f, struct ml_journal_header *out_header)
{
    enum { VERSION, FINGERPRINT, NODE, N_NODES, ROOT, ORIGIN, WALL, N };
    const uint8_t *p = f->payload, *end = p + f->length;
    int64_t v[N];
    const char *run, *outfile;
    if (!read_integers(&p, end, v, N) || !read_text(&p, end, &run) || !read_text(&p, end, &outfile))
        return false;
    if (v[NODE] < 0 || v[NODE] >= ML_NODES_MAX || v[N_NODES] < 0 || v[N_NODES] > ML_NODES_MAX)
        return false;
    if (strlen(run) >= sizeof out_header->run || strlen(outfile) >= sizeof out_header->outfile)
        return false;
    *out_header = (struct ml_journal_header){.node = (int)v[NODE],
                                             .n_nodes = (int)v[N_NODES],
                                             .root = v[ROOT] != 0,
                                             .origin_ns = v[ORIGIN],
                                             .origin_wall = v[WALL]};
    strcpy(out_header->run, run);
    strcpy(out_header->outfile, outfile);
    return true;
}

bool ml_attribute_unpack(const struct ml_frame *f, struct ml_attribute *out_attribute)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    const char *name, *text;
    if (p == end)
        return false;
    int kind = *p++;
    if (kind != ML_TEXT && kind != ML_INT64 && kind != ML_REAL)
        return false;
    if (!read_text(&p, end, &name) || !*name || !read_text(&p, end, &text) || p != end)
        return false;
    *out_attribute = (struct ml_attribute){.name = name, .kind = (enum ml_kind)kind, .text = text};
    return true;
}

bool ml_clock_unpack(const struct ml_frame *f, struct ml_clock_point *out_point)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    int64_t v[3];
    if (!read_integers(&p, end, v, 3) || p != end)
        return false;
    *out_point = (struct ml_clock_point){.local_ns = v[0], .offset_ns = v[1], .error_ns = v[2]};
    return true;
}

bool ml_process_end_unpack(const struct ml_frame *f, struct ml_process_end *out_end)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    int64_t v[5];
    if (!read_integers(&p, end, v, 5) || p != end)
        return false;
    *out_end = (struct ml_process_end){
        .process = v[0], .time_ns = v[1], .exit_code = v[2], .signal = v[3], .peak_rss_B = v[4]};
    return true;
}

bool ml_output_unpack(const struct ml_frame *f, struct ml_output_chunk *out_chunk)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    int64_t v[2];
    if (!read_integers(&p, end, v, 2) || v[0] < -1 || v[0] >= ML_RANKS_MAX)
        return false;
    if (v[1] != ML_STDOUT && v[1] != ML_STDERR)
        return false;
    *out_chunk = (struct ml_output_chunk){
        .rank = (int32_t)v[0], .stream = (enum ml_stream)v[1], .bytes = p, .n = (size_t)(end - p)};
    return true;
}

bool ml_frame_row(const struct ml_frame *f, const struct ml_table *table, void *out_row)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    return ml_row_unpack(table, &p, end, out_row) && p == end;
}
