# SPDX-License-Identifier: MIT
"""numba_check.py -- Numba on an NVIDIA GPU, for `make check-gpu`: kernels of its own compiler,
streams, memory that is pinned.  Prints the same at every run."""
import warnings

import numpy
from numba import cuda

warnings.simplefilter("ignore")  # of small grids


@cuda.jit
def add_one(x):
    i = cuda.grid(1)
    if i < x.size:
        x[i] += 1


stream = cuda.stream()
host = cuda.pinned_array(4096, dtype=numpy.int32)
host[:] = 0
x = cuda.to_device(host, stream=stream)
for _ in range(50):
    add_one[32, 128, stream](x)
x.copy_to_host(host, stream=stream)
stream.synchronize()
print("sum", int(host.sum()))
