/* MARK(here): a symbol mark_here at this place of the code. */
#define MARK(name)                                                                                 \
    __asm__ volatile(".globl mark_" #name "\n.hidden mark_" #name "\nmark_" #name ":\n\tnop")
#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif
#define INLINE static inline __attribute__((always_inline))
