/* profile.proto of pprof. The messages of a profile may come in any order, so each is written as
 * soon as it is known, and the texts that they refer to by number at the end. */
#include "base/intern.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/sum.h"
#include "export/clean.h"
#include "export/export.h"
#include "export/proto.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum profile {
    SAMPLE_TYPE = 1,
    SAMPLE,
    MAPPING,
    LOCATION,
    FUNCTION,
    TEXT,
    TIME_NS = 9,
    DURATION_NS,
    COMMENT = 13,
    DEFAULT_SAMPLE_TYPE
};
enum value_type { TYPE_NAME = 1, TYPE_UNIT };
enum sample { SAMPLE_LOCATIONS = 1, SAMPLE_VALUES, SAMPLE_LABEL };
enum label { LABEL_KEY = 1, LABEL_TEXT, LABEL_NUMBER, LABEL_UNIT };
enum mapping {
    MAPPING_ID = 1,
    MAPPING_FILE = 5,
    HAS_FUNCTIONS = 7,
    HAS_FILES,
    HAS_LINES,
    HAS_INLINED
};
enum location { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum line { LINE_FUNCTION = 1, LINE_NUMBER };
enum function { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE };

/* What is known of a sample, and which of it pprof shows first. */
struct values {
    size_t n, first;
    struct {
        const char *name, *unit;
    } types[4];
};

static const struct values taken = {
    3, 0, {{"samples", "count"}, {"growth", "bytes"}, {"rss", "bytes"}}};
static const struct values allocated = {4,
                                        1,
                                        {{"inuse_objects", "count"},
                                         {"inuse_space", "bytes"},
                                         {"alloc_objects", "count"},
                                         {"alloc_space", "bytes"}}};

#define MOST_VALUES (sizeof allocated.types / sizeof *allocated.types)

struct writing {
    const struct ml_export *e;
    const struct values *values;
    gzFile file;
    struct ml_intern texts, functions, mappings; /* their numbers; ids are one more */
    struct ml_buffer table;                      /* the texts, as messages */
    struct ml_buffer name, clean;                /* of use in one function at a time */
    bool *seen;                                  /* locations that are written, by id */
    bool failed;
};

/* A field of the profile that is a message. */
static void put(struct writing *w, int field, const struct ml_buffer *message)
{
    struct ml_buffer framed = {0};
    ml_proto_bytes(&framed, field, message->data, message->length);
    w->failed |= gzwrite(w->file, framed.data, (unsigned)framed.length) != (int)framed.length;
    ml_buffer_free(&framed);
}

/* The number of TEXT; 0 is the empty one. */
static int64_t number_of(struct writing *w, const char *text)
{
    ml_export_clean(text, &w->clean);
    uint32_t before = w->texts.n;
    uint32_t number = ml_intern_add(&w->texts, w->clean.data, w->clean.length - 1);
    if (w->texts.n != before)
        ml_proto_bytes(&w->table, TEXT, w->clean.data, w->clean.length - 1);
    return number;
}

static void put_type(struct writing *w, const char *name, const char *unit)
{
    struct ml_buffer type = {0};
    ml_proto_int(&type, TYPE_NAME, number_of(w, name));
    ml_proto_int(&type, TYPE_UNIT, number_of(w, unit));
    put(w, SAMPLE_TYPE, &type);
    ml_buffer_free(&type);
}

/* That names, files and lines are known keeps pprof from looking for the module itself. */
static int64_t mapping_id(struct writing *w, const char *module)
{
    uint32_t before = w->mappings.n;
    int64_t id = (int64_t)ml_intern_add(&w->mappings, module, strlen(module)) + 1;
    if (w->mappings.n == before)
        return id;
    struct ml_buffer mapping = {0};
    ml_proto_int(&mapping, MAPPING_ID, id);
    ml_proto_int(&mapping, MAPPING_FILE, number_of(w, module));
    for (int has = HAS_FUNCTIONS; has <= HAS_INLINED; has++)
        ml_proto_int(&mapping, has, 1);
    put(w, MAPPING, &mapping);
    ml_buffer_free(&mapping);
    return id;
}

static int64_t function_id(struct writing *w, const struct ml_frame_row *frame)
{
    ml_buffer_clear(&w->name);
    ml_stacks_name(frame, &w->name);
    int64_t key[2] = {number_of(w, w->name.data), number_of(w, frame->file)};
    uint32_t before = w->functions.n;
    int64_t id = (int64_t)ml_intern_add(&w->functions, key, sizeof key) + 1;
    if (w->functions.n == before)
        return id;
    struct ml_buffer function = {0};
    ml_proto_int(&function, FUNCTION_ID, id);
    ml_proto_int(&function, FUNCTION_NAME, key[0]);
    ml_proto_int(&function, FUNCTION_SYSTEM_NAME, key[0]);
    ml_proto_int(&function, FUNCTION_FILE, key[1]);
    put(w, FUNCTION, &function);
    ml_buffer_free(&function);
    return id;
}

static const struct ml_frame_row *frame_of(const struct writing *w, int32_t row)
{
    return &w->e->stacks->frames[w->e->stacks->stacks[row].frame];
}

/* The row of the call that those inlined at ROW and outside of it lie in. */
static int32_t outermost(const struct writing *w, int32_t row)
{
    while (frame_of(w, row)->inlined == 1 && w->e->stacks->stacks[row].parent >= 0)
        row = w->e->stacks->stacks[row].parent;
    return row;
}

/* The lines of a location begin with the innermost inlined call. */
static void put_location(struct writing *w, int64_t id, int32_t row, int32_t outer)
{
    struct ml_buffer location = {0}, line = {0};
    const struct ml_frame_row *frame = frame_of(w, outer);
    ml_proto_int(&location, LOCATION_ID, id);
    ml_proto_int(&location, LOCATION_MAPPING, mapping_id(w, frame->module));
    ml_proto_int(&location, LOCATION_ADDRESS, frame->offset_B > 0 ? frame->offset_B : 0);
    for (;; row = w->e->stacks->stacks[row].parent) {
        frame = frame_of(w, row);
        ml_buffer_clear(&line);
        ml_proto_int(&line, LINE_FUNCTION, function_id(w, frame));
        ml_proto_int(&line, LINE_NUMBER, frame->line > 0 ? frame->line : 0);
        ml_proto_bytes(&location, LOCATION_LINE, line.data, line.length);
        if (row == outer)
            break;
    }
    put(w, LOCATION, &location);
    ml_buffer_free(&location);
    ml_buffer_free(&line);
}

/* Locations of STACK into IDS, innermost first. A call by itself is known by its frame, one with
 * others inlined by the row where these begin. */
static size_t find_locations(struct writing *w, int32_t stack, int64_t *ids)
{
    size_t n = 0;
    for (int32_t row = stack; row >= 0;) {
        int32_t outer = outermost(w, row);
        int64_t id = outer == row ? w->e->stacks->stacks[row].frame + 1
                                  : (int64_t)w->e->stacks->n_frames + row + 1;
        if (!w->seen[id]) {
            w->seen[id] = true;
            put_location(w, id, row, outer);
        }
        ids[n++] = id;
        row = w->e->stacks->stacks[outer].parent;
    }
    return n;
}

/* A TEXT, or where that is NULL a NUMBER, with a unit: pprof drops a 0 that has none (1.19). */
static void add_label(struct writing *w, struct ml_buffer *sample, const char *key,
                      const char *text, int64_t number)
{
    struct ml_buffer label = {0};
    ml_proto_int(&label, LABEL_KEY, number_of(w, key));
    if (text)
        ml_proto_int(&label, LABEL_TEXT, number_of(w, text));
    else {
        ml_proto_int(&label, LABEL_NUMBER, number);
        ml_proto_int(&label, LABEL_UNIT, number_of(w, key));
    }
    ml_proto_bytes(sample, SAMPLE_LABEL, label.data, label.length);
    ml_buffer_free(&label);
}

static void put_sample(struct writing *w, const struct ml_stacks_sample *s, const int64_t *values)
{
    int64_t ids[ML_STACKS_DEPTH_MAX];
    struct ml_buffer sample = {0};
    size_t n = find_locations(w, s->stack, ids);
    int32_t node = w->e->processes[s->process].node;
    ml_proto_packed(&sample, SAMPLE_LOCATIONS, ids, n);
    ml_proto_packed(&sample, SAMPLE_VALUES, values, w->values->n);
    add_label(w, &sample, "rank", NULL, s->rank);
    if (node >= 0 && (size_t)node < w->e->n_nodes)
        add_label(w, &sample, "node", w->e->nodes[node].name, 0);
    if (!w->e->heap)
        add_label(w, &sample, "thread", NULL, s->thread);
    put(w, SAMPLE, &sample);
    ml_buffer_free(&sample);
}

static int by_stack(const void *a, const void *b, void *context)
{
    const struct ml_stacks_sample *samples = context;
    const struct ml_stacks_sample *x = &samples[*(const uint32_t *)a];
    const struct ml_stacks_sample *y = &samples[*(const uint32_t *)b];
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    return x->stack < y->stack ? -1 : x->stack > y->stack;
}

static void add_owner(const struct ml_heap_owner *owner, int64_t *values)
{
    ml_sum_add(&values[0], owner->live.blocks);
    ml_sum_add(&values[1], owner->live.bytes);
    ml_sum_add(&values[2], owner->allocated.blocks);
    ml_sum_add(&values[3], owner->allocated.bytes);
}

static void add_values(const struct ml_export *e, size_t i, int64_t *values)
{
    const struct ml_stacks_sample *sample = &e->stacks->samples[i];
    if (e->heap) {
        add_owner(&e->heap->owners[i], values);
        return;
    }
    values[0]++;
    values[1] += sample->growth_B;
    values[2] += sample->rss_B > 0 ? sample->rss_B : 0;
}

static void put_unknown(struct writing *w)
{
    int64_t values[MOST_VALUES] = {0};
    struct ml_buffer sample = {0};
    add_owner(&w->e->heap->unknown, values);
    if (!values[3])
        return;
    ml_proto_packed(&sample, SAMPLE_VALUES, values, w->values->n);
    put(w, SAMPLE, &sample);
    ml_buffer_free(&sample);
}

/* Equal stacks of a thread, or of a process that allocated, are one sample. */
static void put_samples(struct writing *w)
{
    const struct ml_stacks *s = w->e->stacks;
    ML_AUTO_FREE uint32_t *order = ml_realloc_array(NULL, s->n_samples, sizeof *order);
    for (size_t i = 0; i < s->n_samples; i++)
        order[i] = (uint32_t)i;
    if (s->n_samples)
        qsort_r(order, s->n_samples, sizeof *order, by_stack, s->samples);
    for (size_t i = 0, end; i < s->n_samples; i = end) {
        int64_t values[MOST_VALUES] = {0};
        for (end = i; end < s->n_samples && by_stack(&order[i], &order[end], s->samples) == 0;
             end++)
            add_values(w->e, order[end], values);
        put_sample(w, &s->samples[order[i]], values);
    }
}

static void put_profile(struct writing *w)
{
    const struct ml_stacks *s = w->e->stacks;
    int64_t last_ns = 0;
    number_of(w, "");
    for (size_t i = 0; i < w->values->n; i++)
        put_type(w, w->values->types[i].name, w->values->types[i].unit);
    put_samples(w);
    if (w->e->heap)
        put_unknown(w);
    for (size_t i = 0; i < s->n_samples; i++)
        last_ns = s->samples[i].time_ns > last_ns ? s->samples[i].time_ns : last_ns;
    struct ml_buffer *rest = &w->table;
    int64_t title = number_of(w, w->e->title),
            type = number_of(w, w->values->types[w->values->first].name);
    if (w->e->origin_wall_ns > 0)
        ml_proto_int(rest, TIME_NS, w->e->origin_wall_ns);
    ml_proto_int(rest, DURATION_NS, last_ns);
    ml_proto_packed(rest, COMMENT, &title, 1);
    ml_proto_int(rest, DEFAULT_SAMPLE_TYPE, type);
    w->failed |= gzwrite(w->file, rest->data, (unsigned)rest->length) != (int)rest->length;
}

enum ml_status ml_export_pprof(const struct ml_export *export, FILE *out, struct ml_error *err)
{
    struct writing w = {.e = export, .values = export->heap ? &allocated : &taken};
    int fd = fflush(out) == 0 ? dup(fileno(out)) : -1;
    w.file = fd < 0 ? NULL : gzdopen(fd, "wb");
    if (!w.file) {
        if (fd >= 0)
            close(fd);
        return ml_fail_errno(err, ML_RUN_LOST, "the profile cannot be written");
    }
    w.seen = ml_alloc(export->stacks->n_frames + export->stacks->n_stacks + 1);
    put_profile(&w);
    w.failed |= gzclose(w.file) != Z_OK;
    free(w.seen);
    ml_intern_free(&w.texts);
    ml_intern_free(&w.functions);
    ml_intern_free(&w.mappings);
    ml_buffer_free(&w.table);
    ml_buffer_free(&w.name);
    ml_buffer_free(&w.clean);
    return w.failed ? ml_fail_errno(err, ML_RUN_LOST, "the profile cannot be written") : ML_OK;
}
