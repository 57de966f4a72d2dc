"""cuda_hold MIB SECONDS: each rank takes MIB << rank of the first GPU by CUDA's driver API and holds
it for SECONDS. libcuda.so.1 comes with NVIDIA's driver; nothing of CUDA is needed else."""
import ctypes
import os
import sys
import time

cuda = ctypes.CDLL("libcuda.so.1")


def call(name, *arguments):
    result = getattr(cuda, name)(*arguments)
    assert result == 0, f"{name}: {result}"


rank = int(os.environ.get("PMIX_RANK", os.environ.get("PMI_RANK", 0)))
size = ctypes.c_size_t(int(sys.argv[1]) << 20 << rank)
device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
call("cuInit", 0)
call("cuDeviceGet", ctypes.byref(device), 0)
call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
call("cuCtxSetCurrent", context)
call("cuMemAlloc_v2", ctypes.byref(memory), size)
call("cuMemsetD8_v2", memory, 1, size)
call("cuCtxSynchronize")
time.sleep(float(sys.argv[2]))
