/* Run files that tests/data/make_run.py makes up, in a folder of the test's own. */
#ifndef ML_TESTS_UNIT_MADE_UP_H
#define ML_TESTS_UNIT_MADE_UP_H

/* Makes run.h5 with OPTIONS (as a shell reads them) in a new temporary folder, or anew in the one
 * that there is already; its path, owned here. Fails the test if Python with h5py is not there. */
const char *made_up_run(const char *options);

/* Removes the folder. */
void made_up_remove(void);

#endif
