// Names of every kind that C++ has.
#include "mark.h"

#include <string>

namespace geometry {

enum Unit { METRE, INCH };

template <class T> struct Box {
    T a, b;

    NOINLINE T area() const
    {
        MARK(area);
        return a * b;
    }

    NOINLINE Box &operator<<(T x)
    {
        MARK(shift);
        a += x;
        return *this;
    }

    NOINLINE T operator()(T x)
    {
        MARK(call);
        return a + x;
    }

    NOINLINE operator std::string() const
    {
        MARK(conversion);
        return "box";
    }
};

template <Unit U, class T> NOINLINE T scaled(T x)
{
    MARK(scaled);
    return U == INCH ? x * 2 : x;
}

template <class T> NOINLINE bool operator<(const Box<T> &l, Unit)
{
    MARK(less);
    return l.a < 1;
}

extern "C" NOINLINE int c_name(int x)
{
    MARK(c_name);
    return x + 1;
}

namespace {
NOINLINE int hidden(int x)
{
    MARK(hidden);
    return x + 2;
}
} // namespace

template <class T> INLINE T twice(T x)
{
    MARK(twice);
    return x + x; // twice
}

struct Shape {
    virtual ~Shape() {}
    virtual int corners(int x) = 0;
};

struct Square : Shape {
    int n = 4;
    NOINLINE int corners(int x) override
    {
        return twice<int>(n + x); // corners calls twice
    }
};

} // namespace geometry

int main(int argc, char **)
{
    using namespace geometry;
    Box<int> box = {argc, 2};
    Square square;
    Shape *shape = &square;
    std::string text = box;
    auto lambda = [&](int x) NOINLINE {
        MARK(lambda);
        return x + argc;
    };
    box << 3;
    return box.area() + box(4) + scaled<INCH>(2) + (box < METRE) + c_name(1) + hidden(2) +
           shape->corners(argc) + lambda(3) + (int)text.size();
}
