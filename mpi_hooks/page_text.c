#include "mpi_hooks/page_text.h"

#include "mpi_hooks/atomics.h"

#include <string.h>

void ml_page_text_store(struct ml_page_text *out, const char *text)
{
    char bytes[sizeof *out] = "";
    uint64_t words[ML_PAGE_TEXT_WORDS];
    strncpy(bytes, text, sizeof bytes - 1);
    memcpy(words, bytes, sizeof words);
    for (int i = 0; i < ML_PAGE_TEXT_WORDS; i++)
        ML_STORE(out->words[i], words[i]);
}

void ml_page_text_copy(struct ml_page_text *out, const struct ml_page_text *from)
{
    for (int i = 0; i < ML_PAGE_TEXT_WORDS; i++)
        ML_STORE(out->words[i], ML_LOAD(from->words[i]));
}

bool ml_page_text_equal(const struct ml_page_text *a, const struct ml_page_text *b)
{
    for (int i = 0; i < ML_PAGE_TEXT_WORDS; i++)
        if (ML_LOAD(a->words[i]) != ML_LOAD(b->words[i]))
            return false;
    return true;
}
