# SPDX-License-Identifier: MIT
"""generate.py -- what a small server does: loads models one after the other and generates.

    python generate.py [--pause SECONDS] [--tokens N] [--prompt-cache FILE] [--more N] FOLDER...

Two generations on each model, and N more.  Prints what was generated; on stderr what the
cache holds after each pause.  The prompt cache is read back before the second.
"""

import argparse
import gc
import sys
import time

import mlx.core as mx
from mlx_lm import generate, load
from mlx_lm.models.cache import load_prompt_cache, make_prompt_cache, save_prompt_cache

p = argparse.ArgumentParser()
p.add_argument("--pause", type=float, default=0.6)
p.add_argument("--tokens", type=int, default=24)
p.add_argument("--prompt-cache")
p.add_argument("--more", type=int, default=0)
p.add_argument("folders", nargs="+")
args = p.parse_args()

for folder in args.folders:
    model, tokenizer = load(folder)
    cache = None
    for prompt in ["hello", "what else"] + ["and more"] * args.more:
        if args.prompt_cache:
            cache = load_prompt_cache(args.prompt_cache) if cache else make_prompt_cache(model)
        text = generate(model, tokenizer, prompt, max_tokens=args.tokens, prompt_cache=cache)
        print(folder, repr(text), flush=True)
        if args.prompt_cache:
            save_prompt_cache(args.prompt_cache, cache)
        time.sleep(args.pause)
        print("cached", mx.get_cache_memory(), file=sys.stderr)
    del model, cache
    gc.collect()
