# SPDX-License-Identifier: MIT
"""ask.py -- a client of a server of models: waits for it, asks, prints the answers in order.

    python3 ask.py llama|mlx PORT [--wait-only] [--clients N] [--tokens N] [--more N] [--pause SECONDS]
        [--together] [--in-turn] [--same] [--seed N] [--chat] [MODEL...]

llama is llama-server, mlx is mlx_lm.server or one like it (chat: by messages). Each model is
asked in turn, by all clients at once, each with a prompt of its own (same: with one and the same)
and for more tokens than the one before, with a pause behind each; without a model the server's
only one. Together: all models at once, and the answers in the order of their names. In turn:
a client asks when the one before has its answer. Seed: client N asks with one, and
mlx_lm.server computes for that by itself.
Temperature 0: the answers are always the same. Behind one of mlx stands how many tokens it has.
"""
import argparse
import json
import sys
import threading
import time
import urllib.error
import urllib.request

p = argparse.ArgumentParser()
p.add_argument("server", choices=["llama", "mlx"])
p.add_argument("port")
p.add_argument("--wait-only", action="store_true")
p.add_argument("--clients", type=int, default=1)
p.add_argument("--tokens", type=int, default=8)
p.add_argument("--more", type=int, default=0)
p.add_argument("--pause", type=float, default=0)
p.add_argument("--together", action="store_true")
p.add_argument("--in-turn", action="store_true")
p.add_argument("--same", action="store_true")
p.add_argument("--seed", type=int)
p.add_argument("--chat", action="store_true")
p.add_argument("models", nargs="*")
args = p.parse_intermixed_args()
base = f"http://127.0.0.1:{args.port}"


def get(path, body=None, timeout=60):
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(base + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as r:
        return json.load(r)


def wait_for_server():
    until = time.monotonic() + 60
    while True:
        try:
            return get("/health", timeout=5)
        except OSError as e:
            # llama-server answers so while it loads.
            if isinstance(e, urllib.error.HTTPError) and e.code != 503:
                return None
            if time.monotonic() > until:
                sys.exit(f"the server does not answer: {e}")
            time.sleep(0.05)


# What a random model says is no text, and llama-server refuses to answer with it: a grammar
# keeps it to letters.
def ask_llama(model, n):
    body = {"prompt": "hello a b hello"[: 5 + 3 * (0 if args.same else n)],
            "n_predict": args.tokens + n * args.more, "temperature": 0,
            "return_tokens": True, "ignore_eos": True, "grammar": "root ::= [ -~]*"}
    if model:
        body["model"] = model
    return get("/completion", body)["tokens"]


def ask_mlx(model, n):
    text = f"client {0 if args.same else n} asks"
    body = {"model": model, "max_tokens": args.tokens + n * args.more, "temperature": 0}
    if n == args.seed:
        body["seed"] = 1
    if args.chat:
        body["messages"] = [{"role": "user", "content": text}]
        answer = get("/v1/chat/completions", body)
        said = answer["choices"][0]["message"]["content"]
    else:
        body["prompt"] = text
        answer = get("/v1/completions", body)
        said = answer["choices"][0]["text"]
    return f"{said!r} {answer['usage']['completion_tokens']}"


def ask(model, n, answers):
    try:
        answer = ask_mlx(model, n) if args.server == "mlx" else ask_llama(model, n)
    except (OSError, KeyError) as e:
        answer = f"{type(e).__name__} {getattr(e, 'code', e)}"
    answers.append(f"{model} {n} {answer}")


def ask_all(models):
    got = []
    clients = [threading.Thread(target=ask, args=(model, n, got))
               for n in range(args.clients) for model in models]
    for c in clients:
        c.start()
        if args.in_turn:
            c.join()
    for c in clients:
        c.join()
    print("\n".join(sorted(got)), flush=True)
    time.sleep(args.pause)


wait_for_server()
if not args.wait_only:
    models = args.models or [""]
    for group in [models] if args.together else [[m] for m in models]:
        ask_all(group)
