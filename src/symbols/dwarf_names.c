#include "symbols/dwarf_names.h"

#include "symbols/dwarf_units.h"
#include "symbols/names.h"

#include "base/memory.h"
#include "base/own.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 64, /* of entries in each other */
    STEPS_MAX = 16, /* from an instance of a function to where it is declared */
};

static const char *text_of(Dwarf_Die *entry, unsigned attribute)
{
    Dwarf_Attribute a;
    return dwarf_formstring(dwarf_attr_integrate(entry, attribute, &a));
}

/* ---- what a function is declared in ---- */

/* The entries from UNIT down to the one at OFFSET, which is not one of them. Entries lie in the
 * order of their offsets, each behind its parent. */
static size_t find_parents(Dwarf_Die *unit, Dwarf_Off offset, Dwarf_Die *parents)
{
    Dwarf_Die entry = *unit, next;
    for (size_t depth = 0; depth < DEPTH_MAX;) {
        for (next = entry; ml_dwarf_next(&next) && dwarf_dieoffset(&next) <= offset;)
            entry = next;
        if (dwarf_dieoffset(&entry) == offset)
            return depth;
        parents[depth++] = entry;
        if (dwarf_child(&entry, &next) != 0)
            break;
        entry = next;
    }
    return 0;
}

/* The entry of which ENTRY is an instance or which it specifies, at the end of the chain. */
static Dwarf_Die declaration_of(Dwarf_Die entry)
{
    Dwarf_Attribute a;
    Dwarf_Die next;
    for (int i = 0; i < STEPS_MAX; i++) {
        if (!dwarf_formref_die(dwarf_attr(&entry, DW_AT_abstract_origin, &a), &next) &&
            !dwarf_formref_die(dwarf_attr(&entry, DW_AT_specification, &a), &next))
            break;
        entry = next;
    }
    return entry;
}

static bool is_fortran(int language)
{
    return language == DW_LANG_Fortran77 || language == DW_LANG_Fortran90 ||
           language == DW_LANG_Fortran95 || language == DW_LANG_Fortran03 ||
           language == DW_LANG_Fortran08;
}

static bool is_c(int language)
{
    return language == DW_LANG_C || language == DW_LANG_C89 || language == DW_LANG_C99 ||
           language == DW_LANG_C11 || language == DW_LANG_Mips_Assembler;
}

/* The word that gdb puts before the names in PARENT; NULL if none. Sets *OUT_ENDS where nothing
 * further out counts. */
static const char *prefix_of(Dwarf_Die *parent, int language, bool *out_ends)
{
    const char *name = text_of(parent, DW_AT_name);
    *out_ends = false;
    switch (dwarf_tag(parent)) {
    case DW_TAG_namespace:
        return name ? name : "(anonymous namespace)";
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_interface_type:
    case DW_TAG_module:
        return name;
    case DW_TAG_subprogram: /* a contained procedure is called after its host alone */
        *out_ends = true;
        return is_fortran(language) ? name : NULL;
    default:
        return NULL;
    }
}

/* "ns::Class::f" of an entry f, from its name and its parents' ones. */
static char *qualified_name(Dwarf_Die *entry, int language)
{
    const char *own = text_of(entry, DW_AT_name);
    if (!own)
        return NULL;
    char *name = ml_strdup(own);
    Dwarf_Die parents[DEPTH_MAX], declaration = declaration_of(*entry), unit;
    if (is_c(language) || !dwarf_diecu(&declaration, &unit, NULL, NULL))
        return name;
    size_t n = find_parents(&unit, dwarf_dieoffset(&declaration), parents);
    bool ends = false;
    for (size_t i = n; i > 0 && !ends; i--) {
        const char *prefix = prefix_of(&parents[i - 1], language, &ends);
        if (!prefix)
            continue;
        char *longer = ml_format("%s::%s", prefix, name);
        free(name);
        name = longer;
    }
    return name;
}

/* ---- functions ---- */

/* The name that the linker knows, which gdb prints too ("__GI___nanosleep"), demangled. NULL if
 * ENTRY has none, or nobody can demangle it (GCC's demangler takes no more than 1024 bytes). */
static char *linkage_name(Dwarf_Die *entry)
{
    const char *name = text_of(entry, DW_AT_linkage_name);
    if (!name)
        name = text_of(entry, DW_AT_MIPS_linkage_name);
    if (!name)
        return NULL;
    char *plain = ml_function_name(name);
    if (strncmp(plain, "_Z", 2) != 0)
        return plain;
    free(plain);
    return NULL;
}

char *ml_dwarf_function_name(Dwarf_Die *entry)
{
    Dwarf_Die unit;
    int language = dwarf_diecu(entry, &unit, NULL, NULL) ? dwarf_srclang(&unit) : -1;
    bool has_own = is_fortran(language) || language == DW_LANG_Rust; /* "solve", not "solve_" */
    char *name = has_own ? NULL : linkage_name(entry);
    if (name)
        return name;
    ML_AUTO_FREE char *qualified = qualified_name(entry, language);
    return qualified ? ml_function_name(qualified) : NULL;
}

/* ---- files ---- */

/* Takes out "//", "/." and "/.." of an absolute path, in place. */
static void shorten(char *path)
{
    char *out = path;
    for (const char *p = path; *p;) {
        size_t n = 1 + strcspn(p + 1, "/"); /* "/part" */
        if (n == 3 && strncmp(p, "/..", 3) == 0) {
            while (out > path && *--out != '/') {
            }
        } else if (n > 1 && !(n == 2 && p[1] == '.')) {
            memmove(out, p, n);
            out += n;
        }
        p += n;
    }
    if (out == path)
        *out++ = '/';
    *out = 0;
}

char *ml_dwarf_file_name(Dwarf_Die *unit, const char *file)
{
    const char *folder = text_of(unit, DW_AT_comp_dir);
    if (*file != '/' && (!folder || *folder != '/'))
        return ml_strdup(file);
    char *path = *file == '/' ? ml_strdup(file) : ml_format("%s/%s", folder, file);
    shorten(path);
    return path;
}
