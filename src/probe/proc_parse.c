#include "probe/proc_parse.h"

#include "record/schema.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct cursor {
    const char *p;
    const char *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_blanks(struct cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
        c->p++;
}

/* Blanks, a sign, digits. What overflows becomes INT64_MAX: rsslim is 2^64-1 without a limit. */
static bool take_number(struct cursor *c, int64_t *out)
{
    skip_blanks(c);
    bool negative = c->p < c->end && *c->p == '-';
    if (negative)
        c->p++;
    if (c->p == c->end || !is_digit(*c->p))
        return false;
    int64_t value = 0;
    for (; c->p < c->end && is_digit(*c->p); c->p++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *c->p - '0', &value))
            value = INT64_MAX;
    }
    *out = negative ? -value : value;
    return true;
}

/* The line at the cursor, which moves behind its newline. False at the end. */
static bool take_line(struct cursor *c, struct cursor *out_line)
{
    if (c->p >= c->end)
        return false;
    const char *newline = memchr(c->p, '\n', (size_t)(c->end - c->p));
    *out_line = (struct cursor){c->p, newline ? newline : c->end};
    c->p = newline ? newline + 1 : c->end;
    return true;
}

static bool take_text(struct cursor *c, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
        return false;
    c->p += n;
    return true;
}

static int32_t to_int32(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

/* 10362 (a b) c) R 10358 10358 9044 0 -1 4194304 100 0 0 0 7 1 0 0 20 0 1 0 113588 3133440 412 ...
 * The name ends at the last parenthesis, since all that follows are numbers. */
bool ml_proc_parse_stat(const char *text, size_t n, struct ml_proc_stat *out_stat)
{
    enum {
        PARENT = 4,
        MINOR_FAULTS = 10,
        MAJOR_FAULTS = 12,
        USER = 14,
        SYSTEM,
        THREADS = 20,
        START = 22,
        N_FIELDS
    };
    int64_t field[N_FIELDS] = {0};
    const char *open = memchr(text, '(', n);
    const char *close = memrchr(text, ')', n);
    struct ml_proc_stat stat = {0};
    if (!open || !close || close < open || text + n - close < 4 || close[1] != ' ')
        return false;
    size_t length = (size_t)(close - open - 1);
    memcpy(stat.name, open + 1, length < ML_COMM_SIZE ? length : ML_COMM_SIZE - 1);
    stat.state = close[2];
    struct cursor c = {close + 3, text + n};
    for (int i = PARENT; i < N_FIELDS; i++) {
        if (!take_number(&c, &field[i]))
            return false;
    }
    if (stat.state <= ' ' || stat.state > '~')
        return false;
    stat.parent = to_int32(field[PARENT]);
    stat.minor_faults = field[MINOR_FAULTS];
    stat.major_faults = field[MAJOR_FAULTS];
    if (__builtin_add_overflow(field[USER], field[SYSTEM], &stat.cpu_ticks))
        stat.cpu_ticks = INT64_MAX;
    stat.threads = to_int32(field[THREADS]);
    stat.start_ticks = field[START];
    *out_stat = stat;
    return true;
}

int ml_proc_parse_cpu(const char *text, size_t n)
{
    enum { PARENT = 4, PROCESSOR = 39 };
    const char *close = memrchr(text, ')', n);
    if (!close || text + n - close < 4)
        return -1;
    struct cursor c = {close + 3, text + n};
    int64_t cpu = -1;
    for (int i = PARENT; i <= PROCESSOR; i++) {
        if (!take_number(&c, &cpu))
            return -1;
    }
    return cpu >= 0 && cpu <= INT_MAX ? (int)cpu : -1;
}

/* 765 439 412 5 0 27 0 */
bool ml_proc_parse_statm(const char *text, size_t n, struct ml_proc_statm *out_statm)
{
    struct cursor c = {text, text + n};
    struct ml_proc_statm statm;
    if (!take_number(&c, &statm.size_pages) || !take_number(&c, &statm.resident_pages) ||
        !take_number(&c, &statm.shared_pages))
        return false;
    *out_statm = statm;
    return true;
}

/* A line "Name:   number" or "Name:   number kB" to be found, and where its value goes. */
struct field {
    const char *name; /* with the colon */
    int64_t *value;
};

static int64_t take_value(struct cursor *line)
{
    int64_t value;
    if (!take_number(line, &value) || value < 0)
        return ML_NOT_MEASURED;
    skip_blanks(line);
    if (take_text(line, "kB") && __builtin_mul_overflow(value, 1024, &value))
        return INT64_MAX;
    return value;
}

/* The first line of a name counts. The kernel escapes newlines in Name:, so nobody can add lines.
 */
static void parse_fields(const char *text, size_t n, const struct field *fields, size_t n_fields)
{
    struct cursor c = {text, text + n}, line;
    size_t found = 0;
    for (size_t i = 0; i < n_fields; i++)
        *fields[i].value = ML_NOT_MEASURED;
    while (found < n_fields && take_line(&c, &line)) {
        for (size_t i = 0; i < n_fields; i++) {
            if (line.p < line.end && *line.p == *fields[i].name &&
                take_text(&line, fields[i].name) && *fields[i].value == ML_NOT_MEASURED) {
                *fields[i].value = take_value(&line);
                found++;
                break;
            }
        }
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* rchar: 323934931 */
void ml_proc_parse_io(const char *text, size_t n, struct ml_proc_io *out_io)
{
    const struct field fields[] = {{"rchar:", &out_io->read_B}, {"wchar:", &out_io->written_B}};
    parse_fields(text, n, fields, sizeof fields / sizeof *fields);
}

/* Tgid:	10362
 * Uid:	1000	1000	1000	1000
 * VmSize:	    3060 kB */
void ml_proc_parse_status(const char *text, size_t n, struct ml_proc_status *out_status)
{
    const struct field fields[] = {
        {"Tgid:", &out_status->tgid},      {"Uid:", &out_status->uid},
        {"VmSize:", &out_status->vsize_B}, {"VmData:", &out_status->data_B},
        {"VmStk:", &out_status->stack_B},  {"VmHWM:", &out_status->peak_rss_B},
        {"VmRSS:", &out_status->rss_B},    {"RssAnon:", &out_status->anon_B},
        {"RssFile:", &out_status->file_B}, {"RssShmem:", &out_status->shmem_B},
        {"VmSwap:", &out_status->swap_B},  {"HugetlbPages:", &out_status->hugetlb_B},
    };
    parse_fields(text, n, fields, COUNT(fields));
}

/* Pss:                 311 kB */
void ml_proc_parse_rollup(const char *text, size_t n, struct ml_proc_rollup *out_rollup)
{
    int64_t clean_B, dirty_B;
    const struct field fields[] = {
        {"Pss:", &out_rollup->pss_B},
        {"Private_Clean:", &clean_B},
        {"Private_Dirty:", &dirty_B},
        {"Anonymous:", &out_rollup->anonymous_B},
        {"Shared_Hugetlb:", &out_rollup->shared_hugetlb_B},
    };
    parse_fields(text, n, fields, COUNT(fields));
    bool overflow = __builtin_add_overflow(clean_B, dirty_B, &out_rollup->private_B);
    if (clean_B < 0 || dirty_B < 0)
        out_rollup->private_B = ML_NOT_MEASURED;
    else if (overflow)
        out_rollup->private_B = INT64_MAX;
}

/* MemAvailable:   24301952 kB */
void ml_proc_parse_meminfo(const char *text, size_t n, struct ml_proc_meminfo *out_meminfo)
{
    const struct field fields[] = {
        {"MemTotal:", &out_meminfo->total_B},
        {"MemAvailable:", &out_meminfo->available_B},
        {"SwapTotal:", &out_meminfo->swap_total_B},
        {"SwapFree:", &out_meminfo->swap_free_B},
        {"HugePages_Total:", &out_meminfo->hugetlb_pages},
        {"HugePages_Free:", &out_meminfo->hugetlb_free},
    };
    parse_fields(text, n, fields, COUNT(fields));
}

/* inactive_file 16384 */
void ml_proc_parse_memory_stat(const char *text, size_t n, bool version_1,
                               struct ml_proc_memory_stat *out_stat)
{
    int64_t active_B, inactive_B;
    const struct field fields[] = {
        {version_1 ? "total_active_file " : "active_file ", &active_B},
        {version_1 ? "total_inactive_file " : "inactive_file ", &inactive_B},
        {version_1 ? "total_shmem " : "shmem ", &out_stat->shmem_B},
        {"kernel ", &out_stat->kernel_B},
    };
    parse_fields(text, n, fields, COUNT(fields));
    bool known = active_B >= 0 && inactive_B >= 0;
    if (!known || __builtin_add_overflow(active_B, inactive_B, &out_stat->file_B))
        out_stat->file_B = ML_NOT_MEASURED;
}

int64_t ml_proc_parse_counter(const char *text, size_t n, const char *name)
{
    int64_t value;
    const struct field field = {name, &value};
    parse_fields(text, n, &field, 1);
    return value;
}

/* some avg10=0.00 avg60=0.00 avg300=0.00 total=2781104 */
int64_t ml_proc_parse_stalled_us(const char *text, size_t n)
{
    static const char total[] = "total=";
    struct cursor c = {text, text + n}, line;
    int64_t value;
    while (take_line(&c, &line)) {
        if (!take_text(&line, "some "))
            continue;
        line.p = memmem(line.p, (size_t)(line.end - line.p), total, sizeof total - 1);
        if (line.p && take_text(&line, total) && take_number(&line, &value) && value >= 0)
            return value;
        break;
    }
    return ML_NOT_MEASURED;
}

size_t ml_proc_parse_pids(const char *text, size_t n, pid_t *out_pids, size_t most)
{
    struct cursor c = {text, text + n};
    size_t found = 0;
    int64_t pid;
    while (found < most && take_number(&c, &pid) && pid > 0 && pid <= INT32_MAX)
        out_pids[found++] = (pid_t)pid;
    return found;
}

/* 1.38 0.55 0.20 3/96 10341 */
bool ml_proc_parse_last_pid(const char *text, size_t n, pid_t *out_pid)
{
    while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    const char *blank = n ? memrchr(text, ' ', n) : NULL;
    struct cursor c = {blank, text + n};
    int64_t pid;
    if (!blank || !take_number(&c, &pid) || c.p != c.end || pid <= 0 || pid > INT32_MAX)
        return false;
    *out_pid = (pid_t)pid;
    return true;
}

/* Whether the comma-separated LIST names WORD; "" names itself only. */
static bool list_names(struct cursor list, const char *word)
{
    if (!*word)
        return list.p == list.end;
    while (list.p < list.end) {
        const char *comma = memchr(list.p, ',', (size_t)(list.end - list.p));
        const char *end = comma ? comma : list.end;
        if ((size_t)(end - list.p) == strlen(word) && memcmp(list.p, word, strlen(word)) == 0)
            return true;
        list.p = comma ? comma + 1 : list.end;
    }
    return false;
}

static bool has_parent_step(struct cursor path)
{
    for (; path.end - path.p >= 3; path.p++) {
        if (memcmp(path.p, "/..", 3) == 0 && (path.end - path.p == 3 || path.p[3] == '/'))
            return true;
    }
    return false;
}

/* 4:memory:/pbs_jobs/12.head
 * 3:cpu,cpuacct:/
 * 0::/system.slice/pbs.service */
bool ml_proc_parse_cgroup(const char *text, size_t n, const char *controller, char *out_path,
                          size_t size)
{
    struct cursor c = {text, text + n}, line;
    while (take_line(&c, &line)) {
        const char *first = memchr(line.p, ':', (size_t)(line.end - line.p));
        const char *second = first ? memchr(first + 1, ':', (size_t)(line.end - first - 1)) : NULL;
        if (!second || !list_names((struct cursor){first + 1, second}, controller))
            continue;
        struct cursor path = {second + 1, line.end};
        size_t length = (size_t)(path.end - path.p);
        /* /.. stands for a cgroup outside of our cgroup namespace */
        if (length == 0 || length >= size || *path.p != '/' || has_parent_step(path) ||
            memchr(path.p, 0, length))
            return false;
        memcpy(out_path, path.p, length);
        out_path[length] = 0;
        return true;
    }
    return false;
}

int64_t ml_proc_parse_limit(const char *text, size_t n)
{
    struct cursor c = {text, text + n};
    int64_t value;
    if (!take_number(&c, &value) || value < 0 || value >= 1LL << 62)
        return ML_NOT_MEASURED;
    return value;
}

/* 0-1,3 */
static uint64_t take_nodes(struct cursor *c)
{
    uint64_t nodes = 0;
    int64_t first, last;
    do {
        if (!take_number(c, &first) || first < 0)
            return 0;
        last = first;
        if (take_text(c, "-") && !take_number(c, &last))
            return 0;
        if (last < first || last > 63)
            return 0;
        nodes |= UINT64_MAX >> (63 - last) & UINT64_MAX << first;
    } while (take_text(c, ","));
    return nodes;
}

/* Mems_allowed_list:	0-1 */
uint64_t ml_proc_parse_mems(const char *text, size_t n)
{
    struct cursor c = {text, text + n}, line;
    while (take_line(&c, &line)) {
        if (take_text(&line, "Mems_allowed_list:"))
            return take_nodes(&line);
    }
    return 0;
}

/* 559a1c6a4000 bind:0-1 file=/usr/bin/app mapped=2 N0=2 kernelpagesize_kB=4
 * 559a1c6a4000 bind=static:1 ... */
uint64_t ml_proc_parse_bound(const char *text, size_t n)
{
    struct cursor c = {text, text + n}, line;
    if (!take_line(&c, &line))
        return 0;
    line.p = memchr(line.p, ' ', (size_t)(line.end - line.p));
    if (!line.p || !take_text(&line, " bind"))
        return 0;
    if (!take_text(&line, "=static"))
        take_text(&line, "=relative");
    return take_text(&line, ":") ? take_nodes(&line) : 0;
}

uint64_t ml_proc_parse_nodes(const char *text, size_t n)
{
    struct cursor c = {text, text + n};
    return take_nodes(&c);
}

/* Node 0 MemFree:         4053272 kB */
void ml_proc_parse_node_meminfo(const char *text, size_t n, int node,
                                struct ml_proc_node_meminfo *out_meminfo)
{
    static const char *const names[] = {
        "MemTotal:", "MemFree:", "Active(file):", "Inactive(file):", "SReclaimable:"};
    int64_t values[COUNT(names)] = {0};
    char lines[COUNT(names)][40];
    struct field fields[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(lines[i], sizeof lines[i], "Node %d %s", node, names[i]);
        fields[i] = (struct field){lines[i], &values[i]};
    }
    parse_fields(text, n, fields, COUNT(fields));
    *out_meminfo = (struct ml_proc_node_meminfo){values[0], values[1]};
    for (size_t i = 2; i < COUNT(names) && out_meminfo->left_B >= 0; i++) {
        int64_t more_B = values[i] > 0 ? values[i] : 0;
        if (__builtin_add_overflow(out_meminfo->left_B, more_B, &out_meminfo->left_B))
            out_meminfo->left_B = INT64_MAX;
    }
}

int ml_proc_count_cpus(const char *text, size_t n)
{
    struct cursor c = {text, text + n};
    int64_t count = 0, first, last;
    while (take_number(&c, &first) && first >= 0) {
        last = first;
        if (take_text(&c, "-") && !take_number(&c, &last))
            return 0;
        if (last < first || last > INT_MAX / 2)
            return 0;
        count += last - first + 1;
        if (count > INT_MAX / 2)
            return 0;
        if (!take_text(&c, ","))
            break;
    }
    return (int)count;
}

/* The next entry of an environment. False at the end. */
static bool take_entry(struct cursor *c, struct cursor *out_entry)
{
    if (c->p >= c->end)
        return false;
    const char *nul = memchr(c->p, 0, (size_t)(c->end - c->p));
    *out_entry = (struct cursor){c->p, nul ? nul : c->end};
    c->p = nul ? nul + 1 : c->end;
    return true;
}

bool ml_proc_environ_has(const char *text, size_t n, const char *entry)
{
    struct cursor c = {text, text + n}, e;
    while (take_entry(&c, &e)) {
        if (take_text(&e, entry) && e.p == e.end)
            return true;
    }
    return false;
}

bool ml_proc_environ_has_id(const char *text, size_t n, const char *variable, const char *id)
{
    struct cursor c = {text, text + n}, e;
    while (take_entry(&c, &e)) {
        if (take_text(&e, variable) && take_text(&e, "=") && take_text(&e, id) &&
            (e.p == e.end || *e.p == '.'))
            return true;
    }
    return false;
}

static bool names_recorder(struct cursor word)
{
    const char *slash = memrchr(word.p, '/', (size_t)(word.end - word.p));
    if (slash)
        word.p = slash + 1;
    return take_text(&word, "memlog-mpi") && (word.p == word.end || *word.p == '.');
}

bool ml_proc_cmdline_attaches(const char *text, size_t n)
{
    struct cursor c = {text, text + n}, word;
    bool recorder = false;
    while (take_entry(&c, &word)) {
        if (recorder && take_text(&word, "--attach"))
            return word.p == word.end || *word.p == '=';
        recorder = recorder || names_recorder(word);
    }
    return false;
}

int ml_proc_environ_rank(const char *text, size_t n)
{
    static const char *const names[] = {"PMIX_RANK=", "OMPI_COMM_WORLD_RANK=", "PMI_RANK="};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct cursor c = {text, text + n}, e;
        int64_t rank;
        while (take_entry(&c, &e)) {
            if (take_text(&e, names[i]) && take_number(&e, &rank) && e.p == e.end && rank >= 0 &&
                rank < INT32_MAX)
                return (int)rank;
        }
    }
    return -1;
}
