/* memlog: reads what memlog-mpi has recorded. */
#include "base/log.h"
#include "base/similar.h"
#include "commands/command.h"
#include "version.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ADDRESS(name) &ml_command_##name,
static const struct ml_command *const commands[] = {ML_COMMANDS(ADDRESS) NULL};

static void print_help(void)
{
    printf("memlog reads what memlog-mpi has recorded.\n"
           "\n"
           "  mpiexec memlog-mpi -o run.h5 -- app   record a job (memlog-mpi --help)\n"
           "  memlog read run.h5                    what it did, as text\n"
           "  memlog top run.h5                     the job while it runs\n"
           "  memlog diff old.h5 new.h5             which is larger, by how much, where\n"
           "  memlog plot run.h5 -o run.png         a picture\n"
           "  memlog plot a.h5 b.h5 -o both.svg     two runs in one picture\n"
           "  memlog export --csv run.h5 -o run.csv its samples for another program\n"
           "  memlog recover run.h5.*.journal -o run.h5\n"
           "                                        the file of a job that died\n"
           "\n"
           "Commands:\n");
    for (size_t i = 0; commands[i]; i++)
        printf("  memlog %-8s %-12s %s\n", commands[i]->name, commands[i]->arguments,
               commands[i]->summary);
    printf("  memlog help     [command]    More about it\n"
           "  memlog --version\n");
}

static const struct ml_command *find(const char *name)
{
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int misuse(const char *name)
{
    const char *names[sizeof commands / sizeof *commands];
    size_t n = 0;
    for (; commands[n]; n++)
        names[n] = commands[n]->name;
    const char *meant = ml_similar(name, names, n);
    if (meant)
        ml_log(ML_LOG_ERROR, "'%.80s' is not a command; did you mean 'memlog %s'?", name, meant);
    else
        ml_log(ML_LOG_ERROR, "'%.80s' is not a command; see 'memlog --help'", name);
    return ML_EXIT_USAGE;
}

/* "read", and "--read" as with memory_logger.py. */
static const struct ml_command *find_by_habit(const char *word)
{
    return find(strncmp(word, "--", 2) == 0 ? word + 2 : word);
}

/* memlog FILE is memlog read FILE. */
static bool is_file(const char *word)
{
    struct stat st;
    return stat(word, &st) == 0 && S_ISREG(st.st_mode);
}

static int help(const char *name)
{
    const struct ml_command *command = name ? find(name) : NULL;
    if (command)
        ml_command_help(command);
    else if (!name)
        print_help();
    return command || !name ? ML_EXIT_OK : misuse(name);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    ml_log_setup("memlog", NULL, ML_LOG_NOTICE);
    if (argc < 2) {
        ml_log(ML_LOG_ERROR, "no command; see 'memlog --help'");
        return ML_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(NULL);
    if (strcmp(argv[1], "help") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(argv[1], "--version") == 0) {
        printf("memlog %s\n", MEMLOG_VERSION);
        return ML_EXIT_OK;
    }
    const struct ml_command *command = find_by_habit(argv[1]);
    if (command)
        return command->run(command, argc - 1, argv + 1);
    return is_file(argv[1]) ? ml_command_read.run(&ml_command_read, argc, argv) : misuse(argv[1]);
}
