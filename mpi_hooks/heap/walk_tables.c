#include "mpi_hooks/heap/walk_tables.h"

/* ENTRY_B: where a function begins and how long it is, at least: so an entry has 16 bytes. */
enum { RETURN_ADDRESS = 16, OMITTED = 0xff, SORTED_TABLE = 0x3b, ROW_B = 8, ENTRY_B = 8 };

struct ml_heap_walk_bytes ml_heap_walk_bytes_at(const struct ml_heap_walk_segments *segments,
                                                uintptr_t address)
{
    for (unsigned i = 0; i < segments->n; i++)
        if (segments->list[i].readable && segments->list[i].start <= address &&
            address < segments->list[i].end)
            return (struct ml_heap_walk_bytes){.at = (const uint8_t *)address,
                                               .end = (const uint8_t *)segments->list[i].end};
    return (struct ml_heap_walk_bytes){.bad = true};
}

/* Reads a length and leaves what it says. "0xffffffff" says that 8 bytes of length follow. */
static struct ml_heap_walk_bytes take_record(struct ml_heap_walk_bytes *bytes)
{
    uint64_t length = ml_heap_walk_fixed(bytes, 4);
    if (length == UINT32_MAX)
        length = ml_heap_walk_fixed(bytes, 8);
    return ml_heap_walk_take(bytes, length);
}

/* The letters after "z" say what the augmentation holds. */
static void read_augmentation(struct ml_heap_walk_bytes *bytes, const uint8_t *letters,
                              struct ml_heap_walk_entry *out)
{
    struct ml_heap_walk_bytes data = ml_heap_walk_take(bytes, ml_heap_walk_uleb(bytes));
    for (; *letters && !data.bad; letters++)
        switch (*letters) {
        case 'R':
            out->encoding = (uint8_t)ml_heap_walk_fixed(&data, 1);
            break;
        case 'S':
            out->is_signal_frame = true;
            break;
        case 'L':
            ml_heap_walk_fixed(&data, 1);
            break;
        case 'P':
            ml_heap_walk_stored(&data, (uint8_t)ml_heap_walk_fixed(&data, 1));
            break;
        default:
            return;
        }
    bytes->bad |= data.bad;
}

/* The common entry: version, letters, alignments, where the return address is, first rules. */
static bool read_common(struct ml_heap_walk_bytes bytes, struct ml_heap_walk_entry *out)
{
    struct ml_heap_walk_bytes record = take_record(&bytes);
    uint64_t id = ml_heap_walk_fixed(&record, 4);
    uint64_t version = ml_heap_walk_fixed(&record, 1);
    const uint8_t *letters = record.at;
    if (record.bad || id != 0 || (version != 1 && version != 3))
        return false;
    while (ml_heap_walk_fixed(&record, 1))
        ;
    out->code_align = ml_heap_walk_uleb(&record);
    out->data_align = ml_heap_walk_sleb(&record);
    uint64_t column = version == 1 ? ml_heap_walk_fixed(&record, 1) : ml_heap_walk_uleb(&record);
    if (record.bad || column != RETURN_ADDRESS || (*letters && *letters != 'z'))
        return false;
    out->has_augmentation = *letters;
    if (out->has_augmentation)
        read_augmentation(&record, letters + 1, out);
    out->first = record;
    return !record.bad;
}

static bool read_entry(const struct ml_heap_walk_segments *segments, uintptr_t address,
                       struct ml_heap_walk_entry *out)
{
    struct ml_heap_walk_bytes bytes = ml_heap_walk_bytes_at(segments, address);
    struct ml_heap_walk_bytes record = take_record(&bytes);
    uintptr_t here = (uintptr_t)record.at;
    uint64_t back = ml_heap_walk_fixed(&record, 4);
    *out = (struct ml_heap_walk_entry){.address = address};
    if (record.end - record.at < ENTRY_B || back == 0 ||
        !read_common(ml_heap_walk_bytes_at(segments, here - back), out))
        return false;
    out->start = ml_heap_walk_pointer(&record, out->encoding, 0);
    out->end = out->start + ml_heap_walk_stored(&record, out->encoding);
    if (out->has_augmentation)
        ml_heap_walk_take(&record, ml_heap_walk_uleb(&record));
    out->then = record;
    return !record.bad && out->start < out->end;
}

static int32_t row_word(const uint8_t *rows, uint64_t i, size_t at)
{
    struct ml_heap_walk_bytes word = {.at = rows + i * ROW_B + at, .end = rows + (i + 1) * ROW_B};
    return (int32_t)ml_heap_walk_fixed(&word, 4);
}

/* The last of N rows, of where a function and its entry are from HEADER, that begins at or before
 * DISTANCE. */
static bool search_rows(const uint8_t *rows, uint64_t n, int64_t distance, int32_t *out_entry)
{
    uint64_t low = 0, high = n;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (row_word(rows, middle, 0) <= distance)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0)
        *out_entry = row_word(rows, low - 1, 4);
    return low > 0;
}

bool ml_heap_walk_find_entry(const struct ml_heap_walk_segments *segments, uintptr_t header,
                             uintptr_t pc, struct ml_heap_walk_entry *out)
{
    int32_t entry;
    struct ml_heap_walk_bytes bytes = ml_heap_walk_bytes_at(segments, header);
    uint64_t version = ml_heap_walk_fixed(&bytes, 1);
    uint8_t frames = (uint8_t)ml_heap_walk_fixed(&bytes, 1);
    uint8_t count = (uint8_t)ml_heap_walk_fixed(&bytes, 1);
    uint64_t table = ml_heap_walk_fixed(&bytes, 1);
    if (bytes.bad || version != 1 || count == OMITTED || table != SORTED_TABLE)
        return false;
    if (frames != OMITTED)
        ml_heap_walk_stored(&bytes, frames);
    uint64_t n = ml_heap_walk_pointer(&bytes, count, header);
    if (bytes.bad || n > (uint64_t)(bytes.end - bytes.at) / ROW_B ||
        !search_rows(bytes.at, n, (int64_t)(pc - header), &entry))
        return false;
    return read_entry(segments, header + (uintptr_t)(intptr_t)entry, out) && out->start <= pc &&
           pc < out->end;
}
