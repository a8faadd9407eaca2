# SPDX-License-Identifier: MIT
"""steps.py -- small programs that use MLX directly, one for each name.

    python steps.py NAME [ARGUMENT...]

What they print depends on the engine alone, so that it is the same with the guard.
"""

import ctypes
import os
import sys
import threading
import time

import mlx.core as mx

import engine

# To 0.24.0 these were functions of mx.metal.
for name in (
    "set_wired_limit",
    "set_cache_limit",
    "set_memory_limit",
    "get_cache_memory",
    "get_active_memory",
    "clear_cache",
):
    if not hasattr(mx, name):
        setattr(mx, name, getattr(mx.metal, name))


def limits():
    """Sets limits, reads what comes back, puts back what was there."""
    for name in "wired", "cache", "memory":
        put = getattr(mx, f"set_{name}_limit")
        first = put(1 << 30)
        print(name, "own" if name == "memory" else first)
        print(name, put(3 << 20), put(64 << 20), put(2 << 30))
        put(first)
        print(name, put(5 << 20) == first)
        put(first)
    print("memory", mx.set_memory_limit(1 << 40) > 0)
    big = [mx.ones((1 << 20,)) * i for i in range(16)]
    mx.eval(big)
    del big
    print("cached", mx.get_cache_memory(), file=sys.stderr)


def hard():
    """A server that has 32 GB written into it, as one for vLLM's interface has."""
    for put in mx.set_wired_limit, mx.set_memory_limit, mx.set_cache_limit:
        first, again = put(32 << 30), put(32 << 30)
        print(put.__name__, again)
    print("memory", mx.get_memory_limit())
    print(float((mx.ones((64, 64)) @ mx.ones((64, 64))).sum()))
    print("engine", engine.function(b"_ZN3mlx4core16get_memory_limitEv")(), file=sys.stderr)


def many():
    """One evaluation of many arrays that depend on each other."""
    shared = mx.random.normal((64, 64), key=mx.random.key(7))
    arrays = [(shared @ shared) + i for i in range(14)]
    mx.eval(arrays)
    print([round(float(a.sum()), 3) for a in arrays])
    more = {str(i): mx.full((8, 8), i) for i in range(13)}
    mx.async_eval(more)
    print(sum(float(a.sum()) for a in more.values()))
    del arrays, more, shared
    print(mx.get_active_memory() < 4096)


def throws():
    """An evaluation that fails, is caught, and the next one."""
    mx.save_safetensors("whole.safetensors", {"a": mx.ones((4096,))})
    for _ in range(3):
        a = mx.load("whole.safetensors")["a"]
        with open("whole.safetensors", "r+b") as f:
            f.truncate(200)
        try:
            mx.eval(a)
            print("no error")
        except RuntimeError as e:
            print(type(e).__name__, str(e)[:30])
        mx.save_safetensors("whole.safetensors", {"a": mx.ones((4096,))})
    print(float(mx.ones((10,)).sum()))


def huge():
    """More than there is; and a model after it."""
    big = (1 << 20, 1 << 20, 1 << 10)
    try:
        mx.eval(mx.zeros(big, mx.uint8) + mx.ones(big, mx.uint8))
    except RuntimeError as e:
        print(type(e).__name__, e)
    print(float(mx.ones((10,)).sum()))
    os.makedirs("m", exist_ok=True)
    with open("m/config.json", "w") as f:
        f.write('{"model_type": "llama"}')
    mx.save_safetensors("m/model.safetensors", {"a": mx.ones((4096,))})
    try:
        print(sorted(mx.load("m/model.safetensors")))
    except RuntimeError as e:
        print(type(e).__name__, e)


def step(state, size=400):
    with mx.stream(mx.default_device()):
        state = (state @ state) / size
    mx.eval(state)
    return state


def together():
    """Threads that generate at the same time, each a few steps. Behind each step a thread
    gives another one the time to make one, if that can."""
    order, gate, made = [], threading.Barrier(3), threading.Condition()

    def generate(n):
        state = mx.random.normal((400, 400), key=mx.random.key(n))
        gate.wait()
        for _ in range(6):
            state = step(state)
            with made:
                order.append(n)
                made.notify_all()
                made.wait_for(lambda: order[-1] != n, timeout=0.1)

    threads = [threading.Thread(target=generate, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(len(order))
    # How often another thread had the engine between two steps of one.
    print("changes", sum(a != b for a, b in zip(order, order[1:])), file=sys.stderr)


def bracket():
    """A generation, and two with no pause between, in brackets of the wired limit, as mlx_lm
    makes them: nothing is waited for when the limit has been put back."""
    cached = engine.cache_memory()

    def generate(n):
        x = mx.random.normal((300, 300), key=mx.random.key(n))
        for _ in range(3):
            x = step(x, 300)
        print(n, f"{float(mx.abs(x).sum()):.2e}")

    generate(0)
    print("cached", cached(), file=sys.stderr)
    for n in 1, 2:
        before = mx.set_wired_limit(1 << 20)
        generate(n)
        mx.set_wired_limit(before)
        print("cached", cached(), file=sys.stderr)


def background():
    """A daemon thread computes without an end; the main thread ends the program."""

    begun = threading.Event()

    def generate():
        state = mx.random.normal((400, 400), key=mx.random.key(1))
        while True:
            state = step(state)
            begun.set()

    threading.Thread(target=generate, daemon=True).start()
    begun.wait()
    time.sleep(0.3)
    print("leaving", flush=True)
    if len(sys.argv) > 2:
        time.sleep(60)
    os._exit(3)


def told():
    """What was begun fails while its thread waits for something else, which then reads it."""

    def compute():
        big = mx.ones((1500, 1500))
        a = mx.linalg.inv((big @ big)[:4, :4] * 0, stream=mx.cpu)  # not before async_eval is over
        mx.async_eval(a)
        threading.Event().wait(1)
        try:
            print(a.tolist())
        except RuntimeError as e:
            print(e)

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()


def pending():
    """Ends with work in flight on a stream of its own."""
    stream = mx.new_stream(mx.default_device())
    x = mx.random.normal((500, 500), key=mx.random.key(3))
    mx.eval(x)
    with mx.stream(stream):
        for _ in range(4):
            x = x @ x / 500
    mx.async_eval(x)
    print("ended", flush=True)
    sys.exit(5)


def leave():
    """Ends in the way that is named, with memory wired and work begun."""
    mx.set_wired_limit(1 << 20)
    x = mx.random.normal((300, 300), key=mx.random.key(3))
    mx.eval(x)
    mx.async_eval(x @ x)
    print("leaving", flush=True)
    way = sys.argv[2]
    if way == "exit":
        sys.exit(5)
    if way == "raise":
        raise ValueError("the end")
    if way == "_exit":
        os._exit(6)
    if way == "late":
        with open("/proc/self/maps") as f:
            lib = ctypes.CDLL(next(l.split()[-1] for l in f if l.endswith("/libmlx.so\n")))
        late = ctypes.cast(lib._ZN3mlx4core11synchronizeEv, ctypes.c_void_p)
        ctypes.CDLL(None).__cxa_atexit(late, None, None)


def read():
    """Reads a model and never computes with it; a second argument waits to be killed. One
    that is not there is read by a program that has computed before."""
    if not os.path.exists(sys.argv[2]):
        mx.eval(mx.ones((4,)))
    mx.load(sys.argv[2] + "/model.safetensors")
    print("read", flush=True)
    if len(sys.argv) > 3:
        time.sleep(60)


def gguf():
    """A file of the other kind, written and read."""
    mx.save_gguf("Tiny-F32.gguf", {"a": mx.ones((64, 64)), "b": mx.ones((8,))})
    arrays = mx.load("Tiny-F32.gguf")
    mx.eval(arrays)
    print(sorted(arrays), float(arrays["a"].sum()))


def streams():
    """What the program has opened itself: the file of a model, and a cache of its own."""
    with open(sys.argv[2] + "/model.safetensors", "rb") as f:
        arrays = mx.load(f, format="safetensors")
        mx.eval(arrays)
    print(len(arrays))
    os.makedirs("kept", exist_ok=True)
    mx.save_safetensors("kept/cache.safetensors", {"k": mx.ones((64, 64))})
    with open("kept/cache.safetensors", "rb") as f:
        arrays = mx.load(f, format="safetensors")
        mx.eval(arrays)
    print(len(arrays))
    if len(sys.argv) > 3:  # another model, by its path and unevaluated when the first is read
        by_path = mx.load(sys.argv[3] + "/model.safetensors")
        with open(sys.argv[2] + "/model.safetensors", "rb") as f:
            mx.eval(mx.load(f, format="safetensors"))
        mx.eval(by_path)
    print(len(arrays), flush=True)
    os._exit(0)  # with readers of Python alive newer versions die at the end


globals()[sys.argv[1]]()
