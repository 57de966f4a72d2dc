#include "assemble/recover.h"

#include "assemble/run_file.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LEAST_AHEAD_NS (100 * ML_NS_PER_MS)
#define SILENT_S 10 /* then its writer, whose locks are not seen from here, is taken for dead */

/* Journals with their paths. */
struct pile {
    struct opened {
        struct ml_harvest *harvest;             /* NULL: only looked at */
        const struct ml_journal_header *header; /* the harvest's, or */
        struct ml_journal_header *own;          /* this */
        const char *path;
    } * items;
    size_t n;
    struct ml_spill *spill; /* of all */
};

static int by_node(const void *a, const void *b)
{
    const struct opened *x = a, *y = b;
    int m = x->header->node, n = y->header->node;
    return (m > n) - (m < n);
}

static enum ml_status look_at(struct opened *o, struct ml_error *err)
{
    struct ml_journal_header *header = ml_alloc(sizeof *header);
    enum ml_status status = ml_harvest_look(o->path, header, err);
    if (status != ML_OK)
        free(header);
    else
        o->header = o->own = header;
    return status;
}

static enum ml_status open_one(struct opened *o, struct ml_spill *spill, struct ml_error *err)
{
    enum ml_status status = ml_harvest_open(o->path, spill, &o->harvest, err);
    if (status == ML_OK)
        o->header = ml_harvest_header(o->harvest);
    return status;
}

/* Reads them, or only looks at them. */
static void open_all(struct pile *p, char *const *journals, size_t n, bool is_read,
                     struct ml_recover_report *report)
{
    p->items = ml_alloc(n * sizeof *p->items);
    p->spill = ml_spill_open(n ? journals[0] : ".");
    report->unreadable = ml_alloc(n * sizeof *report->unreadable);
    for (size_t i = 0; i < n; i++) {
        struct ml_error why;
        struct opened *o = &p->items[p->n];
        o->path = journals[i];
        if ((is_read ? open_one(o, p->spill, &why) : look_at(o, &why)) == ML_OK)
            p->n++;
        else
            report->unreadable[report->n_unreadable++] = ml_strdup(why.text);
    }
    qsort(p->items, p->n, sizeof *p->items, by_node);
}

static void close_all(struct pile *p)
{
    for (size_t i = 0; i < p->n; i++) {
        ml_harvest_close(p->items[i].harvest);
        free(p->items[i].own);
    }
    ml_spill_close(p->spill);
    free(p->items);
    *p = (struct pile){0};
}

/* One run, and each node once. */
static enum ml_status check(const struct pile *p, const struct ml_recover_report *report,
                            struct ml_error *err)
{
    if (!p->n && report->n_unreadable)
        return ml_fail(err, ML_RUN_LOST, "%.500s", report->unreadable[0]);
    if (!p->n)
        return ml_fail(err, ML_RUN_LOST, "there is no journal to recover from");
    const struct ml_journal_header *first = p->items[0].header;
    for (size_t i = 1; i < p->n; i++) {
        const struct ml_journal_header *h = p->items[i].header;
        if (strcmp(h->run, first->run) != 0)
            return ml_fail(err, ML_RUN_LOST,
                           "%.160s and %.160s are of different runs; name only those of one",
                           p->items[0].path, p->items[i].path);
        if (h->node == p->items[i - 1].header->node)
            return ml_fail(err, ML_RUN_LOST, "%.160s and %.160s are both of node %d; name only one",
                           p->items[i - 1].path, p->items[i].path, h->node);
    }
    return ML_OK;
}

static void note_used(const struct pile *p, struct ml_recover_report *report)
{
    report->journals = ml_alloc(p->n * sizeof *report->journals);
    for (size_t i = 0; i < p->n; i++) {
        const struct ml_harvest *h = p->items[i].harvest;
        int node = p->items[i].header->node;
        struct ml_node_row row;
        ml_harvest_node(h, (size_t)node, &row);
        report->journals[report->n_journals++] =
            (struct ml_recover_journal){.path = ml_strdup(p->items[i].path),
                                        .node_name = ml_strdup(row.name),
                                        .node = node,
                                        .complete = ml_harvest_complete(h),
                                        .torn_B = ml_harvest_torn_B(h),
                                        .last_ns = ml_harvest_last_ns(h)};
    }
}

/* The name of NODE as any journal knows it. */
static char *name_of(const struct pile *p, size_t node)
{
    for (size_t i = 0; i < p->n; i++) {
        struct ml_node_row row;
        if (node >= ml_harvest_n_nodes(p->items[i].harvest))
            continue;
        ml_harvest_node(p->items[i].harvest, node, &row);
        if (*row.name)
            return ml_strdup(row.name);
    }
    return ml_format("node %zu", node);
}

static void note_missing(const struct pile *p, struct ml_recover_report *report)
{
    size_t n_nodes = 0, next = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t n = ml_harvest_n_nodes(p->items[i].harvest);
        n_nodes = n > n_nodes ? n : n_nodes;
    }
    report->missing = ml_alloc(n_nodes * sizeof *report->missing);
    for (size_t node = 0; node < n_nodes; node++) {
        if (next < p->n && p->items[next].header->node == (int)node)
            next++;
        else
            report->missing[report->n_missing++] = name_of(p, node);
    }
}

static int64_t period_ns(const struct ml_harvest *h)
{
    struct ml_node_row row;
    ml_harvest_node(h, (size_t)ml_harvest_header(h)->node, &row);
    return row.ticks > 0 ? ml_harvest_last_ns(h) / row.ticks : 0;
}

/* The journal that breaks off before all others, by more than two ticks of its own; NULL: there is
 * none. */
static const struct opened *first_to_break_off(const struct pile *p)
{
    const struct opened *first = NULL;
    int64_t next_ns = INT64_MAX;
    for (size_t i = 0; i < p->n; i++) {
        int64_t last_ns = ml_harvest_last_ns(p->items[i].harvest);
        if (!first || last_ns < ml_harvest_last_ns(first->harvest)) {
            next_ns = first ? ml_harvest_last_ns(first->harvest) : next_ns;
            first = &p->items[i];
        } else if (last_ns < next_ns) {
            next_ns = last_ns;
        }
    }
    if (p->n < 2 || ml_harvest_complete(first->harvest))
        return NULL;
    int64_t ahead_ns = next_ns - ml_harvest_last_ns(first->harvest);
    return ahead_ns > LEAST_AHEAD_NS && ahead_ns > 2 * period_ns(first->harvest) ? first : NULL;
}

static char *words_of_break(const struct pile *p)
{
    const struct opened *first = first_to_break_off(p);
    char at[24];
    if (!first)
        return ml_strdup("unknown: the record breaks off");
    ML_AUTO_FREE char *node = name_of(p, (size_t)first->header->node);
    ml_elapsed_format(at, sizeof at, ml_harvest_last_ns(first->harvest));
    return ml_format("node %s was lost at %s, or what sampled it was killed: its record breaks off "
                     "before the others",
                     node, at);
}

/* How a run ended whose journals do not say it, for the caller to free; NULL: they do, or nobody
 * knows. */
static char *find_verdict(const struct pile *p)
{
    bool gone = true;
    for (size_t i = 0; i < p->n; i++) {
        enum ml_hold hold = ml_journal_writer(p->items[i].path);
        gone &= hold == ML_HOLD_FREE;
        for (size_t k = 0; k < ml_harvest_n_attributes(p->items[i].harvest); k++) {
            if (strcmp(ml_harvest_attribute(p->items[i].harvest, k)->name, "verdict") == 0)
                return NULL;
        }
        if (hold == ML_HOLD_HELD)
            return ml_strdup("still running");
    }
    return gone ? words_of_break(p) : NULL;
}

static enum ml_status write_file(const struct pile *p, struct ml_draft *draft, bool replace,
                                 struct ml_error *err)
{
    ML_AUTO_FREE char *verdict = find_verdict(p);
    const struct ml_attribute extra[] = {{"recovered", ML_INT64, "1"},
                                         {"verdict", ML_TEXT, verdict}};
    ML_AUTO_FREE struct ml_harvest **harvests = ml_alloc(p->n * sizeof(struct ml_harvest *));
    for (size_t i = 0; i < p->n; i++)
        harvests[i] = p->items[i].harvest;
    struct ml_team team;
    ml_team_solo(&team);
    return ml_run_file_write(&team, harvests, p->n, extra, verdict ? 2 : 1, draft, replace, err);
}

/* ---- whether somebody else writes it ---- */

static enum ml_status check_free(const char *outfile, enum ml_recover_mode mode,
                                 struct ml_error *err)
{
    struct stat st;
    if (mode == ML_RECOVER_SAFE && lstat(outfile, &st) == 0)
        return ml_fail(err, ML_RUN_LOST, "%.400s exists already; --force replaces it", outfile);
    return ML_OK;
}

/* A run writes its journals at least once a second until its application has ended. */
static enum ml_status check_ended(const struct pile *p, struct ml_error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        const char *path = p->items[i].path;
        enum ml_hold hold = ml_journal_writer(path);
        struct stat st;
        if (hold == ML_HOLD_HELD)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s: its run goes on, and makes the file at its end; memlog read "
                           "shows it now",
                           path);
        if (hold == ML_HOLD_UNKNOWN && stat(path, &st) == 0 &&
            llabs(time(NULL) - st.st_mtime) < SILENT_S)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s was written just now: its run may go on; try again in %d s, or "
                           "--force",
                           path, SILENT_S);
    }
    return ML_OK;
}

/* Reads the journals, now that nobody else makes a file of them: all that were there. */
static enum ml_status read_all(struct pile *p, char *const *journals, size_t n,
                               struct ml_recover_report *report, struct ml_error *err)
{
    size_t before = p->n;
    close_all(p);
    ml_recover_report_free(report);
    open_all(p, journals, n, true, report);
    if (p->n < before)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s; the journals were removed meanwhile: their run, or another "
                       "recovery, has made the file",
                       report->unreadable[0]);
    return check(p, report, err);
}

/* The folder of the draft is the lock of the record. */
static enum ml_status write_alone(struct pile *p, char *const *journals, size_t n,
                                  const char *outfile, enum ml_recover_mode mode,
                                  struct ml_recover_report *report, struct ml_error *err)
{
    struct ml_team team;
    struct ml_draft *draft;
    ml_team_solo(&team);
    enum ml_status status =
        ml_draft_open(&team, outfile, p->items[0].header->run,
                      mode == ML_RECOVER_FORCE ? ML_DRAFT_FORCE : ML_DRAFT_ASK, &draft, err);
    if (status != ML_OK)
        return status;
    status = check_free(outfile, mode, err);
    if (status == ML_OK)
        status = read_all(p, journals, n, report, err);
    if (status == ML_OK)
        status = write_file(p, draft, mode != ML_RECOVER_SAFE, err);
    if (status == ML_OK) {
        note_used(p, report);
        note_missing(p, report);
        report->file = ml_strdup(ml_draft_published(draft));
    }
    ml_draft_close(draft);
    return status;
}

enum ml_status ml_recover(char *const *journals, size_t n, const char *outfile,
                          enum ml_recover_mode mode, struct ml_recover_report *out_report,
                          struct ml_error *err)
{
    struct pile pile = {0};
    struct ml_recover_report report = {0};
    enum ml_status status = check_free(outfile, mode, err);
    if (status != ML_OK)
        return status;
    open_all(&pile, journals, n, false, &report);
    status = check(&pile, &report, err);
    if (status == ML_OK && mode == ML_RECOVER_SAFE)
        status = check_ended(&pile, err);
    if (status == ML_OK)
        status = write_alone(&pile, journals, n, outfile, mode, &report, err);
    close_all(&pile);
    if (status == ML_OK && out_report)
        *out_report = report;
    else
        ml_recover_report_free(&report);
    return status;
}

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
}

void ml_recover_report_free(struct ml_recover_report *report)
{
    for (size_t i = 0; i < report->n_journals; i++) {
        free(report->journals[i].path);
        free(report->journals[i].node_name);
    }
    free(report->journals);
    free(report->file);
    free_texts(report->unreadable, report->n_unreadable);
    free_texts(report->missing, report->n_missing);
    *report = (struct ml_recover_report){0};
}

/* "run.h5.n1.journal" for "run.h5". */
static bool is_journal_of(const char *name, const char *base)
{
    static const char suffix[] = ".journal";
    size_t n = strlen(name), prefix = strlen(base), end = sizeof suffix - 1;
    return n > prefix + 1 + end && !strncmp(name, base, prefix) && name[prefix] == '.' &&
           !strcmp(name + n - end, suffix);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void ml_recover_find(const char *outfile, const char *journal_dir, char ***out_paths, size_t *out_n)
{
    const char *slash = strrchr(outfile, '/');
    const char *base = slash ? slash + 1 : outfile;
    if (journal_dir && !*journal_dir)
        journal_dir = NULL;
    ML_AUTO_FREE char *folder = journal_dir ? ml_strdup(journal_dir)
                                : slash     ? strndup(outfile, (size_t)(slash - outfile) + 1)
                                            : ml_strdup(".");
    char **paths = NULL;
    size_t n = 0, capacity = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!is_journal_of(e->d_name, base))
            continue;
        ML_GROW(paths, n, capacity);
        size_t end = strlen(folder);
        paths[n++] = !journal_dir && !slash   ? ml_strdup(e->d_name)
                     : folder[end - 1] == '/' ? ml_format("%s%s", folder, e->d_name)
                                              : ml_format("%s/%s", folder, e->d_name);
    }
    if (d)
        closedir(d);
    if (n)
        qsort(paths, n, sizeof *paths, by_text);
    *out_paths = paths;
    *out_n = n;
}
