#include "symbols/names.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct name {
    const char *symbol, *function;
};

static void compare(const struct name *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ML_AUTO_FREE char *function = ml_function_name(names[i].symbol);
        if (strcmp(function, names[i].function) != 0)
            print_error("of %s\n", names[i].symbol);
        assert_string_equal(function, names[i].function);
        ML_AUTO_FREE char *again = ml_function_name(function);
        assert_string_equal(again, function);
    }
}

#define COMPARE(...)                                                                               \
    static const struct name names[] = {__VA_ARGS__};                                              \
    compare(names, sizeof names / sizeof *names)

static void test_plain(void **state)
{
    (void)state;
    COMPARE({"main", "main"},                                       //
            {"", ""},                                               //
            {"??", ""},                                             //
            {"___lldb_unnamed_symbol12$$libc.so.6", ""},            //
            {"___lldb_unnamed_symbol4711", ""},                     //
            {"__restore_rt", "<signal handler called>"},            //
            {"__kernel_rt_sigreturn", "<signal handler called>"},   //
            {"<signal handler called>", "<signal handler called>"}, //
            {"memcpy@@GLIBC_2.14", "memcpy"},                       //
            {"memcpy@GLIBC_2.2.5", "memcpy"},                       //
            {"memcpy@plt", "memcpy@plt"},                           //
            {"memcpy@@GLIBC_2.14@plt", "memcpy@plt"},               //
            {"@", "@"},                                             //
            {"work.constprop.0", "work"},                           //
            {"work.part.1.isra.0", "work"},                         //
            {"work.cold", "work"},                                  //
            {"work.isra.0.cold", "work"},                           //
            {"work.lto_priv.12", "work"},                           //
            {"work.llvm.1234567890123", "work"},                    //
            {"work.localalias", "work"},                            //
            {"nested.1234", "nested"},                              //
            {"main._omp_fn.0", "main._omp_fn.0"},                   //
            {"main._omp_fn.3.constprop.0", "main._omp_fn.3"},       //
            {".omp_outlined.", ".omp_outlined."},                   //
            {".cold", ".cold"},                                     //
            {".0", ".0"},                                           //
            {"..", ".."},                                           //
            {"__libc_start_call_main", "__libc_start_call_main"},   //
            {"_GLOBAL__sub_I_main", "_GLOBAL__sub_I_main"},         //
            {"_Z", "_Z"},                                           //
            {"_Zonk", "_Zonk"},                                     //
            {"i", "i"});
}

/* What gfortran 12 makes, and what gdb and lldb say of it. */
static void test_fortran(void **state)
{
    (void)state;
    COMPARE({"__mod_MOD_solve", "mod::solve"},                     //
            {"mod::solve", "mod::solve"},                          //
            {"__mod_MOD___copy_mod_T", "mod::__copy_mod_T"},       //
            {"__mod.smod_MOD_hidden", "mod.smod::hidden"},         //
            {"mod.smod::hidden", "mod.smod::hidden"},              //
            {"__mod_MOD_solve.constprop.0.isra.0", "mod::solve"},  //
            {"__mod_MOD_solve._omp_fn.1", "mod::solve._omp_fn.1"}, //
            {"prog::MAIN__._omp_fn.0", "prog::MAIN__._omp_fn.0"},  //
            {"meth::inner", "meth::inner"},                        //
            {"inner.0", "inner"},                                  //
            {"inner.0.constprop.0", "inner"},                      //
            {"MAIN__", "MAIN__"},                                  //
            {"solve_", "solve_"},                                  //
            {"__MOD_x", "__MOD_x"},                                //
            {"___MOD_", "___MOD_"},                                //
            {"__a_MOD_", "__a_MOD_"});
}

static void test_mangled(void **state)
{
    (void)state;
    COMPARE({"_ZN2ns5ClassIiE1fEi", "ns::Class<int>::f"},                                  //
            {"_ZN2ns1gIiEEiv", "ns::g<int>"},                                              //
            {"_Z4workv.constprop.0", "work"},                                              //
            {"_Z4workv.lto_priv.0", "work"},                                               //
            {"_Z4workv.part.0.isra.0.cold", "work"},                                       //
            {"_Z4workv._omp_fn.0", "work._omp_fn.0"},                                      //
            {"_Z3abiB5cxx11v", "abi"},                                                     //
            {"_ZN2ns2enILNS_1EE1EiEEvT0_", "ns::en<(ns::E)1, int>"},                       //
            {"_ZN2ns2fpIiEEPFvcET_", "ns::fp<int>"},                                       //
            {"_ZN2ns2daIiEEDcT_", "ns::da<int>"},                                          //
            {"_ZN2nsltIiEEbT_NS_1EE", "ns::operator< <int>"},                              //
            {"_ZN2ns5ClassIiElsEi", "ns::Class<int>::operator<<"},                         //
            {"_ZN2ns5ClassIiEclEi", "ns::Class<int>::operator()"},                         //
            {"_ZNK2ns5ClassIiEcvNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEEv",   //
             "ns::Class<int>::operator std::__cxx11::basic_string<char, "                  //
             "std::char_traits<char>, std::allocator<char>>"},                             //
            {"_ZNK2ns5ClassIiE1gIdEEDTplfp_Li1EET_", "ns::Class<int>::g<double>"},         //
            {"_ZN2ns12_GLOBAL__N_16hiddenEi", "ns::(anonymous namespace)::hidden"},        //
            {"_ZN12_GLOBAL__N_11fEv", "(anonymous namespace)::f"},                         //
            {"_ZZ4mainENKUliE0_clEi", "main::{lambda(int)#2}::operator()"},                //
            {"_ZZ4mainENKUlT_E1_clIiEEDaS_", "main::{lambda(auto:1)#3}::operator()<int>"}, //
            {"_ZZN2ns1fEiENKUlvE_clEv", "ns::f::{lambda()#1}::operator()"},                //
            {"_ZThn8_N1DD0Ev", "non-virtual thunk to D::~D"},                              //
            {"_ZN1DD2Ev", "D::~D"},                                                        //
            {"_Znam", "operator new[]"},                                                   //
            {"_ZdlPv", "operator delete"},                                                 //
            {"_Znwm@@GLIBCXX_3.4", "operator new"},                                        //
            {"_ZN1AptEv", "A::operator->"},                                                //
            {"_ZN1AcvPFivEEv", "A::operator int(*)()"},                                    //
            {"_ZN1AcviEv", "A::operator int"},                                             //
            {"_ZN2ns1fEi@plt", "ns::f@plt"},                                               //
            {"_Zli2_sPKcm", "operator\"\"_s"});
}

/* The same functions as gdb and lldb write them, in frames and in full. */
static void test_declarations(void **state)
{
    (void)state;
    COMPARE(
        {"ns::Class<int>::f(int)", "ns::Class<int>::f"},                                          //
        {"int ns::g<int>(int) const", "ns::g<int>"},                                              //
        {"unsigned long ns::g<unsigned long>(unsigned long)", "ns::g<unsigned long>"},            //
        {"void ns::en<(ns::E)1, int>(int)", "ns::en<(ns::E)1, int>"},                             //
        {"void (*ns::fp<int>(int))(char)", "ns::fp<int>"},                                        //
        {"int (*(*f<int>(int))(int))(char)", "f<int>"},                                           //
        {"int (A<int>::*f<int>(int))(char)", "f<int>"},                                           //
        {"int (&f<int>(int)) [3]", "f<int>"},                                                     //
        {"decltype(auto) ns::da<int>(int)", "ns::da<int>"},                                       //
        {"decltype ({parm#1}+(1)) ns::C<int>::g<double>(double) const", "ns::C<int>::g<double>"}, //
        {"decltype(fp + (1)) ns::C<int>::g<double>(double) const", "ns::C<int>::g<double>"},      //
        {"(anonymous namespace)::f(int)", "(anonymous namespace)::f"},                            //
        {"(anonymous namespace)::T f<int>(int)", "f<int>"},                                       //
        {"ns::(anonymous namespace)::f", "ns::(anonymous namespace)::f"},                         //
        {"abi[abi:cxx11]()", "abi"},                                                              //
        {"D::name[abi:cxx11](char const*)", "D::name"},                                           //
        {"std::function<void (int)>::operator()(int) const",
         "std::function<void(int)>::operator()"},         //
        {"f<(1>2), a<b>>(int)", "f<(1>2), a<b>>"},        //
        {"a<b< c >,d>::e", "a<b<c>, d>::e"},              //
        {"f<int,char const *>()", "f<int, char const*>"}, //
        {"main()::T::f(int)", "main::T::f"});
}

static void test_operators(void **state)
{
    (void)state;
    COMPARE({"bool ns::operator< <int>(int, ns::E)", "ns::operator< <int>"}, //
            {"bool ns::operator<<int>(int, ns::E)", "ns::operator< <int>"},  //
            {"std::basic_ostream<char, std::char_traits<char> >& std::operator<< "
             "<std::char_traits<char> >(std::basic_ostream<char>&, char const*)",
             "std::operator<< <std::char_traits<char>>"},        //
            {"x& operator<<<int>(x&)", "operator<< <int>"},      //
            {"ns::C::operator->() const", "ns::C::operator->"},  //
            {"ns::C::operator->*(int)", "ns::C::operator->*"},   //
            {"ns::C::operator()(int)", "ns::C::operator()"},     //
            {"ns::C::operator()", "ns::C::operator()"},          //
            {"ns::C::operator[](int)", "ns::C::operator[]"},     //
            {"ns::C::operator,(int)", "ns::C::operator,"},       //
            {"auto operator<=><int>(int)", "operator<=><int>"},  //
            {"operator new[](unsigned long)", "operator new[]"}, //
            {"operator delete(void*)", "operator delete"},       //
            {"operator\"\" _s(char const*)", "operator\"\"_s"},  //
            {"ns::C::operator std::vector<int, std::allocator<int> >() const",
             "ns::C::operator std::vector<int, std::allocator<int>>"}, //
            {"ns::C::operator std::vector<int, std::allocator<int> >",
             "ns::C::operator std::vector<int, std::allocator<int>>"}, //
            {"operators::f(int)", "operators::f"},                     //
            {"my_operator (int)", "my_operator"});
}

static void test_lambdas_and_clones(void **state)
{
    (void)state;
    COMPARE(
        {"main::{lambda(int)#1}::operator()(int) const", "main::{lambda(int)#1}::operator()"},   //
        {"main()::{lambda(int)#1}::operator()(int) const", "main::{lambda(int)#1}::operator()"}, //
        {"main::'lambda'(int)::operator()(int) const", "main::{lambda(int)#1}::operator()"},     //
        {"main::'lambda0'(int)::operator()(int) const", "main::{lambda(int)#2}::operator()"},    //
        {"<lambda(int)>::operator()(int) const", "{lambda(int)}::operator()"},                   //
        {"f(int) const::{lambda()#1}::operator()() const", "f::{lambda()#1}::operator()"},       //
        {"work() [clone .cold]", "work"},                                                        //
        {"work() [clone ._omp_fn.0] [clone .constprop.0]", "work._omp_fn.0"},                    //
        {"work(int) (.cold)", "work"},                                                           //
        {"work(int) (._omp_fn.0)", "work._omp_fn.0"},                                            //
        {"std::_Function_handler<void(int), main()::<lambda(int)> >::_M_invoke(int &&)",
         "std::_Function_handler<void(int), main()::<lambda(int)>>::_M_invoke"});
}

static void test_other_languages(void **state)
{
    (void)state;
    COMPARE({"main.(*T).Method", "main.(*T).Method"},                         //
            {"main.main.func1.2", "main.main.func1.2"},                       //
            {"runtime.goexit", "runtime.goexit"},                             //
            {"_RNvC7mycrate3foo", "_RNvC7mycrate3foo"},                       //
            {"core::fmt::write", "core::fmt::write"},                         //
            {"<T as core::ops::Drop>::drop", "<T as core::ops::Drop>::drop"}, //
            {"-[Foo bar:]", "-[Foo bar:]"},                                   //
            {"pkg__proc__2", "pkg__proc__2"});
}

static void test_hostile(void **state)
{
    (void)state;
    COMPARE({"a\nb\x1b[0m\x7f", "a?b?[0m?"},                 //
            {"f\xff\xfe", "f\xff\xfe"},                      //
            {"\xc3\xa9t\xc3\xa9(int)", "\xc3\xa9t\xc3\xa9"}, //
            {"(", "("},                                      //
            {")", ")"},                                      //
            {"()", "()"},                                    //
            {" ", " "},                                      //
            {"<", "<"},                                      //
            {">", ">"},                                      //
            {"f<", "f<"},                                    //
            {"f(", "f"},                                     //
            {"f(int", "f"},                                  //
            {"f<(>)", "f<"},                                 //
            {"f)(", "f"},                                    //
            {"operator", "operator"},                        //
            {"decltype", "decltype"});
}

/* Deeply nested and long: it must end, soon, with a text. */
static void test_long(void **state)
{
    (void)state;
    static const char *const parts[] = {"(",         "<",         "[",     "{",     "(*",
                                        "f(",        "f<",        "()",    "a::",   "<>",
                                        ")(",        "(*)",       "::",    ".0",    "@",
                                        "_Z",        " ",         ">",     ")",     "'lambda'(",
                                        "operator ", "operator<", "(a)::", ".cold", "[clone .a]",
                                        "\x01"};
    enum { LENGTH = 1 << 20 };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (int mangled = 0; mangled < 2; mangled++) {
            struct ml_buffer text = {0};
            ml_buffer_printf(&text, "%s", mangled ? "_ZN" : "f");
            while (text.length < LENGTH)
                ml_buffer_printf(&text, "%s", parts[i]);
            ml_buffer_append(&text, "", 1);
            ML_AUTO_FREE char *function = ml_function_name(text.data);
            assert_true(*function);
            assert_true(strlen(function) <= 2 * text.length);
            ml_buffer_free(&text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_fortran),
        cmocka_unit_test(test_mangled),
        cmocka_unit_test(test_declarations),
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_lambdas_and_clones),
        cmocka_unit_test(test_other_languages),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
