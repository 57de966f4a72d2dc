/* ptracer_pair none|pid|any TAKER... -- TARGET...: starts TARGET, and TAKER with the PID of TARGET
 * as its last argument, both children of this process and both of user 1000 without privileges.
 * TARGET lets nobody trace it but its parents, or (pid) TAKER and its children, or (any) anybody:
 * see PR_SET_PTRACER in prctl(2). Prints TAKER's output, then `exit CODE` of it. For yama_vm.sh. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void become_user(void)
{
    /* Dropping privileges makes a process undumpable: only the exec that follows mends that */
    if (setgid(1000) || setuid(1000)) {
        perror("setuid");
        _exit(126);
    }
}

static void run_taker(char **argv, int from_parent)
{
    char pid[16];
    char *with_pid[32] = {NULL};
    if (read(from_parent, pid, sizeof pid) != sizeof pid)
        _exit(126);
    close(from_parent);
    for (int i = 0; argv[i] && i < 30; i++) {
        with_pid[i] = argv[i];
        with_pid[i + 1] = pid;
    }
    become_user();
    execv(with_pid[0], with_pid);
    _exit(127);
}

static void run_target(char **argv, const char *who, pid_t taker, int input)
{
    become_user();
    dup2(input, STDIN_FILENO);
    if (strcmp(who, "none") != 0)
        prctl(PR_SET_PTRACER, strcmp(who, "any") == 0 ? PR_SET_PTRACER_ANY : (unsigned long)taker,
              0, 0, 0);
    execv(argv[0], argv);
    _exit(127);
}

int main(int argc, char **argv)
{
    int to_taker[2], to_target[2], status = 0, split = 2;
    while (split < argc && strcmp(argv[split], "--") != 0)
        split++;
    if (argc - split < 2 || pipe(to_taker) || pipe(to_target))
        return 2;
    argv[split] = NULL;
    pid_t taker = fork();
    if (taker == 0)
        run_taker(argv + 2, to_taker[0]);
    pid_t target = fork();
    if (target == 0)
        run_target(argv + split + 1, argv[1], taker, to_target[0]);
    sleep(2); /* until it is at work: it has no way to say so to us */
    char text[16] = "";
    snprintf(text, sizeof text, "%d", (int)target);
    if (write(to_taker[1], text, sizeof text) != sizeof text)
        return 2;
    waitpid(taker, &status, 0);
    printf("exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    kill(target, SIGKILL);
    waitpid(target, NULL, 0);
    return 0;
}
