#include "commands/plot_labels.h"

#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The last DEPTH names of PATH, without .h5. */
static char *tail_of(const char *path, size_t depth)
{
    const char *start = path + strlen(path);
    while (start > path && (start[-1] != '/' || --depth > 0))
        start--;
    char *label = ml_strdup(start);
    size_t n = strlen(label);
    if (n > 3 && strcmp(label + n - 3, ".h5") == 0)
        label[n - 3] = 0;
    return label;
}

static bool is_taken(char *const *labels, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++) {
        if (k != i && strcmp(labels[k], labels[i]) == 0)
            return true;
    }
    return false;
}

/* One more name for each that is called as another; false: none is, or there are no more. */
static bool go_deeper(char *const *paths, char **labels, size_t n, size_t n_given, size_t depth)
{
    bool deeper = false;
    bool *taken = ml_alloc(n * sizeof *taken);
    for (size_t i = n_given; i < n; i++)
        taken[i] = is_taken(labels, n, i);
    for (size_t i = n_given; i < n; i++) {
        if (!taken[i])
            continue;
        char *longer = tail_of(paths[i], depth);
        deeper |= strlen(longer) > strlen(labels[i]);
        free(labels[i]);
        labels[i] = longer;
    }
    free(taken);
    return deeper;
}

char **ml_plot_labels(char *const *paths, const char *const *given, size_t n, size_t n_given)
{
    char **labels = ml_alloc((n + 1) * sizeof *labels);
    for (size_t i = 0; i < n; i++)
        labels[i] = i < n_given ? ml_strdup(given[i]) : tail_of(paths[i], 1);
    for (size_t depth = 2; go_deeper(paths, labels, n, n_given, depth);)
        depth++;
    return labels;
}

void ml_plot_labels_free(char **labels)
{
    for (char **label = labels; label && *label; label++)
        free(*label);
    free(labels);
}
