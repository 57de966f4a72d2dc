"""known_python.py [nothing]: blocks of Python's own, of numpy and of MPI by mpi4py. "nothing": only
what these need for themselves."""
import os
import sys

import numpy
from mpi4py import MPI

N = 0 if "nothing" in sys.argv else 2000
SIZES = {"bytes": 30000, "numpy": 40000, "mpi": 50000}


def own_bytes():
    return bytearray(SIZES["bytes"] - 1)        # and a 0 behind it


def own_numpy():
    return numpy.empty(SIZES["numpy"], dtype=numpy.uint8)


def own_mpi():
    return MPI.Alloc_mem(SIZES["mpi"])


kept = []
for make in (own_bytes, own_numpy, own_mpi):
    made = [make() for _ in range(N)]
    kept.append(made[::2])
    if make is own_mpi:
        for memory in made[1::2]:
            MPI.Free_mem(memory)
    del made
if MPI.COMM_WORLD.rank == 0:
    for name, size in SIZES.items():
        print(f'{{"owner": "{name}", "size": {size}, "allocated": {N}, "live": {N // 2}}}')
sys.stdout.flush()
MPI.Finalize()
os._exit(0)                                     # what is kept is there until the end
