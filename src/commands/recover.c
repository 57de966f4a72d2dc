/* memlog recover: the file of a run that did not come to write it. */
#include "assemble/recover.h"
#include "base/log.h"
#include "base/units.h"
#include "commands/command.h"
#include "report/text.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define NAME 16
#define LINE 500

enum { OUTFILE, FORCE };

static const struct ml_command_option options[] = {
    [OUTFILE] = {"outfile", 'o', "FILE", "the HDF5 file that is to be made"},
    [FORCE] = {"force", 'f', NULL, "replace FILE; even if the run may go on"},
    {0},
};

/* Names come from the journals: nothing in them may act on the terminal. */
static void add_line(struct ml_buffer *out, const char *name, const char *text)
{
    ml_buffer_printf(out, "  ");
    int used = ml_text_append(out, name, NAME, true);
    ml_text_pad(out, NAME - used);
    ml_buffer_printf(out, " ");
    ml_text_append(out, text, LINE, true);
    ml_buffer_printf(out, "\n");
}

static void add_journal(struct ml_buffer *out, const struct ml_recover_journal *j)
{
    char until[24], torn[16], text[96];
    ml_elapsed_format(until, sizeof until, j->last_ns);
    ml_size_format(torn, sizeof torn, j->torn_B);
    snprintf(text, sizeof text, "until %-9s %s%s%s", until, j->complete ? "complete" : "cut off",
             j->torn_B > 0 ? ", torn off at its end: " : "", j->torn_B > 0 ? torn : "");
    add_line(out, j->node_name, text);
}

static void print_report(const struct ml_recover_report *r)
{
    struct ml_buffer out = {0};
    ml_buffer_printf(&out, "%s: recovered from %zu journal%s\n", r->file, r->n_journals,
                     r->n_journals == 1 ? "" : "s");
    for (size_t i = 0; i < r->n_journals; i++)
        add_journal(&out, &r->journals[i]);
    for (size_t i = 0; i < r->n_missing; i++)
        add_line(&out, r->missing[i], "missing: no journal of it was named");
    for (size_t i = 0; i < r->n_unreadable; i++)
        add_line(&out, "not read", r->unreadable[i]);
    fwrite(out.data, 1, out.length, stdout);
    ml_buffer_free(&out);
}

static void say_elsewhere(const struct ml_recover_report *r, const char *outfile)
{
    if (strcmp(r->file, outfile) != 0)
        ml_log(ML_LOG_WARNING,
               "%.200s was made meanwhile by somebody else; the record is in %.200s", outfile,
               r->file);
}

static int run_recover(const struct ml_command *command, int argc, char **argv)
{
    struct ml_recover_report report = {0};
    struct ml_error err;
    const char *outfile = NULL, *value;
    enum ml_recover_mode mode = ML_RECOVER_SAFE;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0) {
        if (option == OUTFILE)
            outfile = value;
        if (option == FORCE)
            mode = ML_RECOVER_FORCE;
    }
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    if (optind == argc)
        return ml_command_misuse(command, "no journal is named");
    if (!outfile || !*outfile)
        return ml_command_misuse(command, "-o FILE is missing");
    if (ml_recover(argv + optind, (size_t)(argc - optind), outfile, mode, &report, &err)) {
        ml_log(ML_LOG_ERROR, "%s", err.text);
        return ML_EXIT_FAILURE;
    }
    print_report(&report);
    say_elsewhere(&report, outfile);
    int code = report.n_unreadable ? ML_EXIT_FAILURE : ML_EXIT_OK;
    ml_recover_report_free(&report);
    return code;
}

const struct ml_command ml_command_recover = {
    "recover",
    "JOURNALS...",
    "Make the file of a run that died, from journals",
    "The journals of some of the nodes suffice; what is missing is said.\n"
    "\n"
    "  memlog recover run.h5.*.journal -o run.h5\n",
    options,
    run_recover,
};
