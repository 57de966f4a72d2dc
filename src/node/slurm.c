#include "node/slurm.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_HOSTS = 131072,
    MAX_BRACKETS = 8, /* of one name */
    MAX_DIGITS = 9,
    MAX_NAME = 255,
    MAX_TASKS = 10000, /* on a node: those of all hosts together fit an int */
};

/* A number of up to nine digits at *CURSOR, which moves behind it; -1: there is none. */
static int read_number(const char **cursor, int *out_width)
{
    int value = 0, width = 0;
    for (; isdigit((unsigned char)**cursor); ++*cursor) {
        if (++width > MAX_DIGITS)
            return -1;
        value = 10 * value + (**cursor - '0');
    }
    *out_width = width;
    return width ? value : -1;
}

/* ---- tasks a node ---- */

/* "2(x3),1": how many nodes from here on have how many. */
struct tasks {
    const char *cursor;
    long left;
    int each;
};

/* The next node's; -1: the list ends, or is none. */
static int next_tasks(struct tasks *t)
{
    int width;
    if (t->left == 0) {
        t->each = read_number(&t->cursor, &width);
        t->left = 1;
        if (strncmp(t->cursor, "(x", 2) == 0) {
            t->cursor += 2;
            t->left = read_number(&t->cursor, &width);
            t->each = *t->cursor == ')' ? t->each : -1;
            t->cursor += *t->cursor == ')';
        }
        bool ends = *t->cursor == 0 || *t->cursor == ',';
        t->cursor += *t->cursor == ',';
        if (!ends || t->left < 1 || t->each > MAX_TASKS)
            t->each = -1;
    }
    if (t->each >= 0)
        t->left--;
    return t->each;
}

/* ---- nodes ---- */

struct walk {
    struct ml_nodefile *file;
    struct tasks tasks;
    bool fits; /* the tasks, so far */
    int n_hosts;
};

static bool add(struct walk *w, const char *name, size_t n)
{
    int slots = w->fits ? next_tasks(&w->tasks) : -1;
    w->fits = slots >= 0;
    return w->n_hosts++ < MAX_HOSTS && ml_nodefile_add(w->file, name, n, w->fits ? slots : 0);
}

static bool expand(struct walk *w, char *name, size_t n, const char *rest, int brackets);

/* NAME with each number of one range, "07-10" at *CURSOR, and what follows the bracket, REST. */
static bool expand_range(struct walk *w, char *name, size_t n, const char **cursor,
                         const char *rest, int brackets)
{
    int width, ignored;
    int first = read_number(cursor, &width), last = first;
    if (**cursor == '-') {
        ++*cursor;
        last = read_number(cursor, &ignored);
    }
    if (first < 0 || last < first || n + MAX_DIGITS > MAX_NAME)
        return false;
    for (int i = first; i <= last; i++) {
        int digits = snprintf(name + n, MAX_DIGITS + 1, "%0*d", width, i);
        if (!expand(w, name, n + (size_t)digits, rest, brackets))
            return false;
    }
    return true;
}

/* The names that begin with the N bytes of NAME and go on as REST says, up to a comma. */
static bool expand(struct walk *w, char *name, size_t n, const char *rest, int brackets)
{
    size_t literal = strcspn(rest, "[,");
    if (n + literal > MAX_NAME)
        return false;
    memcpy(name + n, rest, literal);
    n += literal;
    if (rest[literal] != '[')
        return add(w, name, n);
    const char *cursor = rest + literal + 1, *end = strchr(cursor, ']');
    if (!end || brackets == MAX_BRACKETS)
        return false;
    while (expand_range(w, name, n, &cursor, end + 1, brackets + 1)) {
        if (cursor == end)
            return true;
        if (*cursor++ != ',')
            return false;
    }
    return false;
}

/* Behind the comma that ends the name, which none in brackets does; its end where it is the last.
 */
static const char *next_name(const char *list)
{
    for (bool inside = false; *list && (inside || *list != ','); list++)
        inside = *list == '[' || (inside && *list != ']');
    return list + (*list == ',');
}

static bool parse_list(struct walk *w, const char *nodes)
{
    char name[MAX_NAME + MAX_DIGITS + 1];
    while (*nodes) {
        const char *next = next_name(nodes);
        if (!expand(w, name, 0, nodes, 0) || (!*next && next[-1] == ','))
            return false;
        nodes = next;
    }
    return w->n_hosts > 0;
}

enum ml_status ml_slurm_nodes_parse(const char *nodes, const char *tasks,
                                    struct ml_nodefile *out_file, struct ml_error *err)
{
    struct ml_nodefile file = {0};
    struct walk w = {.file = &file, .tasks = {.cursor = tasks}, .fits = tasks != NULL};
    if (!parse_list(&w, nodes)) {
        ml_nodefile_free(&file);
        return ml_fail(err, ML_RUN_LOST, "%s",
                       w.n_hosts > MAX_HOSTS ? "it names too many hosts"
                                             : "it is no list of hosts");
    }
    if (!w.fits || w.tasks.left || *w.tasks.cursor) {
        for (size_t i = 0; i < file.n_hosts; i++)
            file.slots[i] = 0;
    }
    *out_file = file;
    return ML_OK;
}
