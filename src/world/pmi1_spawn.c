#include "world/pmi1_spawn.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_B = 1 << 24, MAX_RANKS = 1 << 16, MAX_WORDS = 1 << 16, KEY_B = 64 };

void ml_pmi1_spawn_line(struct ml_pmi1_spawn *s, const char *line)
{
    const char *equals = strchr(line, '=');
    s->wrong |= s->lines.length + s->apps.length > MAX_B;
    if (!equals || s->wrong)
        return;
    ml_buffer_append(&s->lines, line, (size_t)(equals - line));
    ml_buffer_append(&s->lines, "", 1);
    ml_buffer_append_text(&s->lines, equals + 1);
}

/* The block's value of a key, or NULL. */
static const char *value_of(const struct ml_pmi1_spawn *s, const char *format, ...)
{
    char key[KEY_B];
    va_list args;
    va_start(args, format);
    vsnprintf(key, sizeof key, format, args);
    va_end(args);
    for (size_t at = 0; at < s->lines.length;) {
        const char *name = s->lines.data + at, *value = name + strlen(name) + 1;
        if (strcmp(name, key) == 0)
            return value;
        at = (size_t)(value + strlen(value) + 1 - s->lines.data);
    }
    return NULL;
}

static int number_of(const struct ml_pmi1_spawn *s, const char *key, int most)
{
    const char *text = value_of(s, key);
    int number = text ? atoi(text) : 0;
    return number < 0 ? 0 : number > most ? most : number;
}

static const char *info_of(const struct ml_pmi1_spawn *s, const char *key)
{
    int n = number_of(s, "info_num", MAX_WORDS);
    for (int i = 0; i < n; i++) {
        const char *name = value_of(s, "info_key_%d", i);
        if (name && strcmp(name, key) == 0)
            return value_of(s, "info_val_%d", i);
    }
    return NULL;
}

static void add_put(struct ml_pmi1_spawn *s)
{
    int n = number_of(s, "preput_num", MAX_WORDS);
    for (int i = 0; i < n; i++) {
        const char *key = value_of(s, "preput_key_%d", i), *value = value_of(s, "preput_val_%d", i);
        if (!key || !value)
            return;
        ml_buffer_append_text(&s->put, key);
        ml_buffer_append_text(&s->put, value);
    }
}

/* Hydra puts "path" before the name, and knows "wdir" and "host" besides. */
static bool add_app(struct ml_pmi1_spawn *s)
{
    int n_ranks = number_of(s, "nprocs", MAX_RANKS), n = number_of(s, "argcnt", MAX_WORDS);
    const char *name = value_of(s, "execname"), *path = info_of(s, "path");
    const char *hosts = info_of(s, "host");
    if (!n_ranks || !name || !*name)
        return false;
    ML_AUTO_FREE char *program = path ? ml_format("%s/%s", path, name) : ml_strdup(name);
    ML_AUTO_FREE char **command = ml_alloc(((size_t)n + 2) * sizeof *command);
    command[0] = program;
    for (int i = 1; i <= n; i++) {
        command[i] = (char *)value_of(s, "arg%d", i);
        if (!command[i])
            return false;
    }
    ml_spawn_pack_app(
        &s->apps, &(struct ml_spawn_app){.n_ranks = n_ranks,
                                         .command = command,
                                         .folder = info_of(s, "wdir"),
                                         .placing = {.hosts = hosts ? hosts : "", .added = ""}});
    for (int i = 0; i < n_ranks; i++)
        ml_buffer_printf(&s->codes, "%s0", s->codes.length ? "," : "");
    return true;
}

enum ml_pmi1_spawn_state ml_pmi1_spawn_end(struct ml_pmi1_spawn *s, struct ml_spawn_call *out_call)
{
    bool last = !value_of(s, "spawnssofar") ||
                number_of(s, "spawnssofar", MAX_WORDS) >= number_of(s, "totspawns", MAX_WORDS);
    add_put(s);
    s->wrong = s->wrong || !add_app(s);
    ml_buffer_clear(&s->lines);
    if (!last)
        return ML_PMI1_SPAWN_PART;
    ml_buffer_append(&s->codes, "", 1);
    *out_call = (struct ml_spawn_call){s->apps.data, s->apps.length, s->put.data, s->put.length};
    return s->wrong ? ML_PMI1_SPAWN_WRONG : ML_PMI1_SPAWN_WHOLE;
}

const char *ml_pmi1_spawn_codes(const struct ml_pmi1_spawn *s)
{
    return s->codes.length ? s->codes.data : "";
}

void ml_pmi1_spawn_clear(struct ml_pmi1_spawn *s)
{
    ml_buffer_free(&s->lines);
    ml_buffer_free(&s->apps);
    ml_buffer_free(&s->put);
    ml_buffer_free(&s->codes);
    *s = (struct ml_pmi1_spawn){0};
}
