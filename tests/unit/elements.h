/* How many elements an array has. */
#ifndef ML_TESTS_ELEMENTS_H
#define ML_TESTS_ELEMENTS_H

#define N(array) (sizeof(array) / sizeof *(array))

#endif
