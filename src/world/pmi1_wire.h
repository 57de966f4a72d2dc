/* PMI-1 as text: one command a line, "cmd=put kvsname=w key=P0 value=tag#1 x". Pure. */
#ifndef ML_WORLD_PMI1_WIRE_H
#define ML_WORLD_PMI1_WIRE_H

#include <stdbool.h>
#include <stddef.h>

enum { ML_PMI1_MAX_WORDS = 16 };

struct ml_pmi1_command {
    const char *name; /* of the command: init, put, ...; "spawn" for mcmd=spawn */
    size_t n_words;
    struct {
        const char *key, *value;
    } words[ML_PMI1_MAX_WORDS];
};

/* Splits LINE (NUL-terminated, without newline) in place; OUT points into it. A value ends at a
 * blank, but that of "value", "message" or "error_msg" goes to the end of the line. False if it is
 * no command. An abort is one whatever follows: of it what can be read before that is kept. */
bool ml_pmi1_parse(char *line, struct ml_pmi1_command *out);

/* The value of KEY, or NULL. */
const char *ml_pmi1_word(const struct ml_pmi1_command *command, const char *key);

#endif
