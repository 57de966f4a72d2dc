#include "mpi_hooks/tool.h"

#include "mpi_hooks/page_text.h"

#include <string.h>

static _Atomic uint32_t flags;
static struct ml_page_text name;
static _Atomic(struct ml_page *) shown_on;

static void show(void)
{
    struct ml_page *page = atomic_load(&shown_on);
    uint32_t found = atomic_load(&flags);
    if (!page || !found)
        return;
    ml_page_text_copy(&page->tool, &name);
    atomic_fetch_or(&page->flags, found);
}

void ml_tool_note(uint32_t flag, const char *tool)
{
    const char *slash = strrchr(tool, '/');
    if (!atomic_load(&flags))
        ml_page_text_store(&name, slash ? slash + 1 : tool);
    atomic_fetch_or(&flags, flag);
    show();
}

void ml_tool_show_on(struct ml_page *page)
{
    atomic_store(&shown_on, page);
    show();
}
