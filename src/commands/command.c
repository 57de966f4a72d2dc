#include "commands/command.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/similar.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FIRST_LONG 256 /* what getopt returns for option 0 */
#define HELP 'h'
#define OPTIONS_MAX 64

void ml_command_help(const struct ml_command *command)
{
    printf("Usage: memlog %s [options] %s\n%s.\n\n%s%s", command->name, command->arguments,
           command->summary, command->details, *command->details ? "\n" : "");
    char left[80] = "";
    for (const struct ml_command_option *o = command->options; o->name; o++) {
        size_t n = strlen(left);
        if (n)
            snprintf(left + n, sizeof left - n, ", --%s%s%s", o->name, o->value ? " " : "",
                     o->value ? o->value : "");
        else
            snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ',
                     o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
                     o->value ? " " : "", o->value ? o->value : "");
        if (!o->help)
            continue;
        printf("  %-26s %s%s\n", left, strlen(left) > 26 ? " " : "", o->help);
        left[0] = 0;
    }
    printf("  %-26s %s\n", "-h, --help", "this text");
}

int ml_command_misuse(const struct ml_command *command, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ml_log(ML_LOG_ERROR, "%s: %s; see 'memlog %s --help'", command->name, text, command->name);
    return ML_EXIT_USAGE;
}

static size_t count_options(const struct ml_command *command)
{
    size_t n = 0;
    while (command->options[n].name)
        n++;
    return n;
}

/* getopt's two descriptions of the options, from ours: LONGS holds two more than there are, LETTERS
 * two for each, and four. */
static void describe(const struct ml_command *command, struct option *longs, char *letters)
{
    size_t n = 0;
    *letters++ = ':'; /* tells a missing value from an unknown option */
    for (const struct ml_command_option *o = command->options; o->name; o++, n++) {
        longs[n] = (struct option){o->name, o->value ? required_argument : no_argument, NULL,
                                   FIRST_LONG + (int)n};
        if (o->letter) {
            *letters++ = o->letter;
            if (o->value)
                *letters++ = ':';
        }
    }
    longs[n] = (struct option){"help", no_argument, NULL, HELP};
    longs[n + 1] = (struct option){0};
    *letters++ = HELP;
    *letters = 0;
}

static const char *find_similar(const struct ml_command *command, const char *word)
{
    const char *names[OPTIONS_MAX];
    size_t n = 0;
    for (; n < OPTIONS_MAX && command->options[n].name; n++)
        names[n] = command->options[n].name;
    return strncmp(word, "--", 2) == 0 ? ml_similar(word + 2, names, n) : NULL;
}

static int complain(const struct ml_command *command, char **argv, int last, bool no_value)
{
    const char *what = no_value ? "needs a value" : "is not an option";
    if (optopt > 0 && optopt < FIRST_LONG && argv[last][0] == '-' && argv[last][1] != '-')
        ml_command_misuse(command, "-%c %s", optopt, what);
    else if (optopt >= FIRST_LONG && !no_value)
        ml_command_misuse(command, "'%.80s' takes no value", argv[last]);
    else if (!no_value && find_similar(command, argv[last]))
        ml_command_misuse(command, "'%.80s' %s; did you mean --%s?", argv[last], what,
                          find_similar(command, argv[last]));
    else
        ml_command_misuse(command, "'%.80s' %s", argv[last], what);
    return ML_OPTION_BAD;
}

int ml_command_next(const struct ml_command *command, int argc, char **argv, const char **out_value)
{
    size_t n = count_options(command);
    ML_AUTO_FREE struct option *longs = ml_realloc_array(NULL, n + 2, sizeof *longs);
    ML_AUTO_FREE char *letters = ml_alloc(2 * n + 4);
    describe(command, longs, letters);
    opterr = 0;
    optopt = 0;
    int last = optind < argc ? optind : argc - 1;
    int found = getopt_long(argc, argv, letters, longs, NULL);
    if (found == -1)
        return ML_OPTION_END;
    if (found == '?' || found == ':') {
        /* getopt moves arguments behind options: the bad one is the last that it has passed. */
        if (found == '?' && optind > 0 && optind <= argc && argv[optind - 1][0] == '-')
            last = optind - 1;
        else if (found == ':')
            last = argc - 1;
        return complain(command, argv, last, found == ':');
    }
    if (found == HELP) {
        ml_command_help(command);
        return ML_OPTION_HELP;
    }
    *out_value = optarg;
    if (found >= FIRST_LONG)
        return found - FIRST_LONG;
    for (int i = 0; command->options[i].name; i++) {
        if (command->options[i].letter == found)
            return i;
    }
    return ML_OPTION_BAD;
}
