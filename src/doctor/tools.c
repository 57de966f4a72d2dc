/* Programs that memlog makes use of where they are. */
#include "base/own.h"
#include "doctor/ask.h"
#include "doctor/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SIGN: in the line that has the version; before it they may complain of this and that. */
static void look_debugger(struct ml_findings *f, char *name, const char *sign)
{
    struct ml_answer answer;
    char line[200], remedy[100];
    ml_ask((char *[]){name, "--version", NULL}, &answer);
    snprintf(remedy, sizeof remedy, "install it for --debugger %s; --pstack does without", name);
    if (!answer.started)
        ml_finding_add(f, ML_FINDING_NOTE, name, remedy, "not in PATH");
    else if (answer.code || !ml_ask_line(answer.text, sign, line, sizeof line))
        ml_finding_add(f, ML_FINDING_NOTE, name, remedy, "does not start");
    else
        ml_finding_add(f, ML_FINDING_OK, name, "", "%s", line);
}

/* A form of picture, and a terminal of gnuplot that draws it. */
static const struct {
    const char *form;
    const char *terminals; /* one of them */
} forms[] = {
    {"windows", " qt wxt x11 "}, {"png", " pngcairo "}, {"svg", " svg "},
    {"pdf", " pdfcairo "},       {"eps", " epscairo "}, {"tex", " tikz "},
};

static bool has_one(const char *there, const char *wanted)
{
    char word[32];
    int n = 0;
    for (const char *p = wanted; sscanf(p, " %30s%n", word, &n) == 1; p += n) {
        char padded[sizeof word + 2];
        snprintf(padded, sizeof padded, " %s ", word);
        if (strstr(there, padded))
            return true;
    }
    return false;
}

/* THERE: gnuplot's terminals, with a blank before and after each. */
static void say_gnuplot(struct ml_findings *f, const char *version, const char *there)
{
    char lacks[100] = "";
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t n = strlen(lacks);
        if (!has_one(there, forms[i].terminals))
            snprintf(lacks + n, sizeof lacks - n, "%s%s", n ? ", " : "", forms[i].form);
    }
    if (strtod(version, NULL) < 5.2)
        ml_finding_add(f, ML_FINDING_NOTE, "gnuplot", "install 5.2 or later",
                       "%s is too old for memlog plot", version);
    else if (*lacks)
        ml_finding_add(f, ML_FINDING_NOTE, "gnuplot",
                       "install gnuplot-qt, or gnuplot-nox where there are no windows",
                       "%s, without terminals for %s", version, lacks);
    else
        ml_finding_add(f, ML_FINDING_OK, "gnuplot", "", "%s draws windows, png, svg, pdf, eps, tex",
                       version);
}

static void look_gnuplot(struct ml_findings *f)
{
    struct ml_answer answer;
    char version[32], names[sizeof answer.text + 2];
    ml_ask((char *[]){"gnuplot", "-d", "-e", "print GPVAL_VERSION; print GPVAL_TERMINALS", NULL},
           &answer);
    ml_ask_version(answer.text, version, sizeof version);
    if (!answer.started) {
        ml_finding_add(f, ML_FINDING_NOTE, "gnuplot",
                       "install gnuplot-qt; .html and .txt do without it",
                       "not in PATH: memlog plot draws no png, svg or pdf");
        return;
    }
    if (answer.code || !*version) {
        ml_finding_add(f, ML_FINDING_NOTE, "gnuplot", "run gnuplot --version", "does not start");
        return;
    }
    snprintf(names, sizeof names, " %s ", answer.text);
    for (char *p = names; *p; p++)
        *p = *p == '\n' ? ' ' : *p;
    say_gnuplot(f, version, names);
}

void ml_doctor_look_tools(struct ml_findings *findings)
{
    look_debugger(findings, "gdb", "GNU gdb");
    look_debugger(findings, "lldb", "lldb version");
    look_gnuplot(findings);
}
