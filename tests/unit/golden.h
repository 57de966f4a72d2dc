/* Text that is compared with a file. */
#ifndef ML_TESTS_UNIT_GOLDEN_H
#define ML_TESTS_UNIT_GOLDEN_H

/* Compares with tests/data/NAME; MEMLOG_UPDATE_GOLDEN in the environment writes it anew. */
void assert_golden(const char *name, const char *text);

#endif
