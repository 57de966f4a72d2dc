/* Names of functions and files, as DWARF gives them and gdb prints them. */
#ifndef ML_SYMBOLS_DWARF_NAMES_H
#define ML_SYMBOLS_DWARF_NAMES_H

#include <elfutils/libdw.h>

/* The name (as ml_function_name makes it) of the function that ENTRY, a subprogram or a call that
 * was inlined, is an instance of; NULL if it has none. The caller frees it. */
char *ml_dwarf_function_name(Dwarf_Die *entry);

/* FILE, made absolute with the folder in which UNIT was compiled, without "." and "..". The caller
 * frees it. */
char *ml_dwarf_file_name(Dwarf_Die *unit, const char *file);

#endif
