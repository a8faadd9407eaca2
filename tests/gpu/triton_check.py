# SPDX-License-Identifier: MIT
"""triton_check.py -- a Triton kernel on an NVIDIA GPU, for `make check-gpu`: modules that are
loaded and launched through the driver, beside PyTorch's runtime.  Prints the same at every run."""
import torch
import triton
import triton.language as tl


@triton.jit
def add_one(p, n, block: tl.constexpr):
    at = tl.program_id(0) * block + tl.arange(0, block)
    tl.store(p + at, tl.load(p + at, mask=at < n) + 1, mask=at < n)


x = torch.zeros(10000, device="cuda", dtype=torch.int32)
for _ in range(100):
    add_one[(triton.cdiv(x.numel(), 1024),)](x, x.numel(), block=1024)
print("sum", int(x.sum().item()))
