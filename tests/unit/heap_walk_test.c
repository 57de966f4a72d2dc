/* Stacks that the walker of the heap's library takes, against those of the compiler's library
 * (libgcc_s).
 */
#include "heap_walk_same.h"
#include "heap_walk_shapes.h"
#include "mpi_hooks/heap/walk.h"

#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef HEAP_WALK_OLD_LINKER /* linked with --wrap=dlsym: as if glibc were older than 2.35 */
void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);

void *__wrap_dlsym(void *handle, const char *name)
{
    return strcmp(name, "_dl_find_object") == 0 ? NULL : __real_dlsym(handle, name);
}
#endif

static void *map_pages(size_t size_B)
{
    // cppcheck-suppress invalidFunctionArg
    return mmap(NULL, size_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void call_all(const struct shapes *s, hook *call)
{
    s->recurse(call, 0);
    s->recurse(call, 1);
    s->recurse(call, 200);
    for (int i = 1; i < 100000; i *= 7)
        s->with_alloca(call, i);
    s->aligned(call);
    for (int i = 1; i < 100000; i *= 7)
        s->aligned_with_alloca(call, i);
    s->many_registers(call, 7);
    s->big_frame(call);
    s->tail(call);
    s->sorted(call);
}

static void functions_of_all_shapes(void **context)
{
    (void)context;
    for (int i = 0; i < 3; i++) { /* known from the second time on */
        call_all(&shapes_with_pointers, compare_walks);
        call_all(&shapes_without_pointers, compare_walks);
    }
    assert_all_same(60);
}

static const struct shapes *mixed_now;

static void mixed_inner(void)
{
    mixed_now->aligned_with_alloca(compare_walks, 100);
}

static void mixed_middle(void)
{
    asm_with_table(mixed_inner);
}

static void mixed_outer(void)
{
    mixed_now->many_registers(mixed_middle, 3);
}

static void shapes_in_each_other(void **context)
{
    (void)context;
    mixed_now = &shapes_without_pointers;
    shapes_with_pointers.sorted(mixed_outer);
    mixed_now = &shapes_with_pointers;
    shapes_without_pointers.sorted(mixed_outer);
    assert_all_same(2);
}

static void as_many_as_there_is_room_for(void **context)
{
    uintptr_t pcs[8] = {0};
    (void)context;
    assert_int_equal(ml_heap_walk(pcs, 0), 0);
    assert_int_equal(pcs[0], 0);
    assert_int_equal(ml_heap_walk(pcs, 2), 2);
    assert_true(pcs[1] != 0);
    assert_int_equal(pcs[2], 0);
}

static jmp_buf back;

static void compare_and_jump(void)
{
    compare_walks();
    longjmp(back, 1);
}

static void a_call_is_the_last_instruction(void **context)
{
    (void)context;
    if (!setjmp(back))
        shapes_without_pointers.without_return(compare_and_jump);
    if (!setjmp(back))
        shapes_with_pointers.without_return(compare_and_jump);
    assert_all_same(2);
}

static void a_register_that_few_rules_need(void **context)
{
    (void)context;
    asm_by_rbx(compare_walks);
    mixed_now = &shapes_without_pointers;
    asm_by_rbx(mixed_outer);
    assert_all_same(2);
}

/* The frame pointer leads on where there is no table. */
static void assembly_with_a_frame_pointer_only(void **context)
{
    (void)context;
    asm_with_pointer_only(walk_only);
    assert_true(last_walk_has((void *)asm_with_pointer_only, 24));
    assert_true(last_walk_has((void *)assembly_with_a_frame_pointer_only, 200));
}

static void call_without_table(void)
{
    asm_without_table(walk_only);
}

static void assembly_without_anything_ends_it(void **context)
{
    (void)context;
    shapes_without_pointers.recurse(call_without_table, 3);
    assert_true(last_walk_has((void *)asm_without_table, 16));
}

/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
static const unsigned char made_code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};

static void code_made_at_run_time(void **context)
{
    (void)context;
    unsigned char *code = map_pages(4096);
    memcpy(code, made_code, sizeof made_code);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    void (*made)(hook *) = (void (*)(hook *))code;
    made(walk_only);
    assert_true(last_walk_has(code, sizeof made_code));
    assert_true(last_walk_has((void *)code_made_at_run_time, 400));
    size_t n = n_last_walk;
    compare_walks();
    assert_int_equal(n, n_last_walk + 1);
    assert_all_same(1);
    munmap(code, 4096);
}

static void on_signal(int number)
{
    (void)number;
    compare_walks();
}

static void raise_one(void)
{
    raise(SIGUSR1);
}

static void in_signal_handlers(void **context)
{
    (void)context;
    static char alternate[1 << 16];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    call_all(&shapes_without_pointers, raise_one);
    action.sa_flags = SA_ONSTACK;
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    call_all(&shapes_without_pointers, raise_one);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    assert_all_same(40);
}

static void *load(const char *path)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        fail_msg("%s", dlerror());
    ml_heap_walk_refresh();
    return library;
}

static _Atomic int n_steps;

static void on_step(int number)
{
    (void)number;
    n_steps++;
    compare_walks();
}

/* Each instruction on the way is interrupted. */
static void interrupted(hook *call)
{
    struct sigaction action = {.sa_handler = on_step}, before;
    sigaction(SIGTRAP, &action, &before);
    asm_interrupt_each(call);
    sigaction(SIGTRAP, &before, NULL);
}

static void skip_without_steps(void)
{
    if (n_steps == 0) {
        print_message("skipped: instructions are not stepped through here, as in valgrind\n");
        skip();
    }
}

static void nothing(void)
{
    __asm__ volatile("");
}

static void step_shapes(void)
{
    const struct shapes *all[] = {&shapes_with_pointers, &shapes_without_pointers};
    for (int i = 0; i < 2; i++) {
        all[i]->recurse(nothing, 2);
        all[i]->with_alloca(nothing, 100);
        all[i]->aligned(nothing);
        all[i]->aligned_with_alloca(nothing, 100);
        all[i]->many_registers(nothing, 5);
        all[i]->tail(nothing);
        all[i]->sorted(nothing);
    }
    asm_with_table(nothing);
    asm_by_rbx(nothing);
}

static void at_each_instruction(void **context)
{
    (void)context;
    interrupted(step_shapes);
    skip_without_steps();
    assert_true(n_steps > 500);
    assert_all_same(500);
}

static void step_library(void)
{
    char text[64];
    void *library = load(HEAP_WALK_PLUGINS "/heap_walk_plugin.so");
    ((hook *)dlsym(library, "plugin_call_chosen"))();
    dlclose(library);
    snprintf(text, sizeof text, "%.17g %s %ld", strtod("0.1", NULL), "text", 42L);
    free(malloc(100000));
}

/* Through the dynamic linker and the C library. Not through a throw: libgcc crashes where
 * _Unwind_RaiseException has moved its stack (12.2). */
static void at_each_instruction_of_libraries(void **context)
{
    (void)context;
#ifdef __SANITIZE_ADDRESS__
    print_message("skipped: AddressSanitizer does millions of instructions there\n");
    skip();
#endif
    n_steps = 0;
    interrupted(step_library);
    skip_without_steps();
    assert_true(n_steps > 5000);
    assert_all_same(5000);
}

static void *work(void *argument)
{
    (void)argument;
    for (int i = 0; i < 50; i++) {
        call_all(&shapes_with_pointers, compare_walks);
        call_all(&shapes_without_pointers, compare_walks);
    }
    return NULL;
}

static void in_threads(void **context)
{
    (void)context;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_all_same(4 * 50 * 20);
}

static void compare_at_end(void *argument)
{
    (void)argument;
    compare_walks();
}

static void *exit_early(void *argument)
{
    pthread_cleanup_push(compare_at_end, NULL);
    pthread_exit(argument);
    pthread_cleanup_pop(1);
}

static void while_a_thread_unwinds(void **context)
{
    (void)context;
    pthread_t thread;
    pthread_create(&thread, NULL, exit_early, NULL);
    pthread_join(thread, NULL);
    assert_all_same(1);
}

static ucontext_t outside, coroutine;

static void coroutine_body(void)
{
    for (;;) {
        call_all(&shapes_without_pointers, compare_walks);
        swapcontext(&coroutine, &outside);
    }
}

/* Its stack is another one each time, as large as before or not, and the one before is gone. */
static void in_coroutines(void **context)
{
    (void)context;
    for (int i = 0; i < 4; i++) {
        size_t size_B = (size_t)(1 << 20) << (i % 2);
        void *stack = map_pages(size_B);
        getcontext(&coroutine);
        coroutine.uc_stack.ss_sp = stack;
        coroutine.uc_stack.ss_size = size_B;
        makecontext(&coroutine, coroutine_body, 0);
        swapcontext(&outside, &coroutine);
        swapcontext(&outside, &coroutine);
        munmap(stack, size_B);
    }
    assert_all_same(4 * 20);
}

static void in_loaded_libraries(void **context)
{
    (void)context;
    const char *paths[] = {HEAP_WALK_PLUGINS "/heap_walk_plugin.so",
                           HEAP_WALK_PLUGINS "/heap_walk_plugin2.so"};
    for (int i = 0; i < 6; i++) { /* each where the other was */
        void *library = load(paths[i % 2]);
        void (*call)(hook *) = (void (*)(hook *))dlsym(library, "plugin_call");
        call(compare_walks);
        shapes_without_pointers.sorted(compare_walks);
        dlclose(library);
        ml_heap_walk_refresh();
    }
    assert_all_same(12);
}

static void called_by_the_dynamic_linker(void **context)
{
    (void)context;
    void *library = load(HEAP_WALK_PLUGINS "/heap_walk_plugin.so");
    hook **to_call = dlsym(library, "plugin_hook");
    *to_call = compare_walks;
    ((hook *)dlsym(library, "plugin_call_chosen"))();
    assert_all_same(1);
    assert_true(last_walk_has(dlsym(library, "plugin_call_chosen"), 16));
    dlclose(library);
    ml_heap_walk_refresh();
}

static void while_exceptions_fly(void **context)
{
    (void)context;
#ifndef HEAP_WALK_THROWS
    print_message("skipped: no C++ compiler\n");
    skip();
#else
    void *library = load(HEAP_WALK_PLUGINS "/heap_walk_throw.so");
    void (*throw_and_call)(hook *) = (void (*)(hook *))dlsym(library, "throw_and_call");
    throw_and_call(compare_walks);
    assert_all_same(6);
#endif
}

/* Whatever stands where a return address or a frame should be: it ends. The test is that we are
 * still here. */
static void smashed_stacks(void **context)
{
    (void)context;
    static char data[4096];
    char *hole = map_pages(3 * 4096);
    mprotect(hole + 4096, 4096, PROT_NONE);
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    const uintptr_t places[] = {0,
                                1,
                                8,
                                4096,
                                UINTPTR_MAX,
                                UINTPTR_MAX - 7,
                                UINTPTR_MAX - 15,
                                (uintptr_t)1 << 47,
                                (uintptr_t)1 << 63,
                                0xdeadbeefdeadbeef,
                                (uintptr_t)data,
                                (uintptr_t)data + 4088,
                                (uintptr_t)hole,
                                (uintptr_t)hole + 4080,
                                (uintptr_t)hole + 4088,
                                (uintptr_t)hole + 4096,
                                (uintptr_t)hole + 8192,
                                here,
                                here + 3,
                                here - 8,
                                here - 4096,
                                here + (64 << 20),
                                (uintptr_t)smashed_stacks,
                                (uintptr_t)smashed_stacks + 1,
                                (uintptr_t)memcpy,
                                (uintptr_t)environ,
                                0xffffffffff600000};
    memset(hole, 0x55, 4096);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (uintptr_t j = 0; j < 3; j++) {
            asm_return_to(walk_only, places[i] + j);
            assert_true(n_last_walk >= 2 && n_last_walk < SAME_MAX);
            asm_frame_at(walk_only, places[i] + j * 8);
            assert_true(n_last_walk >= 2 && n_last_walk < SAME_MAX);
        }
    munmap(hole, 3 * 4096);
}

/* A frame that leads back to itself. */
static void circles_end(void **context)
{
    (void)context;
    uintptr_t circle[4];
    circle[0] = circle[2] = (uintptr_t)circle;
    circle[1] = circle[3] = (uintptr_t)__builtin_return_address(0);
    asm_frame_at(walk_only, (uintptr_t)circle);
    assert_true(n_last_walk >= 2 && n_last_walk < SAME_MAX);
}

static void expect_child(void (*body)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void compare_in_child(void)
{
    call_all(&shapes_without_pointers, compare_walks);
    assert_all_same(20);
}

static void in_a_forked_child(void **context)
{
    (void)context;
    expect_child(compare_in_child);
}

/* Where a container's filter forbids process_vm_readv. */
static void forbid_and_compare(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    void *arguments[1] = {NULL};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return;
    in_coroutines(arguments);
    smashed_stacks(arguments);
    in_threads(arguments);
}

static void where_reading_is_forbidden(void **context)
{
    (void)context;
    expect_child(forbid_and_compare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_all_shapes),
        cmocka_unit_test(shapes_in_each_other),
        cmocka_unit_test(as_many_as_there_is_room_for),
        cmocka_unit_test(a_call_is_the_last_instruction),
        cmocka_unit_test(a_register_that_few_rules_need),
        cmocka_unit_test(assembly_with_a_frame_pointer_only),
        cmocka_unit_test(assembly_without_anything_ends_it),
        cmocka_unit_test(code_made_at_run_time),
        cmocka_unit_test(in_signal_handlers),
        cmocka_unit_test(at_each_instruction),
        cmocka_unit_test(at_each_instruction_of_libraries),
        cmocka_unit_test(in_threads),
        cmocka_unit_test(while_a_thread_unwinds),
        cmocka_unit_test(in_coroutines),
        cmocka_unit_test(in_loaded_libraries),
        cmocka_unit_test(called_by_the_dynamic_linker),
        cmocka_unit_test(while_exceptions_fly),
        cmocka_unit_test(smashed_stacks),
        cmocka_unit_test(circles_end),
        cmocka_unit_test(in_a_forked_child),
        cmocka_unit_test(where_reading_is_forbidden),
    };
    ml_heap_walk_open();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
