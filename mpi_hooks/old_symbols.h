/* Functions that glibc moved between its libraries under a new version: bound to the old one, which
 * all have. The compiler puts it before each file of the preloaded libraries. */
#ifndef ML_HOOKS_OLD_SYMBOLS_H
#define ML_HOOKS_OLD_SYMBOLS_H

#if defined __x86_64__
#define ML_OLDEST "GLIBC_2.2.5"
#elif defined __aarch64__
#define ML_OLDEST "GLIBC_2.17"
#endif

#ifdef ML_OLDEST
__asm__(".symver dlsym, dlsym@" ML_OLDEST);
__asm__(".symver dlopen, dlopen@" ML_OLDEST);
__asm__(".symver dlerror, dlerror@" ML_OLDEST);
__asm__(".symver dladdr, dladdr@" ML_OLDEST);
#endif

#endif
