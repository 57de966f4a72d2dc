/* What the programs with known stacks share. Each function of a chain says its own name when it is
 * entered; a thread that has come to the end of its chain calls stacks_stay, which prints
 *
 *   expect TID main;outer;inner      outermost first; "name (inlined)"; "one/or another";
 *                                    "MODULE+0xADDRESS", "MODULE+?"
 *   blocked TID nanosleep            by which call of the C library, if by any
 *
 * and once all threads have done so `ready`. It stays there, blocked or busy, until a line or the
 * end comes on stdin: then the program prints `done` and exits with 0. */
#ifndef STACKS_H
#define STACKS_H

#ifdef __cplusplus
extern "C" {
#endif

/* PROGRAM hold|spin [nanosleep|poll|futex|read|stdio|pause]: THREADS of them will come to stay; if
 * the arguments do not say how they hold, it is HOLD. */
void stacks_begin(int argc, char **argv, int threads, const char *hold);
void stacks_enter(const char *name);
void stacks_leave(void);
/* For a program without names: the place in its caller where a function will return to. */
void stacks_enter_at(void *return_address);
/* stacks_stay without what it does: for programs that stay in a function of their own. */
void stacks_announce(const char *blocked_by);
int stacks_spins(void); /* whether the argument was spin */
void stacks_stay(void);

#ifdef __cplusplus
}
#endif

/* LEAVE follows the last call of a function: it keeps the compiler from jumping to it instead. */
#ifdef WITHOUT_NAMES
#define ENTER() stacks_enter_at(__builtin_return_address(0))
#else
#define ENTER() stacks_enter(__func__)
#endif
#define LEAVE() stacks_leave()
#ifdef __clang__
#define CALLED __attribute__((noinline))
#else
#ifdef __clang__
#define CALLED __attribute__((noinline))
#else
#define CALLED __attribute__((noinline, noclone))
#endif
#endif

#endif
