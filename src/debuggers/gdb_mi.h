/* The output syntax of gdb's machine interface (GDB/MI), one line at a time. Pure. */
#ifndef ML_DEBUGGERS_GDB_MI_H
#define ML_DEBUGGERS_GDB_MI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tuples and lists lie flat, in order: the first value inside V is V + 1, and what follows V is at
 * V + V->size. */
struct ml_mi_value {
    const char *name; /* "" for a value in a list that has none */
    const char *text; /* of a string, without its escapes; "" for a tuple or a list */
    char kind;        /* '"' string, '{' tuple, '[' list */
    size_t size;      /* values in it, with itself */
};

/* 12^done,threads=[{id="1",target-id="LWP 7"}]
 * *stopped,thread-id="1",stopped-threads="all" */
struct ml_mi_record {
    int64_t token;    /* of the command that it answers; -1: none */
    char type;        /* '^' result, '*' what runs or stopped, '=' notification */
    const char *word; /* "done", "stopped" */
    struct ml_mi_value *values;
    size_t n_values, capacity;
    char *text; /* where all texts lie */
};

/* Replaces what OUT_RECORD (zeroed, or filled before) holds by what LINE says. False: it is no such
 * record, and OUT_RECORD is empty (type 0). */
bool ml_mi_parse(const char *line, struct ml_mi_record *out_record);

/* The value NAME of the record itself, or of the tuple V; NULL if there is none. */
const struct ml_mi_value *ml_mi_find(const struct ml_mi_record *record, const char *name);
const struct ml_mi_value *ml_mi_member(const struct ml_mi_value *v, const char *name);

/* The text of the string NAME of the tuple V; "" if there is none. */
const char *ml_mi_text(const struct ml_mi_value *v, const char *name);

void ml_mi_free(struct ml_mi_record *record);

#endif
