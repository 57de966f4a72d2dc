"""Does little but allocate, in Python: tables of byte strings that are larger than what the interpreter
has from its own arenas, so many times (10). Prints CPU time."""
import sys
import time

begin = time.process_time()
for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 10):
    table = {i: bytes(600 + i % 400) for i in range(100000)}
    del table
print(f"{time.process_time() - begin:.4f} s")
