/* The screen of memlog top by ncurses: paints what top/view.h makes, takes keys. */
#include "commands/top.h"

#ifdef MEMLOG_WITH_CURSES
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "commands/source.h"
#include "top/look.h"
#include "top/view.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include <curses.h>

#define SHARE 10 /* of the time at most one part is spent with reading */
#define WAIT_MS 250
#define SILENT_MAX 8 /* reads without a key though there was input: the terminal is gone */
#define KEY_ESCAPE 27
#define KEY_DELETE 127

struct seen {
    const char *path;
    struct ml_top_look look;
    struct ml_top_wish wish;
    char *page; /* the stacks that are shown */
    struct ml_error trouble;
    int64_t every_ns, due_ns; /* of looks; the next one */
    int64_t at_ns;            /* the moment that is wanted; ML_TOP_END */
    size_t rows;              /* of the screen's list */
    bool over, utf8, colour, leave;
};

static volatile sig_atomic_t told_to_end;

static void note_signal(int signal)
{
    (void)signal;
    told_to_end = 1;
}

/* ---- reading ---- */

/* What was seen before stays where the journals cannot be read right now: they may just become the
 * file. */
static enum ml_status look_again(struct seen *s, struct ml_error *err)
{
    int64_t begin_ns = ml_mono_now().ns;
    struct ml_run *run;
    struct ml_top_look look;
    enum ml_status status = ml_command_open_run(s->path, &run, err);
    if (!status)
        status = ml_top_look(run, s->path, &look, err);
    int64_t now_ns = ml_mono_now().ns, rest_ns = SHARE * (now_ns - begin_ns);
    s->due_ns = now_ns + (rest_ns > s->every_ns ? rest_ns : s->every_ns);
    s->wish.trouble = status ? err->text : NULL;
    if (status)
        return status;
    ml_top_look_free(&s->look);
    s->look = look;
    s->over = look.facts.age_ns < 0;
    return ML_OK;
}

/* What is shown stays where another moment cannot be read. */
static void move_to_moment(struct seen *s)
{
    int64_t shown_ns = s->look.model.at_ns < 0 ? ML_TOP_END : s->look.model.at_ns;
    if (s->at_ns == shown_ns)
        return;
    bool failed = ml_top_move(&s->look, s->at_ns, &s->trouble) != ML_OK;
    s->wish.trouble = failed ? s->trouble.text : NULL;
    if (failed)
        s->at_ns = shown_ns;
}

/* ---- painting ---- */

static int attribute_of(enum ml_top_tone tone, bool colour)
{
    switch (tone) {
    case ML_TOP_BOLD:
        return A_BOLD;
    case ML_TOP_HEAD:
    case ML_TOP_CHOSEN:
        return tone == ML_TOP_CHOSEN && colour ? COLOR_PAIR(2) : A_REVERSE;
    case ML_TOP_CURVE:
        return colour ? COLOR_PAIR(1) : A_NORMAL;
    case ML_TOP_DIM:
    case ML_TOP_PLAIN:
        break;
    }
    return A_NORMAL;
}

static void paint(struct seen *s)
{
    struct ml_top_screen screen;
    ml_top_view(&s->look.model, &s->wish, COLS, LINES, s->utf8, &screen);
    s->rows = screen.rows;
    erase();
    for (size_t i = 0; i < screen.n && i < (size_t)LINES; i++) {
        attrset(attribute_of(screen.lines[i].tone, s->colour));
        mvaddstr((int)i, 0, screen.lines[i].text);
        if (screen.lines[i].tone == ML_TOP_HEAD)
            chgat(-1, A_REVERSE, 0, NULL);
    }
    attrset(A_NORMAL);
    refresh();
    ml_top_screen_free(&screen);
}

/* ---- keys ---- */

static void type_filter(struct seen *s, int key)
{
    char *filter = s->wish.filter;
    size_t n = strlen(filter);
    if (key == KEY_ESCAPE)
        *filter = 0;
    if (key == KEY_ESCAPE || key == '\n' || key == '\r' || key == KEY_ENTER)
        s->wish.typing = false;
    else if ((key == KEY_BACKSPACE || key == KEY_DELETE || key == '\b') && n)
        filter[n - 1] = 0;
    else if (key >= ' ' && key < KEY_DELETE && n + 1 < sizeof s->wish.filter)
        filter[n] = (char)key, filter[n + 1] = 0;
}

static size_t moved(size_t from, int key, size_t page, size_t end)
{
    size_t last = end ? end - 1 : 0;
    if (key == KEY_UP || key == KEY_PPAGE) {
        size_t step = key == KEY_UP ? 1 : page;
        return from > step ? from - step : 0;
    }
    if (key == KEY_DOWN || key == KEY_NPAGE)
        from += key == KEY_DOWN ? 1 : page;
    return key == KEY_HOME ? 0 : key == KEY_END || from > last ? last : from;
}

static size_t lines_of(const char *text)
{
    size_t n = 1;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void show_stacks(struct seen *s)
{
    const struct ml_top_model *m = &s->look.model;
    ML_AUTO_FREE size_t *order = ml_realloc_array(NULL, m->n_ranks, sizeof *order);
    size_t n = ml_top_order(m, &s->wish, order);
    if (!n)
        return;
    struct ml_error err;
    const struct ml_top_rank *r = &m->ranks[order[s->wish.selected < n ? s->wish.selected : n - 1]];
    if (ml_top_stacks(&s->look, r->rank, COLS, s->utf8, &s->page, &err))
        s->page = ml_strdup(err.text);
    s->wish.page = s->page;
    s->wish.scrolled = 0;
}

static void close_page(struct seen *s)
{
    free(s->page);
    s->page = NULL;
    s->wish.page = NULL;
}

static void read_page(struct seen *s, int key)
{
    if (key == 'q' || key == KEY_ESCAPE || key == KEY_F(10) || key == 'h' || key == KEY_F(1) ||
        key == 's')
        close_page(s);
    else
        s->wish.scrolled = moved(s->wish.scrolled, key, s->rows, lines_of(s->wish.page));
}

static void choose_rank(struct seen *s, int key)
{
    const struct ml_top_model *m = &s->look.model;
    ML_AUTO_FREE size_t *order = ml_realloc_array(NULL, m->n_ranks, sizeof *order);
    size_t n = ml_top_order(m, &s->wish, order);
    s->wish.selected = moved(s->wish.selected, key, s->rows, n);
}

/* False: KEY is of something else. */
static bool choose_moment(struct seen *s, int key)
{
    const struct ml_top_model *m = &s->look.model;
    int columns = ml_top_curve_columns(COLS);
    int64_t step_ns = m->length_ns / (columns > 0 ? columns : 1);
    int64_t from_ns = s->at_ns == ML_TOP_END ? m->length_ns : s->at_ns;
    if (key == KEY_LEFT || key == KEY_RIGHT)
        s->at_ns = from_ns + (key == KEY_LEFT ? -step_ns : step_ns);
    else if (key == '[' || key == ']')
        s->at_ns = from_ns + (key == '[' ? -10 : 10) * step_ns;
    else if (key == 'p' && m->peak_B >= 0)
        s->at_ns = m->peak_ns;
    else if (key == 'e')
        s->at_ns = ML_TOP_END;
    else
        return false;
    if (s->at_ns < 0)
        s->at_ns = 0;
    if (s->at_ns >= m->length_ns)
        s->at_ns = ML_TOP_END;
    return true;
}

static void take(struct seen *s, int key)
{
    if (key == KEY_RESIZE)
        return;
    if (s->wish.typing)
        type_filter(s, key);
    else if (s->wish.page)
        read_page(s, key);
    else if (key == 'q' || key == KEY_F(10))
        s->leave = true;
    else if (key == 'h' || key == '?' || key == KEY_F(1)) {
        s->wish.page = ml_top_help;
        s->wish.scrolled = 0;
    } else if (key == '>' || key == KEY_F(6))
        s->wish.sort = (s->wish.sort + 1) % ML_TOP_SORTS;
    else if (key == '<')
        s->wish.sort = (s->wish.sort + ML_TOP_SORTS - 1) % ML_TOP_SORTS;
    else if (key == '/' || key == KEY_F(4))
        s->wish.typing = true;
    else if (key == ' ')
        s->wish.paused = !s->wish.paused;
    else if (key == 'r')
        s->due_ns = 0;
    else if (key == 's' || key == '\n' || key == '\r' || key == KEY_ENTER)
        show_stacks(s);
    else if (!choose_moment(s, key))
        choose_rank(s, key);
}

/* Waits for a key; false: none will come any more. */
static bool await_key(struct seen *s, int *in_out_silent)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = poll(&input, 1, WAIT_MS), key, keys = 0;
    while ((key = getch()) != ERR) {
        take(s, key);
        keys++;
    }
    if (input.revents & (POLLHUP | POLLERR | POLLNVAL))
        return false;
    *in_out_silent = ready > 0 && !keys ? *in_out_silent + 1 : 0;
    return *in_out_silent < SILENT_MAX;
}

/* ---- the whole ---- */

static void loop(struct seen *s)
{
    int silent = 0;
    bool there = true;
    while (there && !s->leave && !told_to_end) {
        bool newest = !s->wish.paused && !s->page && s->at_ns == ML_TOP_END;
        if (newest && !s->over && ml_mono_now().ns >= s->due_ns)
            look_again(s, &s->trouble);
        move_to_moment(s);
        paint(s);
        there = await_key(s, &silent);
    }
}

static enum ml_status open_screen(SCREEN **out_screen, struct ml_error *err)
{
    const char *terminal = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return ml_fail(err, ML_RUN_LOST, "top needs a terminal; --plain prints lines instead");
    *out_screen = terminal && strcmp(terminal, "dumb") != 0 ? newterm(NULL, stdout, stdin) : NULL;
    if (*out_screen && !tigetstr("cup")) {
        endwin();
        delscreen(*out_screen);
        *out_screen = NULL;
    }
    if (!*out_screen)
        return ml_fail(err, ML_RUN_LOST,
                       "the terminal '%.40s' cannot show a screen; --plain prints lines instead",
                       terminal ? terminal : "");
    return ML_OK;
}

/* Whether there are colours. */
static bool set_up(bool no_color)
{
    const char *none = getenv("NO_COLOR");
    set_escdelay(50);
    cbreak();
    noecho();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    curs_set(0);
    if (no_color || (none && *none) || !has_colors())
        return false;
    start_color();
    use_default_colors();
    init_pair(1, COLOR_CYAN, -1);
    init_pair(2, COLOR_BLACK, COLOR_CYAN);
    return true;
}

/* ncurses leaves its own handlers to whoever set one before. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

enum ml_status ml_top_show(const char *path, int64_t every_ns, bool no_color, struct ml_error *err)
{
    struct seen s = {.path = path,
                     .every_ns = every_ns,
                     .at_ns = ML_TOP_END,
                     .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
    SCREEN *screen = NULL;
    ml_log_setup("memlog", NULL, ML_LOG_ERROR);
    enum ml_status status = look_again(&s, err);
    catch_signals();
    if (!status)
        status = open_screen(&screen, err);
    if (!status) {
        s.colour = set_up(no_color);
        loop(&s);
        endwin();
        delscreen(screen);
    }
    close_page(&s);
    ml_top_look_free(&s.look);
    return status;
}

#else

enum ml_status ml_top_show(const char *path, int64_t every_ns, bool no_color, struct ml_error *err)
{
    (void)path;
    (void)every_ns;
    (void)no_color;
    return ml_fail(err, ML_RUN_LOST,
                   "this memlog was built without ncurses (Debian libncurses-dev, Spack ncurses); "
                   "--plain prints lines instead");
}
#endif
