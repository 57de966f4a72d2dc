/* Another tool that wraps MPI in this process: that there is one stands in the page. */
#ifndef ML_HOOKS_TOOL_H
#define ML_HOOKS_TOOL_H

#include "mpi_hooks/page.h"

/* FLAG is one of ml_page_flags, TOOL the path of its library. Of several tools the first is named.
 */
void ml_tool_note(uint32_t flag, const char *tool);

/* PAGE is this process's from now on; NULL: none. */
void ml_tool_show_on(struct ml_page *page);

#endif
