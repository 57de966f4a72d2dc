// heap_cxx [ROUNDS]: does little but allocate: a hundred thousand insertions into a map, twenty calls
// deep, so many times (20).
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>

__attribute__((noinline)) static void deep(std::map<int, int> &map, int key, int depth)
{
    if (depth)
        deep(map, key, depth - 1);
    else
        map[key] = key;
    __asm__ volatile("" : : : "memory");
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 20;
    timespec begin, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (int round = 0; round < rounds; round++) {
        std::map<int, int> map;
        for (int i = 0; i < 100000; i++)
            deep(map, static_cast<int>(i * 2654435761u % 1000003), 20);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    std::printf("%.4f s\n", static_cast<double>(end.tv_sec - begin.tv_sec) +
                                static_cast<double>(end.tv_nsec - begin.tv_nsec) * 1e-9);
}
