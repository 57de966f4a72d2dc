/* Other programs are asked what they are: what they print, within a deadline. */
#ifndef ML_DOCTOR_ASK_H
#define ML_DOCTOR_ASK_H

#include <stdbool.h>
#include <stddef.h>

struct ml_answer {
    bool started;    /* there is such a program */
    int code;        /* its exit code; 128 + a signal; -1: it did not end in 10 s and was killed */
    char text[4096]; /* the beginning of what it wrote, stdout and stderr together */
};

/* Runs ARGV, found in PATH, with nothing to read. */
void ml_ask(char *const *argv, struct ml_answer *out_answer);

/* The first line of TEXT that has WORD ("" for any), without blanks around it, into OUT; false and
 * "" if there is none. */
bool ml_ask_line(const char *text, const char *word, char *out, size_t size);

/* The first run of digits and points in TEXT, "4.1.4"; "" if there is none. */
void ml_ask_version(const char *text, char *out, size_t size);

/* The file of PROGRAM in PATH, for the caller to free; NULL: there is none. */
char *ml_ask_find(const char *program);

#endif
