/* One spelling of a function's name, whoever tells it. Pure. */
#ifndef ML_SYMBOLS_NAMES_H
#define ML_SYMBOLS_NAMES_H

/* SYMBOL is a symbol of an ELF file, a linkage name of DWARF, or what gdb or lldb print:
 *   "_ZN2ns5ClassIiE1fEi", "ns::Class<int>::f(int)", "int ns::g<int>(int) const"
 *                                               -> "ns::Class<int>::f", "ns::g<int>"
 *   "__module_MOD_solve" (gfortran), "module::solve"  -> "module::solve"
 *   "memcpy@@GLIBC_2.14", "work.constprop.0", "work.part.1.isra.0", "work[abi:cxx11]"
 *                                               -> "memcpy", "work"
 *   "__restore_rt", "<signal handler called>"   -> "<signal handler called>"
 *   "??", "", "___lldb_unnamed_symbol12$$libc"  -> ""
 * So: demangled, without return type, parameters, qualifiers, clone suffix, version. Operators,
 * conversion operators, destructors, lambdas and anonymous namespaces keep their names. Returns a
 * text that the caller frees; any bytes are allowed in, control bytes come out as '?'. */
char *ml_function_name(const char *symbol);

#endif
