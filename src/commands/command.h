/* The subcommands of memlog: a file each, and a line here. */
#ifndef ML_COMMANDS_COMMAND_H
#define ML_COMMANDS_COMMAND_H

#include <stddef.h>

/* X(name): all there are, in the order of the help. NAME.c defines ml_command_NAME. */
#define ML_COMMANDS(X)                                                                             \
    X(read)                                                                                        \
    X(top)                                                                                         \
    X(diff)                                                                                        \
    X(plot)                                                                                        \
    X(export)                                                                                      \
    X(recover)                                                                                     \
    X(check)                                                                                       \
    X(doctor)

enum ml_exit { ML_EXIT_OK = 0, ML_EXIT_FAILURE = 1, ML_EXIT_USAGE = 2 };

/* An option; one table of them feeds getopt and the help. */
struct ml_command_option {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* what it takes, as the help names it; NULL: nothing */
    const char *help;  /* NULL: the help names it on the line of the next one */
};

struct ml_command {
    const char *name;
    const char *arguments;                   /* "FILE..." */
    const char *summary;                     /* one line */
    const char *details;                     /* examples and the like, whole lines; may be "" */
    const struct ml_command_option *options; /* ended by a NULL name; --help is added */
    int (*run)(const struct ml_command *command, int argc, char **argv);
};

#define ML_COMMAND_DECLARE(name) extern const struct ml_command ml_command_##name;
ML_COMMANDS(ML_COMMAND_DECLARE)

/* Goes through the options of ARGV. Returns the index in COMMAND->options of the next one and its
 * value, or ML_OPTION_END (the first argument's index is then getopt's optind), ML_OPTION_HELP
 * (printed) or ML_OPTION_BAD (reported). */
enum { ML_OPTION_END = -1, ML_OPTION_HELP = -2, ML_OPTION_BAD = -3 };
int ml_command_next(const struct ml_command *command, int argc, char **argv,
                    const char **out_value);

void ml_command_help(const struct ml_command *command);

/* Says on stderr what is wrong and where help is; ML_EXIT_USAGE. */
int ml_command_misuse(const struct ml_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
