/* Status and text of a failure: what is lost, and one line that names the thing and the errno.
 *
 * Library code never prints: it fills the text where the failure is first decided, and callers
 * pass the status on. */
#ifndef ML_BASE_ERROR_H
#define ML_BASE_ERROR_H

/* What a failure costs, worst last, so that the maximum over ranks is the verdict of all. */
enum ml_status {
    ML_OK,
    ML_SAMPLE_LOST,
    ML_PROCESS_LOST,
    ML_NODE_LOST,
    ML_RUN_LOST,
};

struct ml_error {
    char text[512]; /* one line, no newline, no prefix */
};

/* Formats ERR's text and returns STATUS. ERR may be NULL. */
enum ml_status ml_fail(struct ml_error *err, enum ml_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As ml_fail, with ": " and the text of the present errno appended. */
enum ml_status ml_fail_errno(struct ml_error *err, enum ml_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
