/* memlog check: whether files are as they were written. */
#include "read/check.h"
#include "base/log.h"
#include "base/units.h"
#include "commands/command.h"
#include "commands/guard.h"

#include <getopt.h>
#include <stdio.h>

static const struct ml_command_option options[] = {{0}};

static void print_damage(void *context, const char *text)
{
    (void)context;
    ml_log(ML_LOG_ERROR, "%s", text);
}

static void print(const char *path, const struct ml_check *c)
{
    char size[16], damaged[64] = "as written";
    ml_size_format(size, sizeof size, c->values_B);
    if (c->damaged)
        snprintf(damaged, sizeof damaged, "%zu damaged", c->damaged);
    else if (c->unknown == c->columns)
        snprintf(damaged, sizeof damaged, "readable, without checksums");
    else if (c->unknown)
        snprintf(damaged, sizeof damaged, "as written; %zu without checksum", c->unknown);
    printf("%s: %zu tables, %zu columns, %s: %s\n", path, c->tables, c->columns, size, damaged);
}

static int check(const char *path)
{
    struct ml_run *run;
    struct ml_error err;
    struct ml_check found;
    if (ml_run_open(path, &run, &err)) {
        ml_log(ML_LOG_ERROR, "%s", err.text);
        return ML_EXIT_FAILURE;
    }
    ml_run_check(run, print_damage, NULL, &found);
    print(path, &found);
    ml_run_close(run);
    return found.damaged ? ML_EXIT_FAILURE : ML_EXIT_OK;
}

static int run_check(const struct ml_command *command, int argc, char **argv)
{
    const char *value;
    int option = ml_command_next(command, argc, argv, &value), code = ML_EXIT_OK;
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    if (optind == argc)
        return ml_command_misuse(command, "no file is named");
    ml_command_guard();
    for (int i = optind; i < argc; i++)
        code = check(argv[i]) > code ? ML_EXIT_FAILURE : code;
    return code;
}

const struct ml_command ml_command_check = {
    "check",
    "FILE...",
    "Look whether files are as they were written",
    "Each column is read and compared with its checksum; exit code 1 if damaged.\n"
    "\n"
    "  memlog check run.h5\n",
    options,
    run_check,
};
