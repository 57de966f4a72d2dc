/* Texts in a page. */
#ifndef ML_HOOKS_PAGE_TEXT_H
#define ML_HOOKS_PAGE_TEXT_H

#include "mpi_hooks/page.h"

#include <stdbool.h>

/* The first 63 bytes of TEXT, padded with 0. */
void ml_page_text_store(struct ml_page_text *out, const char *text);

void ml_page_text_copy(struct ml_page_text *out, const struct ml_page_text *from);

bool ml_page_text_equal(const struct ml_page_text *a, const struct ml_page_text *b);

#endif
