#include "commands/terminal.h"

#include "base/units.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct ml_style ml_command_style(bool no_color)
{
    struct ml_style style = {.width = 80};
    struct winsize window;
    int64_t columns;
    const char *wanted = getenv("COLUMNS"), *none = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (wanted && !ml_integer_parse(wanted, 20, 1000, &columns, NULL))
        style.width = (int)columns;
    else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col >= 20)
        style.width = window.ws_col;
    style.colour = isatty(STDOUT_FILENO) && !no_color && !(none && *none) &&
                   !(terminal && strcmp(terminal, "dumb") == 0);
    style.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return style;
}
