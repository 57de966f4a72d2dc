"""mpi4py: calls that the program counts itself."""
import json
import sys

from mpi4py import MPI

world = MPI.COMM_WORLD
rank, nranks = world.Get_rank(), world.Get_size()
buffer = bytearray(24)
for _ in range(40):
    request = world.Irecv([buffer, MPI.CHAR], (rank - 1) % nranks, 1)
    world.Send([b"x" * 24, MPI.CHAR], (rank + 1) % nranks, 1)
    request.Wait()
    world.Barrier()
for _ in range(10):
    world.Iprobe(MPI.ANY_SOURCE, 9)
sys.stdout.write(f"rank {rank}: " + json.dumps({
    "MPI_Irecv": [40, 0, 0], "MPI_Send": [40, 40, 960], "MPI_Wait": [40, 0, 0],
    "MPI_Barrier": [40, 0, 0], "MPI_Iprobe": [10, 0, 0]}) + "\n")
sys.stdout.flush()
