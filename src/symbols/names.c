#include "symbols/names.h"

#include "symbols/declaration.h"

#include "base/memory.h"
#include "base/own.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* The C++ runtime's, hence the reserved name; <cxxabi.h> is for C++ only. */
extern char *__cxa_demangle(const char *mangled, char *out, size_t *out_size, /* NOLINT */
                            int *out_status);

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_one_of(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, list[i]) == 0)
            return true;
    }
    return false;
}

/* Where a signal handler returns to, by libc, kernel and debugger. */
static bool is_signal_return(const char *text)
{
    static const char *const names[] = {
        "<signal handler called>", "__restore_rt",       "__restore",
        "__kernel_rt_sigreturn",   "__kernel_sigreturn", "__default_rt_sa_restorer"};
    return is_one_of(text, names, sizeof names / sizeof *names);
}

/* ---- clones ---- */

/* The suffixes of GCC and clang for a part or a variant of a function that is still that function.
 * Not "_omp_fn": a parallel region is a function of its own. */
static bool is_clone_word(const char *word)
{
    static const char *const words[] = {"constprop", "part",       "isra",       "cold",   "clone",
                                        "lto_priv",  "localalias", "llvm",       "__uniq", "cfi",
                                        "argprom",   "argelim",    "specialized"};
    return is_one_of(word, words, sizeof words / sizeof *words);
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == 0;
}

/* The last dot of the first N bytes, but for one at their start. */
static char *last_dot(char *name, size_t n)
{
    return n > 1 ? memrchr(name + 1, '.', n - 1) : NULL;
}

/* Cuts "work.part.1.isra.0" down to "work", and "inner.0", a contained procedure, to "inner". */
static void drop_clones(char *name)
{
    size_t n = strlen(name);
    for (char *dot; (dot = last_dot(name, n)); n = (size_t)(dot - name)) {
        name[n] = 0;
        if (is_number(dot + 1)) {
            char *number = dot;
            dot = last_dot(name, (size_t)(number - name));
            if (!dot && *name != '.') {
                *number = 0;
                return;
            }
            *number = 0;
            if (!dot || !is_clone_word(dot + 1)) {
                *number = '.'; /* "f._omp_fn.0", Go's "main.f.func1.1" */
                return;
            }
        } else if (!is_clone_word(dot + 1)) {
            return;
        }
    }
    name[n] = 0;
}

/* ---- languages ---- */

/* gfortran's "__module_MOD_procedure", and "__module.submodule_MOD_procedure". */
static char *fortran_name(const char *symbol)
{
    static const char infix[] = "_MOD_";
    const char *module = symbol + 2;
    const char *middle = starts(symbol, "__") ? strstr(module, infix) : NULL;
    if (!middle || middle == module || !middle[sizeof infix - 1])
        return NULL;
    return ml_format("%.*s::%s", (int)(middle - module), module, middle + sizeof infix - 1);
}

/* Only for what is mangled: "i" alone would be demangled to "int". */
static char *demangle(const char *symbol)
{
    int status;
    char *text = __cxa_demangle(symbol, NULL, NULL, &status);
    if (text)
        return text;
    ML_AUTO_FREE char *plain = ml_strdup(symbol);
    drop_clones(plain); /* it knows only suffixes of small letters */
    return __cxa_demangle(plain, NULL, NULL, &status);
}

/* Whether TEXT is a declaration of C++, and no word of another language: Go's "main.(*T).f",
 * Objective-C's "-[T f:]". */
static bool is_declaration(const char *text)
{
    return strpbrk(text, " :(<[{") && !strstr(text, ".(") && !starts(text, "-[") &&
           !starts(text, "+[");
}

static char *declared_name(char *text)
{
    char *name = is_declaration(text) ? ml_declaration_name(text) : NULL;
    if (!name)
        return text;
    free(text);
    return name;
}

/* ---- all ---- */

static char *printable(const char *symbol)
{
    char *text = ml_strdup(symbol);
    for (char *p = text; *p; p++) {
        if (iscntrl((unsigned char)*p))
            *p = '?';
    }
    return text;
}

/* Cuts off "@VERSION" and "@@VERSION". True if "@plt", a stub of the linker, is cut off too. */
static bool drop_version(char *symbol)
{
    static const char plt[] = "@plt";
    size_t n = strlen(symbol), tail = sizeof plt - 1;
    bool stub = n > tail && strcmp(symbol + n - tail, plt) == 0;
    char *at = strchr(symbol, '@');
    if (at && at > symbol)
        *at = 0;
    return stub;
}

char *ml_function_name(const char *symbol)
{
    static const char *const unknown[] = {"", "??"};
    if (is_one_of(symbol, unknown, sizeof unknown / sizeof *unknown) ||
        starts(symbol, "___lldb_unnamed_symbol"))
        return ml_strdup("");
    if (is_signal_return(symbol))
        return ml_strdup("<signal handler called>");
    char *text = printable(symbol);
    bool stub = drop_version(text);
    char *plain = starts(text, "_Z") ? demangle(text) : fortran_name(text);
    if (plain) {
        free(text);
        text = plain;
    }
    text = declared_name(text);
    drop_clones(text);
    if (stub) {
        char *name = ml_format("%s@plt", text);
        free(text);
        text = name;
    }
    return text;
}
