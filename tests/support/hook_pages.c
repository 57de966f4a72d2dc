/* Runs a command with a page for the MPI hooks for each of its ranks, and prints what they hold.
 *
 *   hook_pages LIBRARIES OUT COMMAND...
 *
 * As a rank: "mpiexec -n 2 hook_pages LIBRARIES OUT app" starts app with the hooks of the folder
 * LIBRARIES preloaded (behind what is there; "": none) and writes OUT.RANK, lines of JSON: one with
 * the claim, one for each event, one for each function in each phase. Exits as the command does. */
#include "base/memory.h"
#include "calls/mpi_page.h"
#include "flavour/which_mpi.h"
#include "mpi_hooks/calls.h"
#include "mpi_hooks/ticks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *rank_text(void)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (!rank)
        rank = getenv("PMI_RANK");
    return rank ? rank : "0";
}

static void preload(const char *folder, const char *command)
{
    enum ml_which_mpi which = ml_which_mpi(command, getenv("LD_LIBRARY_PATH"));
    char *all = ml_which_mpi_preload(which, ML_PRELOAD_HOOKS, folder, getenv("LD_PRELOAD"));
    if (all)
        setenv("LD_PRELOAD", all, 1);
    free(all);
}

static pid_t start(char **command, const char *folder, int fd)
{
    char *variable = ml_mpi_page_environment(getpid(), fd);
    pid_t pid = fork();
    if (pid != 0) {
        free(variable);
        return pid;
    }
    if (*folder)
        preload(folder, command[0]);
    putenv(variable);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

static void print_events(FILE *out, const struct ml_page *page)
{
    static const char *const kinds[ML_MPI_EVENT_KINDS] = {
        [ML_MPI_EVENT_INIT_BEGIN] = "init_begin",
        [ML_MPI_EVENT_INIT_END] = "init_end",
        [ML_MPI_EVENT_FINALIZE_BEGIN] = "finalize_begin",
        [ML_MPI_EVENT_FINALIZE_END] = "finalize_end",
        [ML_MPI_EVENT_ABORT] = "abort",
        [ML_MPI_EVENT_REGION_BEGIN] = "region_begin",
        [ML_MPI_EVENT_REGION_END] = "region_end",
        [ML_MPI_EVENT_MARK] = "mark",
    };
    uint64_t cursor = 0, lost = 0;
    struct ml_mpi_event event;
    while (ml_mpi_page_next_event(page, &cursor, &event, &lost))
        fprintf(out,
                "{\"event\": \"%s\", \"phase\": %u, \"ns\": %lld, \"rss_B\": %lld, "
                "\"text\": \"%s\"}\n",
                kinds[event.kind], event.phase, (long long)event.ns, (long long)event.rss_B,
                event.text);
    fprintf(out, "{\"events_lost\": %llu}\n", (unsigned long long)lost);
}

static void print_totals(FILE *out, const struct ml_page *page)
{
    size_t n;
    double tick_ns = ml_mpi_page_tick_ns(page, ml_ticks_mono_ns(), ml_ticks());
    struct ml_mpi_total *totals = ml_mpi_page_totals(page, tick_ns, &n);
    for (size_t i = 0; i < n; i++) {
        char phase[ML_MPI_TEXT];
        ml_mpi_page_phase_name(page, totals[i].phase, phase);
        fprintf(out,
                "{\"call\": \"%s\", \"phase\": \"%s\", \"calls\": %llu, \"messages\": %llu, "
                "\"bytes\": %llu, \"ns\": %lld, \"error_ns\": %lld, \"longest_ns\": %lld}\n",
                ml_mpi_call_name(totals[i].call), phase, (unsigned long long)totals[i].calls,
                (unsigned long long)totals[i].messages, (unsigned long long)totals[i].bytes,
                (long long)totals[i].ns, (long long)totals[i].error_ns,
                (long long)totals[i].longest_ns);
    }
    free(totals);
}

static void print_page(const char *path, const struct ml_page *page, pid_t pid)
{
    char tool[ML_MPI_TEXT];
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(70);
    }
    uint32_t flags = ml_mpi_page_tools(page, tool);
    fprintf(out, "{\"pid\": %d, \"started\": %d, \"flags\": %u, \"tool\": \"%s\"}\n",
            ml_mpi_page_pid(page), (int)pid, flags, tool);
    print_events(out, page);
    print_totals(out, page);
    fclose(out);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: hook_pages FOLDER OUT COMMAND...\n");
        return 2;
    }
    struct ml_page *page;
    struct ml_error err;
    int fd;
    if (ml_mpi_pages_create(1, &page, &fd, &err) != ML_OK) {
        fprintf(stderr, "hook_pages: %s\n", err.text);
        return 70;
    }
    pid_t pid = start(argv + 3, argv[1], fd);
    int status;
    waitpid(pid, &status, 0);
    char *path = ml_format("%s.%s", argv[2], rank_text());
    print_page(path, page, pid);
    free(path);
    ml_mpi_pages_close(page, 1);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
