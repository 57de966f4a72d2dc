/* How a report is to look. */
#ifndef ML_REPORT_STYLE_H
#define ML_REPORT_STYLE_H

#include <stdbool.h>

struct ml_style {
    int width; /* columns of the terminal */
    bool colour;
    bool utf8;
};

#endif
