/* One-line messages to the person, on stderr: "memlog-mpi: n03: what was seen; what to do".
 * For the programs (recorder/, launch/, commands/) only; library code returns an ml_error. */
#ifndef ML_BASE_LOG_H
#define ML_BASE_LOG_H

enum ml_log_level { ML_LOG_ERROR, ML_LOG_WARNING, ML_LOG_NOTICE, ML_LOG_DETAIL };

/* PROGRAM is the prefix; NODE (may be NULL) follows it where messages of several nodes mix.
 * Messages above LEVEL are dropped. The strings must outlive the process. */
void ml_log_setup(const char *program, const char *node, enum ml_log_level level);

/* Writes one line with one write(2), so that lines of many ranks do not mix. A live line that
 * ml_log_status left on the terminal is cleared first. */
void ml_log(enum ml_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Replaces the live line on the terminal behind stderr; "" removes it. */
void ml_log_status(const char *text);

#endif
