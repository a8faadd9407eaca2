# SPDX-License-Identifier: MIT
"""hold.py -- a program that goes from model to model, in one of several ways.

    python hold.py keep|rebind [--tokens N] FOLDER...

Loads each folder, generates on it, and, when it keeps them, once more on each that it has.
rebind: the old one goes when the variable gets the new one, after that was loaded.
A folder that cannot be loaded is passed over; what was said is printed.
"""

import argparse

from mlx_lm import generate, load

p = argparse.ArgumentParser()
p.add_argument("way", choices=["keep", "rebind"])
p.add_argument("--tokens", type=int, default=8)
p.add_argument("folders", nargs="+")
args = p.parse_args()
kept = []


def speak(name, model, tokenizer):
    print(name, repr(generate(model, tokenizer, "hello", max_tokens=args.tokens)), flush=True)


for folder in args.folders:
    try:
        model, tokenizer = load(folder)
    except Exception as e:  # whatever the engine makes of it
        print(folder, type(e).__name__, "refused by taffrail" in str(e), flush=True)
        continue
    speak(folder, model, tokenizer)
    if args.way == "keep":
        kept.append((folder, model, tokenizer))
        for one in kept:
            speak(*one)
