// Namespaces, templates, virtual methods, operators, lambdas and inlined functions, optimized.
#include "stacks.h"

#include <vector>

#define INLINED __attribute__((always_inline)) inline

namespace shapes
{

template <typename T> struct Box {
    T side;
    CALLED T measure(int times) const
    {
        stacks_enter("shapes::Box<double>::measure");
        T sum = 0;
        for (int i = 0; i < times; i++)
            sum += again(i);
        stacks_leave();
        return sum;
    }
    INLINED T again(int i) const
    {
        stacks_enter("shapes::Box<double>::again (inlined)");
        if (i == 0)
            deeper();
        stacks_leave();
        return side * side;
    }
    INLINED void deeper() const
    {
        stacks_enter("shapes::Box<double>::deeper (inlined)");
        stacks_stay();
        stacks_leave();
    }
};

struct Shape {
    virtual ~Shape() = default;
    virtual double area(int times) const = 0;
};

namespace
{
struct Cube : Shape {
    Box<double> box{2.0};
    CALLED double area(int times) const override
    {
        stacks_enter("shapes::(anonymous namespace)::Cube::area");
        double size = 6 * box.measure(times);
        stacks_leave();
        return size;
    }
};
} // namespace

template <int Count> struct Grid {
    const Shape *shape;
    CALLED double operator()(double factor) const
    {
        stacks_enter("shapes::Grid<3>::operator()");
        double sum = factor * shape->area(Count);
        stacks_leave();
        return sum;
    }
};

template <typename F> CALLED double apply(const F &f, double x)
{
    double y = f(x);
    __asm__ volatile("" : : "r"(&y) : "memory");
    return y;
}

Shape *make()
{
    return new Cube;
}

} // namespace shapes

int main(int argc, char **argv)
{
    stacks_begin(argc, argv, 1, "poll");
    ENTER();
    shapes::Grid<3> grid{shapes::make()};
    auto call_grid = [&grid](double x) CALLED {
        stacks_enter("main::{lambda(double)#1}::operator()/operator()");
        stacks_enter("shapes::apply<shapes::Grid<3>>");
        double y = shapes::apply(grid, x);
        stacks_leave();
        stacks_leave();
        return y + 1;
    };
    return call_grid(1.5) > 0;
}
