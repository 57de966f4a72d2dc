// C++: containers, arrays with alignment, operators of all kinds.
#include "known.h"

#include <list>
#include <map>
#include <new>
#include <string>
#include <vector>

struct alignas(256) Wide {
    char text[512];
};

OWNER std::vector<double> *own_vector()
{
    auto *v = new std::vector<double>(1000);
    KEEP(v);
    return v;
}

OWNER void own_list(std::list<double> &list)
{
    list.push_back(1);
    KEEP(&list);
}

OWNER void own_map(std::map<int, int> &map, int key)
{
    map[key] = key;
    KEEP(&map);
}

OWNER Wide *own_wide()
{
    Wide *p = new Wide[4];
    KEEP(p);
    return p;
}

OWNER char *own_nothrow()
{
    char *p = new (std::nothrow) char[3000];
    KEEP(p);
    return p;
}

OWNER std::string *own_string()
{
    auto *s = new std::string(5000, 'x');
    KEEP(s);
    return s;
}

static bool refused()
{
    try {
        volatile size_t size = ~size_t{0} >> 2;
        KEEP(new char[size]);
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

int main(int argc, char **)
{
    if (argc > 1)
        return refused() ? 0 : 3;
    enum { N = 5000, NODES = 100000 };
    // never destroyed
    auto &list = *new std::list<double>;
    auto &map = *new std::map<int, int>;
    for (int i = 0; i < N; i++) {
        auto *v = own_vector();
        auto *w = own_wide();
        auto *c = own_nothrow();
        auto *s = own_string();
        if (i % 2) {
            delete v;
            delete[] w;
            delete[] c;
            delete s;
        }
    }
    for (int i = 0; i < NODES; i++)
        own_list(list);
    for (int i = 0; i < NODES; i++)
        own_map(map, i);
    for (int i = 0; i < NODES; i += 2)
        map.erase(i);
    told("vector", 8000, N, N / 2);
    told("vector", sizeof(std::vector<double>), N, N / 2);
    told("wide", 2048, N, N / 2);
    told("nothrow", 3000, N, N / 2);
    told("string", 5001, N, N / 2);
    told("string", sizeof(std::string), N, N / 2);
    told("list", 24, NODES, NODES);
    told("map", 40, NODES, NODES / 2);
    return 0;
}
