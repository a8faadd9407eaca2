# SPDX-License-Identifier: MIT
"""cupy_check.py -- CuPy on an NVIDIA GPU, for `make check-gpu`: allocations, the asynchronous
pool, a kernel that is compiled at run time, a graph.  Prints the same at every run."""
import cupy

a = cupy.arange(1000, dtype=cupy.float64)
print("sum", float((a * a).sum()))
add = cupy.RawKernel(
    'extern "C" __global__ void add(float *x) { x[threadIdx.x] += 1; }', "add"
)
x = cupy.zeros(256, dtype=cupy.float32)
for _ in range(10):
    add((1,), (256,), (x,))
print("sum", float(x.sum()))
cupy.cuda.set_allocator(cupy.cuda.MemoryAsyncPool().malloc)
b = [cupy.ones(1 << 18, dtype=cupy.float32) for _ in range(16)]
print("sum", float(sum(t[0] for t in b)))
del b
cupy.cuda.set_allocator(cupy.cuda.MemoryPool().malloc)
stream = cupy.cuda.Stream(non_blocking=True)
with stream:
    x.fill(0)
    stream.synchronize()
    stream.begin_capture()
    for _ in range(5):
        add((1,), (256,), (x,))
    graph = stream.end_capture()
    for _ in range(4):
        graph.launch(stream)
    stream.synchronize()
print("sum", float(x.sum()))
cupy.get_default_memory_pool().free_all_blocks()
