/* The page that a rank's process and the hooks preloaded into it tell us of MPI through: made here,
 * read here. The application can write anything into it at any time: what is read is checked, and
 * wrong at worst. */
#ifndef ML_CALLS_MPI_PAGE_H
#define ML_CALLS_MPI_PAGE_H

#include "base/error.h"
#include "mpi_hooks/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ML_MPI_TEXT 64 /* bytes of names and texts, the NUL included */

/* Makes a file of N pages: the first is mapped at OUT_FIRST, the others behind it, the memfd is
 * OUT_FD; both the caller's. The descriptor must stay open until the application has called
 * MPI_Init; nothing is left when all have closed it. */
enum ml_status ml_mpi_pages_create(size_t n, struct ml_page **out_first, int *out_fd,
                                   struct ml_error *err);

/* Page I of the file of FIRST. */
struct ml_page *ml_mpi_page_at(struct ml_page *first, size_t i);

/* Another process may claim PAGE, in which nothing is left. Only for a file of many pages, when the
 * process that claimed it has gone. */
void ml_mpi_page_free(struct ml_page *page);

void ml_mpi_pages_close(struct ml_page *first, size_t n); /* NULL is fine */

/* "MEMLOG_HOOKS=/proc/PID/fd/FD" for the application's environment; free it. PID is the process
 * that holds FD, which must be dumpable and of the same user. */
char *ml_mpi_page_environment(int pid, int fd);

/* The process that claimed the page at MPI_Init, 0 if none did. */
int ml_mpi_page_pid(const struct ml_page *page);

/* The call (enum ml_mpi_call) that the main thread is in; if none, that of any other thread; 0 if
 * none is in MPI; -1 where calls are not counted, as another tool has them first. */
int ml_mpi_page_running(const struct ml_page *page);

/* What the wrappers saw of other tools: enum ml_page_flags, and the file of one of them. */
uint32_t ml_mpi_page_tools(const struct ml_page *page, char out_tool[ML_MPI_TEXT]);

/* The phase that the process is in; phases have indices below ml_mpi_page_phases; PHASE's name. */
uint32_t ml_mpi_page_phase(const struct ml_page *page);
uint32_t ml_mpi_page_phases(const struct ml_page *page);
void ml_mpi_page_phase_name(const struct ml_page *page, uint32_t phase, char out_name[ML_MPI_TEXT]);

/* What a page says at one instant. */
struct ml_mpi_look {
    int pid;        /* that claimed it; 0: none, and nothing else is said */
    int call;       /* as ml_mpi_page_running */
    uint32_t phase; /* as ml_mpi_page_phase */
    uint32_t flags; /* as ml_mpi_page_tools */
    char tool[ML_MPI_TEXT];
};
void ml_mpi_page_look(const struct ml_page *page, struct ml_mpi_look *out_look);

struct ml_mpi_event {
    enum ml_page_event_kind kind;
    uint32_t phase; /* from here on */
    int64_t ns;     /* CLOCK_MONOTONIC */
    int64_t rss_B;  /* at begin and end of MPI_Init and MPI_Finalize, else -1 */
    char text[ML_MPI_TEXT];
};

/* The next event after those that *CURSOR (0 at first) counts. False: none so far. What the ring
 * lost before it was read is added to *LOST. */
bool ml_mpi_page_next_event(const struct ml_page *page, uint64_t *cursor,
                            struct ml_mpi_event *out_event, uint64_t *lost);

/* Of one function in one phase, over all threads. */
struct ml_mpi_total {
    uint32_t phase;
    int call;
    uint64_t calls, messages, bytes;
    int64_t ns, error_ns; /* time in it; standard error of that, 0 where every call was timed */
    int64_t longest_ns;   /* of the calls that were timed */
};

/* Nanoseconds a tick, between the page's claim and NOW (mono ns and ticks of this processor); 0 if
 * that cannot be. */
double ml_mpi_page_tick_ns(const struct ml_page *page, int64_t now_ns, uint64_t now_ticks);

/* All functions that were called, by phase and call, in OUT_N rows; free them. */
struct ml_mpi_total *ml_mpi_page_totals(const struct ml_page *page, double tick_ns, size_t *out_n);

#endif
