/* A process that does not stay what it was:
 *   leaver exit MS [CODE]   two threads; exits with CODE (7) after MS milliseconds
 *   leaver exec TIMES       becomes itself TIMES times over, then prints `done`
 *   leaver thread MS        its first thread ends; the other one exits with 7 after MS */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void wait_ms(const char *text)
{
    long ms = atol(text);
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left))
        ;
}

static void *busy(void *unused)
{
    for (;;)
        __asm__ volatile("");
    return unused;
}

static void *leave_later(void *ms)
{
    wait_ms(ms);
    _exit(7);
}

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        _exit(74);
}

static int exec_again(char **argv)
{
    char left[16];
    int times = atoi(argv[2]);
    if (times == 0) {
        say("done\n");
        return 0;
    }
    snprintf(left, sizeof left, "%d", times - 1);
    execl("/proc/self/exe", argv[0], argv[1], left, (char *)NULL);
    return 1;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "exec") == 0)
        return exec_again(argv);
    if (strcmp(argv[1], "thread") == 0) {
        if (pthread_create(&thread, NULL, leave_later, argv[2]))
            return 1;
        say("ready\n");
        pthread_exit(NULL);
    }
    if (pthread_create(&thread, NULL, busy, NULL))
        return 1;
    say("ready\n");
    wait_ms(argv[2]);
    exit(argc > 3 ? atoi(argv[3]) : 7);
}
