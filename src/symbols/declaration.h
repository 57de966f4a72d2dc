/* The name in a C++ declaration, as the demanglers of GCC and LLVM, gdb and lldb print it. Pure. */
#ifndef ML_SYMBOLS_DECLARATION_H
#define ML_SYMBOLS_DECLARATION_H

/* "void (*ns::f<(E)1>(int))(char)" -> "ns::f<(E)1>": without return type, parameters, qualifiers
 * and ABI tags; "[clone .x]" becomes ".x" behind the name. Spaces in template arguments are put
 * one way: "a<b<int>, void(int)>". NULL if there is no name; else the caller frees it. Takes time
 * in proportion to the length, however the brackets lie. */
char *ml_declaration_name(const char *declaration);

#endif
