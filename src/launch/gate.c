#include "launch/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void ml_gate_close(struct ml_gate *gate)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0)
        *gate = (struct ml_gate){.wait = ends[0], .hold = ends[1]};
}

bool ml_gate_is_open(const struct ml_gate *gate)
{
    return gate->wait < 0;
}

void ml_gate_open(struct ml_gate *gate)
{
    if (ml_gate_is_open(gate))
        return;
    close(gate->hold);
    close(gate->wait);
    *gate = ML_GATE_OPEN;
}

void ml_gate_wait(const struct ml_gate *gate)
{
    char nothing;
    if (ml_gate_is_open(gate))
        return;
    close(gate->hold);
    while (read(gate->wait, &nothing, 1) < 0 && errno == EINTR) {
    }
}
