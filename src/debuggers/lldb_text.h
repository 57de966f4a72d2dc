/* What lldb (13 and later) prints, when its formats are set as here. Pure. */
#ifndef ML_DEBUGGERS_LLDB_TEXT_H
#define ML_DEBUGGERS_LLDB_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The values of lldb's settings `frame-format` and `thread-format`: fields behind the unit
 * separator. What stands in braces is left out where lldb does not know it. */
#define ML_LLDB_FRAME_FORMAT                                                                       \
    "\"F\\x1f${frame.pc}\\x1f{${module.file.fullpath}}\\x1f{${function.mangled-name}}"             \
    "\\x1f{${function.name}}\\x1f{${line.file.fullpath}}\\x1f{${line.number}}"                     \
    "\\x1f{${frame.is-artificial}artificial}\\n\""
#define ML_LLDB_THREAD_FORMAT "\"T\\x1f${thread.id%tid}\\n\""

enum ml_lldb_kind {
    ML_LLDB_OTHER, /* an echo, a warning, a line that is cut */
    ML_LLDB_THREAD,
    ML_LLDB_FRAME,
    ML_LLDB_ERROR,
};

/* Texts point into the line. */
struct ml_lldb_line {
    pid_t thread; /* of ML_LLDB_THREAD */
    /* of ML_LLDB_FRAME */
    uint64_t pc;
    const char *module; /* "[vdso]"; "" for code of no file */
    const char *symbol; /* as ml_function_name takes it; "" unknown */
    const char *file;   /* "" unknown */
    int32_t line;       /* -1 unknown */
    bool inlined;
    bool artificial; /* a tail call that lldb has worked out: there is no such frame on the stack */
    const char *error; /* of ML_LLDB_ERROR: without "error: " */
};

/* What LINE says; it is cut into its fields for that. */
enum ml_lldb_kind ml_lldb_line_parse(char *line, struct ml_lldb_line *out_line);

/* Whether LINE is lldb's complaint about the unknown command WORD, which marks the end of what came
 * before: "error: 'WORD' is not a valid command." The echo "(lldb) WORD" is none. */
bool ml_lldb_is_end(const char *line, const char *word);

/* 14 of "lldb version 14.0.6"; -1 if LINE is none such. */
int ml_lldb_version_parse(const char *line);

#endif
