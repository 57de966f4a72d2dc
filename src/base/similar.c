#include "base/similar.h"

#include <string.h>

enum { LETTERS_MAX = 40 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Steps from A to B, both of at most LETTERS_MAX letters. */
static int distance(const char *a, const char *b)
{
    int steps[LETTERS_MAX + 1][LETTERS_MAX + 1];
    int m = (int)strlen(a), n = (int)strlen(b);
    for (int i = 0; i <= m; i++)
        steps[i][0] = i;
    for (int k = 0; k <= n; k++)
        steps[0][k] = k;
    for (int i = 1; i <= m; i++) {
        for (int k = 1; k <= n; k++) {
            int other = steps[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
            steps[i][k] = least(other, least(steps[i - 1][k], steps[i][k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                steps[i][k] = least(steps[i][k], steps[i - 2][k - 2] + 1);
        }
    }
    return steps[m][n];
}

const char *ml_similar(const char *word, const char *const *known, size_t n)
{
    const char *best = NULL;
    size_t length = strlen(word);
    int most = (int)length / 3;
    for (size_t i = 0; length <= LETTERS_MAX && i < n; i++) {
        if (strlen(known[i]) > LETTERS_MAX)
            continue;
        int steps = distance(word, known[i]);
        if (steps <= most && steps > 0) {
            best = known[i];
            most = steps - 1;
        }
    }
    return best;
}
