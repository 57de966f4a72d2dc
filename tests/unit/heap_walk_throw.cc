// A library to load: calls the hook while exceptions are thrown and caught.
#include <stdexcept>

typedef void hook(void);

namespace
{
struct caller {
    hook *call;
    ~caller()
    {
        call();
    }
};

__attribute__((noinline)) void thrower(hook *call, int depth)
{
    caller at_end{call};
    if (depth == 0)
        throw std::runtime_error("in flight");
    thrower(call, depth - 1);
}
} // namespace

extern "C" __attribute__((visibility("default"))) void throw_and_call(hook *call)
{
    try {
        try {
            thrower(call, 3);
        } catch (const std::exception &) {
            call();
            throw;
        }
    } catch (...) {
        call();
    }
}
