#include "symbols/declaration.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct scan {
    const char *text;
    size_t n;
    size_t *closer; /* by place of an opening bracket: that of its closing one; 0: it has none */
    size_t at;
    struct ml_buffer name; /* what may be the name, so far */
    bool apart;            /* a space came behind it: it is a type if a word follows */
    bool after_operator;   /* it ends with an operator's sign */
};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '.' || (c & 0x80);
}

static bool starts(const struct scan *s, size_t at, const char *with)
{
    return at < s->n && strncmp(s->text + at, with, strlen(with)) == 0;
}

/* ---- operators ---- */

/* Whether an operator's sign may end before TEXT: "operator<<int>" is "operator<" with an argument,
 * as LLVM's demangler writes it. */
static bool may_end_before(const char *text)
{
    return !*text || strchr("(<[: ,>)&@", *text);
}

/* The bytes of "operator" and its sign at AT; 0 if there is none: a conversion, new, delete. */
static size_t operator_length(const struct scan *s, size_t at, const char **out_sign)
{
    static const char *const signs[] = {
        "->*", "<=>", "<<=", ">>=", "()", "[]", "->", "<<", ">>", "<=", ">=", "==", "!=",
        "&&",  "||",  "++",  "--",  "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "<",
        ">",   "+",   "-",   "*",   "/",  "%",  "^",  "&",  "|",  "~",  "!",  "=",  ","};
    static const size_t word = sizeof "operator" - 1;
    if (s->text[at] != 'o' || !starts(s, at, "operator") || (at && is_word(s->text[at - 1])))
        return 0;
    if (starts(s, at + word, "\"\"")) { /* a literal: "operator"" _s" or "operator""_s" */
        *out_sign = "\"\"";
        return word + 2 + strspn(s->text + at + word + 2, " ");
    }
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t length = word + strlen(signs[i]);
        if (starts(s, at + word, signs[i]) && may_end_before(s->text + at + length)) {
            *out_sign = signs[i];
            return length;
        }
    }
    return 0;
}

/* ---- brackets ---- */

static bool fits(char open, char close)
{
    return (open == '(' && close == ')') || (open == '[' && close == ']') ||
           (open == '{' && close == '}') || (open == '<' && close == '>');
}

/* Finds what closes each bracket. '<' and '>' may also be comparisons: such a '<' closes with the
 * bracket around it, such a '>' is alone in it. */
static void match_brackets(struct scan *s)
{
    size_t *open = NULL, n = 0, capacity = 0;
    const char *sign;
    for (size_t i = 0, length; i < s->n; i += length ? length : 1) {
        char c = s->text[i];
        length = operator_length(s, i, &sign);
        if (length)
            continue;
        if (strchr("(<[{", c)) {
            ML_GROW(open, n, capacity);
            open[n++] = i;
        } else if (strchr(")]}>", c) && !(c == '>' && i && s->text[i - 1] == '-')) {
            while (c != '>' && n && s->text[open[n - 1]] == '<')
                n--;
            if (n && fits(s->text[open[n - 1]], c))
                s->closer[open[--n]] = i;
        }
    }
    free(open);
}

/* ---- what goes into the name ---- */

static char last(const struct scan *s)
{
    return s->name.length ? s->name.data[s->name.length - 1] : 0;
}

static void add(struct scan *s, char c)
{
    ml_buffer_append(&s->name, &c, 1);
    s->after_operator = false;
}

static bool at_start_of_word(const struct scan *s)
{
    return !s->name.length || s->apart || last(s) == ':';
}

/* Before a word: what a space parts from it was a type. */
static void begin_word(struct scan *s)
{
    if (s->apart)
        ml_buffer_clear(&s->name);
    s->apart = false;
}

/* Whether a space between what was added last and the text at AT means anything. */
static bool space_counts(const struct scan *s, size_t at)
{
    char before = last(s), c = s->text[at];
    if (c == '(' && !starts(s, at, "(anonymous"))
        return false;
    return !strchr(" <({[", before) && !strchr(" ,*&>)", c);
}

/* Adds the text up to END with its spaces put one way, and without ABI tags. */
static void add_text(struct scan *s, size_t end)
{
    while (s->at < end) {
        char c = s->text[s->at];
        if (c == '[' && starts(s, s->at, "[abi:") && s->closer[s->at]) {
            s->at = s->closer[s->at] + 1;
            continue;
        }
        s->at++;
        if (c == ',') {
            add(s, ',');
            add(s, ' ');
        } else if (c != ' ' || (s->at < end && space_counts(s, s->at))) {
            add(s, c);
        }
    }
}

/* Adds "operator new[]", or a conversion: "operator T" with all of its type. */
static void add_named_operator(struct scan *s)
{
    static const char *const names[] = {"operator new[]", "operator delete[]", "operator new",
                                        "operator delete", "operator co_await"};
    begin_word(s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (starts(s, s->at, names[i]) && !is_word(s->text[s->at + length])) {
            add_text(s, s->at + length);
            return;
        }
    }
    size_t end = s->at; /* up to its "()", which is not that of a type "int (*)()" */
    while (end < s->n && !(starts(s, end, "()") && strncmp(s->text + end - 2, "*)", 2) != 0))
        end++;
    add_text(s, end);
}

/* "'lambda'(int)" and "'lambda0'(int)" of LLVM are "{lambda(int)#1}" and "{lambda(int)#2}". */
static bool add_llvm_lambda(struct scan *s)
{
    if (!starts(s, s->at, "'lambda"))
        return false;
    size_t p = s->at + sizeof "'lambda" - 1;
    unsigned number = isdigit((unsigned char)s->text[p]) ? 2 : 1, counted = 0;
    for (; isdigit((unsigned char)s->text[p]) && counted < 1000000; p++)
        counted = counted * 10 + (unsigned)(s->text[p] - '0');
    if (s->text[p] != '\'' || s->text[p + 1] != '(' || !s->closer[p + 1])
        return false;
    begin_word(s);
    ml_buffer_printf(&s->name, "{lambda");
    s->at = p + 1;
    add_text(s, s->closer[p + 1] + 1);
    ml_buffer_printf(&s->name, "#%u}", number + counted);
    return true;
}

/* ---- parentheses ---- */

/* Behind parameters at P: what qualifies the function. */
static size_t skip_qualifiers(const struct scan *s, size_t p)
{
    static const char *const words[] = {" const", " volatile", " noexcept", " &&", " &"};
    for (bool found = true; found;) {
        found = false;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            if (starts(s, p, words[i])) {
                p += strlen(words[i]);
                found = true;
            }
        }
    }
    return p;
}

/* "(*f(int))(char)", "(Class::*f(int))(char)": goes to the f of a function that returns a pointer
 * to one. */
static bool enter_declarator(struct scan *s)
{
    size_t p = s->at + 1;
    while (p < s->n &&
           (is_word(s->text[p]) || s->text[p] == ':' || (s->text[p] == '<' && s->closer[p])))
        p = s->text[p] == '<' ? s->closer[p] + 1 : p + 1;
    if (p >= s->n || (s->text[p] != '*' && s->text[p] != '&'))
        return false;
    ml_buffer_clear(&s->name);
    s->apart = false;
    s->at = p + 1;
    return true;
}

/* False: the name has ended. */
static bool take_parenthesis(struct scan *s)
{
    static const char decltype[] = "decltype";
    size_t end = s->closer[s->at];
    if (s->name.length == sizeof decltype - 1 &&
        memcmp(s->name.data, decltype, s->name.length) == 0) {
        s->apart = false;
        add_text(s, end ? end + 1 : s->n);
        return true;
    }
    if (at_start_of_word(s)) {
        if (end && (starts(s, end + 1, "::") || starts(s, s->at, "(anonymous"))) {
            begin_word(s);
            add_text(s, end + 1);
            return true;
        }
        if (enter_declarator(s))
            return true;
    }
    if (!end)
        return false;
    s->at = skip_qualifiers(s, end + 1);
    s->apart = false;
    return starts(s, s->at, "::"); /* something local to this function */
}

/* ---- the whole ---- */

static bool take_bracket(struct scan *s, char c)
{
    size_t end = s->closer[s->at] + 1;
    if (c == '[' && starts(s, s->at, "[clone "))
        return false;
    if (c == '<' && s->after_operator) { /* "operator<< <int>" */
        s->apart = false;
        if (last(s) == '<')
            add(s, ' ');
    } else if (c == '{' || (c == '<' && at_start_of_word(s))) {
        begin_word(s);
    }
    if (c == '<' && starts(s, s->at, "<lambda(")) { /* gdb's spelling */
        add(s, '{');
        s->at++;
        add_text(s, end - 1);
        add(s, '}');
        s->at = end;
        return true;
    }
    add_text(s, end);
    return true;
}

/* Takes what is next. False: the name has ended. */
static bool step(struct scan *s)
{
    const char *sign;
    char c = s->text[s->at];
    size_t length = operator_length(s, s->at, &sign);
    if (length) {
        begin_word(s);
        ml_buffer_printf(&s->name, "operator%s", sign);
        s->after_operator = true;
        s->at += length;
        return true;
    }
    if (c == 'o' && starts(s, s->at, "operator ") && !(s->at && is_word(s->text[s->at - 1]))) {
        add_named_operator(s);
        return true;
    }
    if (c == '(')
        return take_parenthesis(s);
    if (strchr("<[{", c) && s->closer[s->at])
        return take_bracket(s, c);
    if (c == '\'' && add_llvm_lambda(s))
        return true;
    if (c == ')')
        return false;
    s->at++;
    if (c == ' ') {
        s->apart = true;
    } else if (c == '*' || c == '&') { /* what came was a type */
        ml_buffer_clear(&s->name);
        s->apart = false;
    } else {
        begin_word(s);
        add(s, c);
    }
    return true;
}

/* "[clone .cold]" of GCC's demangler and "(.cold)" of LLVM's. */
static void add_clones(struct scan *s)
{
    for (; s->at < s->n; s->at++) {
        bool gcc = starts(s, s->at, "[clone ."), llvm = starts(s, s->at, "(.");
        if ((gcc || llvm) && s->closer[s->at]) {
            size_t from = s->at + (gcc ? sizeof "[clone" : 1);
            ml_buffer_append(&s->name, s->text + from, s->closer[s->at] - from);
        }
    }
}

char *ml_declaration_name(const char *declaration)
{
    static const char *const kept[] = {"non-virtual thunk to ",      "virtual thunk to ",
                                       "covariant return thunk to ", "TLS init function for ",
                                       "TLS wrapper function for ",  "transaction clone for "};
    const char *prefix = "";
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (strncmp(declaration, kept[i], strlen(kept[i])) == 0)
            prefix = kept[i];
    }
    declaration += strlen(prefix);
    struct scan s = {.text = declaration, .n = strlen(declaration)};
    s.closer = ml_realloc_array(NULL, s.n + 1, sizeof *s.closer);
    memset(s.closer, 0, (s.n + 1) * sizeof *s.closer);
    match_brackets(&s);
    while (s.at < s.n && step(&s)) {
    }
    char *name = NULL;
    if (s.name.length) {
        add_clones(&s);
        ml_buffer_append(&s.name, "", 1);
        name = ml_format("%s%s", prefix, s.name.data);
    }
    ml_buffer_free(&s.name);
    free(s.closer);
    return name;
}
