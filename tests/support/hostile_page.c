/* Texts of any bytes, separated by NUL on stdin, as memlog plot shows them: `hostile_page gp`
 * writes a gnuplot script that prints each, `hostile_page html` a page with a mark for each. */
#include "base/buffer.h"
#include "base/memory.h"
#include "draw/html.h"
#include "draw/quote.h"
#include "plot/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_all(size_t *out_size)
{
    struct ml_buffer input = {0};
    size_t n;
    do {
        n = fread(ml_buffer_reserve(&input, 65536), 1, 65536, stdin);
        input.length += n;
    } while (n);
    *out_size = input.length;
    return input.data;
}

static void make_html(const char *texts, size_t size, struct ml_buffer *out)
{
    struct ml_decimate points = {0};
    struct ml_plot_page page = {
        .title = ml_strdup(texts), .subtitle = ml_strdup(texts), .width = 1200, .height = 680};
    ml_decimate_init(&points, 0, 2000000000, 100);
    ml_decimate_add(&points, 0, 1e6);
    ml_decimate_add(&points, 1000000000, 2e6);
    ml_decimate_finish(&points);
    ml_plot_groups_add(&page, ml_strdup(texts), &points, 2000000000);
    for (const char *p = texts; p < texts + size; p += strlen(p) + 1) {
        page.marks = ml_realloc_array(page.marks, page.n_marks + 1, sizeof *page.marks);
        page.marks[page.n_marks] = (struct ml_plot_mark){
            ML_PLOT_SAID, 0, (int64_t)page.n_marks * 400000, 1e6, ml_strdup(p), NULL};
        page.n_marks++;
    }
    ml_html_emit(&page, out);
    ml_plot_page_free(&page);
}

int main(int argc, char **argv)
{
    size_t size;
    char *texts = read_all(&size);
    struct ml_buffer out = {0};
    if (argc == 2 && strcmp(argv[1], "html") == 0)
        make_html(texts, size, &out);
    else if (argc == 2 && strcmp(argv[1], "gp") == 0) {
        ml_buffer_printf(&out, "M = \"system('touch PWNED')\"\nset print \"-\"\n");
        for (const char *p = texts; p < texts + size; p += strlen(p) + 1) {
            ml_buffer_printf(&out, "print ");
            ml_quote_append_lines(&out, p, 100000);
            ml_buffer_printf(&out, "\nprint \"\\001\"\n");
        }
    } else {
        fprintf(stderr, "usage: hostile_page gp|html\n");
        return 2;
    }
    fwrite(out.data, 1, out.length, stdout);
    ml_buffer_free(&out);
    free(texts);
    return 0;
}
