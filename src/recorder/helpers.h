/* The helper processes that the starter knows, by their place in its table. */
#ifndef ML_RECORDER_HELPERS_H
#define ML_RECORDER_HELPERS_H

enum ml_helper { ML_HELPER_HOST, ML_HELPER_STACKS, ML_HELPER_GPUS };

#endif
