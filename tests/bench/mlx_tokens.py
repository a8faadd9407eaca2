# SPDX-License-Identifier: MIT
"""mlx_tokens.py -- tokens a second of mlx_lm, bare and guarded, in turn (bench_mlx.sh).

    python mlx_tokens.py TAFFRAIL MODEL       the bench: starts copies of itself
    python mlx_tokens.py guest MODEL          one copy: a line in, a figure out

Copies load the model, one bare, one under the built-in policy, one that drains
after each generation.  They generate in turn, a generation each, so that a pair
is measured within a second or two; the pause between is long enough for the
others' to end.  An evaluation of nothing is timed the same way.  They are started anew a
few times (STARTS=5), because where their memory came to lie lasts as long as they do.
"""

import os
import statistics
import subprocess
import sys
import time

STARTS = int(os.environ.get("STARTS", 5))
PAIRS_EACH, TOKENS, LOOPS = 60, 24, 20000
POST = ["--set", "drain.post_sync=on", "--set", "drain.post_clear=on"]


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
            begin = time.perf_counter()
            n = sum(1 for _ in stream_generate(model, tokenizer, "hello there", max_tokens=TOKENS))
            print(n / (time.perf_counter() - begin), flush=True)


class Copy:
    def __init__(self, front, model):
        self.p = subprocess.Popen([*front, sys.executable, __file__, "guest", model], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        assert self.p.stdout.readline() == "ready\n"

    def ask(self, what):
        self.p.stdin.write(what + "\n")
        self.p.stdin.flush()
        return float(self.p.stdout.readline())


def row(what, bare, with_it, unit, goal, is_ratio):
    pairs = sorted(b / a if is_ratio else b - a for a, b in zip(bare, with_it))
    # The 95 % interval of a median, from order statistics.
    k = max(0, int(len(pairs) / 2 - 0.98 * len(pairs) ** 0.5))
    text = (lambda x: f"x{x:.4g}") if is_ratio else (lambda x: f"{x:.4g}{unit}")
    print(f"| {what} | {statistics.median(bare):.4g} {unit} | {statistics.median(with_it):.4g} {unit} "
          f"| {text(statistics.median(pairs))} | {pairs[k]:.4g} .. {pairs[-1 - k]:.4g} "
          f"| {len(pairs)} | {goal} |", flush=True)


def measure(fronts, model, got, evals):
    copies = [Copy(front, model) for front in fronts]
    for c in copies:
        c.ask("tokens")
    for i in range(PAIRS_EACH):
        for c in (0, 1, 2) if i % 2 else (2, 1, 0):
            got[c].append(copies[c].ask("tokens"))
        for c in (0, 1) if i % 2 else (1, 0):
            evals[c].append(copies[c].ask("eval"))
    for c in copies:
        c.p.stdin.close()
        c.p.wait()


def main(taffrail, model):
    fronts = [[], [taffrail, "run", "--"], [taffrail, "run", *POST, "--"]]
    got = [[], [], []]
    evals = [[], []]
    for _ in range(STARTS):
        measure(fronts, model, got, evals)
    print("| what | bare | guarded | median of pairs | 95 % interval | pairs | goal |")
    print("|---|---|---|---|---|---|---|")
    row("mlx_lm, tokens a second, built-in policy", got[0], got[1], "/s", "at least x0.99", True)
    row("the same, post_sync and post_clear", got[0], got[2], "/s", "at least x0.97", True)
    row("mx.eval of what is evaluated, in Python", evals[0], evals[1], "ns", "at most +30 ns", False)


if sys.argv[1] == "guest":
    guest(sys.argv[2])
else:
    main(sys.argv[1], sys.argv[2])
