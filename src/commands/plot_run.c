#include "commands/plot_run.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "commands/plot_gnuplot.h"
#include "draw/drawing.h"
#include "draw/flame_svg.h"
#include "draw/gnuplot.h"
#include "draw/html.h"
#include "draw/tooltip.h"

#include <fcntl.h>
#include <langinfo.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define TEXT_COLUMNS 100
#define TEXT_LINES 30

/* A new file beside PATH, so that PATH is never half a picture. */
static int create_beside(const char *path, char **out_name, struct ml_error *err)
{
    char *name = ml_format("%s.XXXXXX", path);
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0) {
        ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be written", path);
        free(name);
        return -1;
    }
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    *out_name = name;
    return fd;
}

/* Gives the file at NAME its PATH when STATUS is good, else removes it. */
static enum ml_status finish(enum ml_status status, int fd, char *name, const char *path,
                             struct ml_error *err)
{
    struct stat st;
    if (!status && (fstat(fd, &st) || st.st_size == 0))
        status = ml_fail(err, ML_RUN_LOST, "%.300s: gnuplot drew nothing", path);
    if (!status && rename(name, path))
        status = ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be written", path);
    if (status)
        unlink(name);
    free(name);
    return status;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    for (ssize_t done; n > 0; bytes += done, n -= (size_t)done) {
        done = write(fd, bytes, n);
        if (done < 0)
            return false;
    }
    return true;
}

/* gnuplot's svg passes through a file without a name: its marks get their texts. */
static enum ml_status draw_svg(const struct ml_buffer *script, const struct ml_plot_page *page,
                               int output, struct ml_error *err)
{
    struct stat st;
    struct ml_buffer svg = {0}, filled = {0};
    ML_AUTO_FD int fd = memfd_create("memlog-svg", MFD_CLOEXEC);
    if (fd < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "no memory for the picture");
    enum ml_status status = ml_gnuplot_draw(script, "svg", fd, err);
    if (status)
        return status;
    if (fstat(fd, &st))
        return ml_fail_errno(err, ML_RUN_LOST, "the picture is lost");
    ssize_t got = pread(fd, ml_buffer_reserve(&svg, (size_t)st.st_size), (size_t)st.st_size, 0);
    svg.length = got > 0 ? (size_t)got : 0;
    ml_tooltip_fill(page, svg.data, svg.length, &filled);
    if (got != st.st_size || !write_all(output, filled.data, filled.length))
        status = ml_fail_errno(err, ML_RUN_LOST, "the picture cannot be written");
    ml_buffer_free(&svg);
    ml_buffer_free(&filled);
    return status;
}

static void make_text(const struct ml_plot_page *page, const struct ml_plot_request *r,
                      struct ml_buffer *out)
{
    struct ml_drawing_style style = {
        .columns = r->size.width > 0 ? (int)r->size.width : TEXT_COLUMNS,
        .lines = r->size.height > 0 ? (int)r->size.height : TEXT_LINES,
        .utf8 = true,
    };
    ml_drawing_make(page, &style, out);
}

static enum ml_status write_form(const struct ml_plot_request *r, const struct ml_plot_page *page,
                                 const char *form, int fd, struct ml_error *err)
{
    struct ml_buffer out = {0};
    enum ml_status status = ML_OK;
    bool flame = page->form == ML_PLOT_FLAME && strcmp(form, "svg") == 0;
    bool svg = strcmp(form, "svg") == 0 && !flame, script = strcmp(form, "gp") == 0;
    bool ours = flame || strcmp(form, "html") == 0 || strcmp(form, "txt") == 0;
    if (flame)
        ml_flame_svg_emit(page, &out);
    else if (strcmp(form, "html") == 0)
        ml_html_emit(page, &out);
    else if (strcmp(form, "txt") == 0)
        make_text(page, r, &out);
    else
        ml_gnuplot_emit(page, &out);
    if (svg)
        status = draw_svg(&out, page, fd, err);
    else if (!ours && !script)
        status = ml_gnuplot_draw(&out, form, fd, err);
    else if (!write_all(fd, out.data, out.length))
        status = ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be written", r->outfile);
    ml_buffer_free(&out);
    return status;
}

static enum ml_status save(const struct ml_plot_request *r, const struct ml_plot_page *page,
                           struct ml_error *err)
{
    char *name;
    if (strcmp(r->outfile, "-") == 0)
        return write_form(r, page, "gp", STDOUT_FILENO, err);
    ML_AUTO_FD int fd = create_beside(r->outfile, &name, err);
    if (fd < 0)
        return ML_RUN_LOST;
    return finish(write_form(r, page, ml_plot_suffix(r->outfile), fd, err), fd, name, r->outfile,
                  err);
}

static int from_environment(const char *name, int otherwise)
{
    const char *text = getenv(name);
    long value = text ? strtol(text, NULL, 10) : 0;
    return value >= 20 && value <= 10000 ? (int)value : otherwise;
}

static enum ml_status show_in_terminal(const struct ml_plot_request *r,
                                       const struct ml_plot_page *page, struct ml_error *err)
{
    struct winsize size = {.ws_row = TEXT_LINES, .ws_col = TEXT_COLUMNS};
    struct ml_buffer out = {0};
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO),
         own = r->size.width > 0 && ml_plot_size_is_plain(&r->size);
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){.ws_row = TEXT_LINES, .ws_col = TEXT_COLUMNS};
    struct ml_drawing_style style = {
        .columns = own ? (int)r->size.width : from_environment("COLUMNS", size.ws_col),
        .lines = own ? (int)r->size.height : from_environment("LINES", size.ws_row) - 2,
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .colour = terminal && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0),
    };
    ml_drawing_make(page, &style, &out);
    enum ml_status status = ML_OK;
    if (fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout))
        status = ml_fail_errno(err, ML_RUN_LOST, "the drawing cannot be written");
    ml_buffer_free(&out);
    return status;
}

static bool answers(const struct sockaddr_un *address, size_t size)
{
    ML_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)address, (socklen_t)size) == 0;
}

/* An X server of this machine listens at a path and, on Linux, at the same name without a file.
 * gnuplot's qt 5.4 hangs where neither answers. Displays of other machines are taken as given. */
static bool is_alive(const char *display)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t start = offsetof(struct sockaddr_un, sun_path);
    if (display[0] != ':')
        return true;
    int n = snprintf(address.sun_path, sizeof address.sun_path - 1, "/tmp/.X11-unix/X%ld",
                     strtol(display + 1, NULL, 10));
    if (answers(&address, sizeof address))
        return true;
    memmove(address.sun_path + 1, address.sun_path, (size_t)n);
    address.sun_path[0] = 0;
    return answers(&address, start + (size_t)n + 1);
}

static bool has_display(void)
{
    const char *x11 = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    if (wayland && *wayland)
        return true;
    if (!x11 || !*x11)
        return false;
    if (is_alive(x11))
        return true;
    ml_log(ML_LOG_NOTICE, "display %.60s does not answer; drawn in the terminal instead", x11);
    return false;
}

enum ml_status ml_plot_deliver(const struct ml_plot_request *request, struct ml_plot_page *page,
                               struct ml_error *err)
{
    struct ml_buffer script = {0};
    if (request->outfile)
        return save(request, page, err);
    if (!has_display())
        return show_in_terminal(request, page, err);
    ml_gnuplot_emit(page, &script);
    enum ml_status status = ml_gnuplot_window(&script, page, err);
    ml_buffer_free(&script);
    if (!status)
        return ML_OK;
    ml_log(ML_LOG_NOTICE, "%s", err->text);
    return show_in_terminal(request, page, err);
}
