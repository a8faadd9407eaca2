# SPDX-License-Identifier: MIT
"""mlx_tokens.py -- tokens a second of mlx_lm, bare and guarded, in turn (bench_mlx.sh).

    python mlx_tokens.py LIBRARY MODEL        the bench: starts copies of itself, two of them
                                              with the library preloaded
    python mlx_tokens.py guest MODEL          one copy: a line in, a figure out

Copies load the model, one bare, one under the built-in policy, one that drains
after each generation.  Each of a round makes one generation, and they run by turns:
one has the processor for SLICE_MS while the others are stopped (SIGSTOP), so that
what else the machine does in these seconds meets all of them alike.  A copy's time is
the sum of its slices; what goes on without it (a flush of the log that a slice ends in)
is not in it, which is a millisecond in some rounds.  The pause between rounds is long
enough for a generation to end.  An evaluation of nothing is timed by the copy itself.
They are started anew a few times (STARTS=5), because where their memory came to lie
lasts as long as they do; each time they make some 1440 tokens each, in generations of
TOKENS=96: what a generation costs once, a flush of its begin, weighs by their length.
"""

import os
import random
import select
import signal
import statistics
import subprocess
import sys
import time

STARTS = int(os.environ.get("STARTS", 5))
TOKENS = int(os.environ.get("TOKENS", 96))
PAIRS_EACH, LOOPS, SLICE_MS = max(1, 1440 // TOKENS), 20000, 15
POST = "drain.post_sync=on;drain.post_clear=on"


def guest(folder):
    import mlx.core as mx
    from mlx_lm import load, stream_generate

    model, tokenizer = load(folder)
    done = mx.ones((4,))
    mx.eval(done)
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "eval":
            begin = time.perf_counter()
            for _ in range(LOOPS):
                mx.eval(done)
            print((time.perf_counter() - begin) / LOOPS * 1e9, flush=True)
        else:
            n = sum(1 for _ in stream_generate(model, tokenizer, "hello there", max_tokens=TOKENS))
            print(n, time.monotonic_ns(), flush=True)


class Copy:
    def __init__(self, env, model):
        self.p = subprocess.Popen([sys.executable, __file__, "guest", model], text=True,
                                  env={**os.environ, **env}, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.p.stdout.readline() == "ready\n"

    def ask(self, what):
        self.p.stdin.write(what + "\n")
        self.p.stdin.flush()

    def evaluate(self):
        self.ask("eval")
        return float(self.p.stdout.readline())

    def run_slice(self):
        """Runs until the slice or the generation is over; true when it is the generation."""
        begin = time.monotonic_ns()
        self.p.send_signal(signal.SIGCONT)
        is_over = select.select([self.p.stdout], [], [], SLICE_MS / 1000)[0]
        if not is_over:
            self.p.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.p.pid, os.WSTOPPED | os.WNOWAIT)
        end = time.monotonic_ns()
        if is_over:
            self.tokens, end = map(int, self.p.stdout.readline().split())
        self.ns += end - begin
        return is_over

    def rate(self):
        return self.tokens / self.ns * 1e9


def generate(copies):
    """One generation of each; their rates in tokens a second."""
    for c in copies:
        c.ns = 0
        c.p.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, c.p.pid, os.WSTOPPED | os.WNOWAIT)
        c.ask("tokens")
    left = list(copies)
    while left:
        for c in random.sample(left, len(left)):
            if c.run_slice():
                left.remove(c)
    return [c.rate() for c in copies]


def row(what, bare, with_it, unit, goal, is_ratio):
    pairs = sorted(b / a if is_ratio else b - a for a, b in zip(bare, with_it))
    # The 95 % interval of a median, from order statistics.
    k = max(0, int(len(pairs) / 2 - 0.98 * len(pairs) ** 0.5))
    text = (lambda x: f"x{x:.4g}") if is_ratio else (lambda x: f"{x:.4g}{unit}")
    print(f"| {what} | {statistics.median(bare):.4g} {unit} | {statistics.median(with_it):.4g} {unit} "
          f"| {text(statistics.median(pairs))} | {pairs[k]:.4g} .. {pairs[-1 - k]:.4g} "
          f"| {len(pairs)} | {goal} |", flush=True)


def measure(envs, model, got, evals):
    copies = [Copy(env, model) for env in envs]
    # Where they share one processor, who stops them must not wait for it.
    os.sched_setaffinity(0, range(os.cpu_count()))
    generate(copies)
    for i in range(PAIRS_EACH):
        for rates, rate in zip(got, generate(copies)):
            rates.append(rate)
        for c in (0, 1) if i % 2 else (1, 0):
            evals[c].append(copies[c].evaluate())
    for c in copies:
        c.p.stdin.close()
        c.p.wait()


def main(library, model):
    shim = {"LD_PRELOAD": library}
    envs = [{}, shim, {**shim, "TAFFRAIL_SET": POST}]
    got = [[], [], []]
    evals = [[], []]
    for _ in range(STARTS):
        measure(envs, model, got, evals)
    print("| what | bare | guarded | median of pairs | 95 % interval | pairs | goal |")
    print("|---|---|---|---|---|---|---|")
    row(f"mlx_lm, tokens a second, {TOKENS} a generation, built-in policy", got[0], got[1], "/s", "at least x0.99", True)
    row("the same, post_sync and post_clear", got[0], got[2], "/s", "at least x0.97", True)
    row("mx.eval of what is evaluated, in Python", evals[0], evals[1], "ns", "at most +30 ns", False)


if sys.argv[1] == "guest":
    guest(sys.argv[2])
else:
    main(sys.argv[1], sys.argv[2])
