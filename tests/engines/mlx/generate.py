# SPDX-License-Identifier: MIT
"""generate.py -- what a small server does: loads models one after the other and generates.

    python generate.py [--pause SECONDS] [--tokens N] [--prompt-cache FILE] [--more N]
                       [--wired] [--sync] FOLDER...

Two generations on each model, and N more. Prints what was generated. On stderr what the
cache holds, past the guard (engine.py): `began` with the first token of each, `ended` behind
it and `idle` behind the pause. The prompt cache is read back before the second. --wired: as
on a Mac, mlx_lm raises the wired limit round each generation. --sync: a synchronize behind
the pause, and `next` behind it.
"""

import argparse
import gc
import sys
import time

import mlx.core as mx
from mlx_lm import load, stream_generate
from mlx_lm.models.cache import load_prompt_cache, make_prompt_cache, save_prompt_cache

import engine

p = argparse.ArgumentParser()
p.add_argument("--pause", type=float, default=0.6)
p.add_argument("--tokens", type=int, default=24)
p.add_argument("--prompt-cache")
p.add_argument("--more", type=int, default=0)
p.add_argument("--wired", action="store_true")
p.add_argument("--sync", action="store_true")
p.add_argument("folders", nargs="+")
args = p.parse_args()

cached = engine.cache_memory()
if args.wired:
    mx.metal.is_available = lambda: True
    mx.device_info = mx.metal.device_info = lambda *_: {
        "max_recommended_working_set_size": 1 << 30
    }


def tell(when):
    print(when, cached(), file=sys.stderr)


def generate(model, tokenizer, prompt, cache):
    text = ""
    for i, r in enumerate(
        stream_generate(model, tokenizer, prompt, max_tokens=args.tokens, prompt_cache=cache)
    ):
        if not i:
            tell("began")
        text += r.text
    tell("ended")
    return text


for folder in args.folders:
    model, tokenizer = load(folder)
    cache = None
    for prompt in ["hello " * 40, "what else"] + ["and more"] * args.more:
        if args.prompt_cache:
            cache = load_prompt_cache(args.prompt_cache) if cache else make_prompt_cache(model)
        print(folder, repr(generate(model, tokenizer, prompt, cache)), flush=True)
        if args.prompt_cache:
            save_prompt_cache(args.prompt_cache, cache)
        time.sleep(args.pause)
        tell("idle")
        if args.sync:
            mx.synchronize()
            tell("next")
    del model, cache
    gc.collect()
