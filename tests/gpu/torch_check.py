# SPDX-License-Identifier: MIT
"""torch_check.py -- PyTorch on an NVIDIA GPU, for `make check-gpu`.

    torch_check.py CASE     prints the same at every run
    torch_check.py speed    prints "matmuls a second" and "tokens a second", two numbers
"""
import statistics
import sys
import threading
import time

import torch

gpu = torch.device("cuda:0")


def numbers():
    torch.manual_seed(1)
    a = torch.randn(256, 256, device=gpu, dtype=torch.float64)
    print("sum %.6f" % (a @ a.T).sum().item())


def allocate():
    kept = [torch.full((1 << 20,), i, device=gpu, dtype=torch.float32) for i in range(32)]
    print("sum", int(sum(t[0].item() for t in kept)))
    del kept[::2]
    torch.cuda.empty_cache()
    numbers()


def graph():
    x = torch.zeros(1024, device=gpu)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            x.add_(0)
    torch.cuda.current_stream().wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        for _ in range(10):
            x.add_(1)
    x.zero_()
    for _ in range(20):
        captured.replay()
    torch.cuda.synchronize()
    print("sum", int(x.sum().item()))


# What vLLM does: kernels that Triton makes, in graphs.
def compiled():
    torch.manual_seed(1)
    x = torch.randn(64, 64, device=gpu)
    f = torch.compile(lambda t: torch.nn.functional.silu(t) * 2 + t, mode="reduce-overhead")
    with torch.no_grad():
        for _ in range(20):
            y = f(x).clone()
    print("sum %.3f" % y.sum().item())


def threads():
    sums = [0] * 8

    def work(i):
        with torch.cuda.stream(torch.cuda.Stream()):
            for _ in range(20):
                t = torch.full((1000,), i, device=gpu, dtype=torch.float64)
                sums[i] += int(t.sum().item())

    all_of_them = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in all_of_them:
        t.start()
    for t in all_of_them:
        t.join()
    print("sums", sums)


def child(i, q):
    q.put(int(torch.full((1000,), i, device=gpu).sum().item()))


def processes():
    many = torch.multiprocessing.get_context("spawn")
    q = many.Queue()
    ps = [many.Process(target=child, args=(i, q)) for i in range(3)]
    for p in ps:
        p.start()
    print("sums", sorted(q.get() for _ in ps))
    for p in ps:
        p.join()
    print("ended with", [p.exitcode for p in ps])


def in_fork(_, q):
    try:
        torch.zeros(1, device=gpu)
        q.put("a tensor")
    except Exception as e:  # the text names no numbers of the run
        q.put(type(e).__name__)


def fork():
    numbers()
    many = torch.multiprocessing.get_context("fork")
    q = many.Queue()
    p = many.Process(target=in_fork, args=(0, q))
    p.start()
    print("in a fork child:", q.get())
    p.join()
    numbers()


def short():
    try:
        torch.empty(1 << 50, dtype=torch.uint8, device=gpu)
    except RuntimeError as e:
        print(type(e).__name__)
    numbers()


def leave():
    a = torch.randn(2048, 2048, device=gpu)
    for _ in range(50):
        a = a @ a
    print("leaving")


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = torch.nn.LayerNorm(width)
        self.up = torch.nn.Linear(width, 4 * width)
        self.down = torch.nn.Linear(4 * width, width)

    def forward(self, x):
        return x + self.down(torch.nn.functional.gelu(self.up(self.norm(x))))


def speed():
    a = torch.randn(1024, 1024, device=gpu, dtype=torch.float16)
    model = torch.nn.Sequential(*[Block(1024) for _ in range(12)]).to(gpu).half()
    head = torch.nn.Linear(1024, 32000).to(gpu).half()
    table = torch.randn(32000, 1024, device=gpu, dtype=torch.float16)

    def matmuls(n):
        b = a
        for _ in range(n):
            b = torch.mm(a, a)
        torch.cuda.synchronize()
        return b

    # A token is launches of small kernels, then a number that comes back to the host.
    def tokens(n):
        token = 1
        for _ in range(n):
            token = int(head(model(table[token].unsqueeze(0))).argmax().item())
        return token

    # The middle of many short runs: what else the machine does hits some of them.
    def rate(work, n, runs):
        work(n)
        took = []
        for _ in range(runs):
            begin = time.perf_counter()
            work(n)
            took.append(time.perf_counter() - begin)
        return n / statistics.median(took)

    with torch.no_grad():
        print("%.1f %.1f" % (rate(matmuls, 1000, 40), rate(tokens, 50, 60)))


if __name__ == "__main__":
    if not torch.cuda.is_available():
        print("this PyTorch has no CUDA")
        sys.exit(77)
    cases = [numbers, allocate, graph, compiled, threads, processes, fork, short, leave, speed]
    {f.__name__: f for f in cases}[sys.argv[1]]()
