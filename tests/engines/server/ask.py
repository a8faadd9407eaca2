# SPDX-License-Identifier: MIT
"""ask.py -- a client of llama-server: waits for it, asks, prints the answers in order.

    python3 ask.py PORT [--wait-only] [--clients N] [--tokens N] [--model NAME]...

Each model is asked in turn, by all clients at once, each with a prompt of its own;
without a model the server's only one. Temperature 0: the answers are always the same.
What a random model says is no text, and the server refuses to answer with it: a grammar
keeps it to letters.
"""
import argparse
import json
import sys
import threading
import time
import urllib.error
import urllib.request

p = argparse.ArgumentParser()
p.add_argument("port")
p.add_argument("--wait-only", action="store_true")
p.add_argument("--clients", type=int, default=1)
p.add_argument("--tokens", type=int, default=8)
p.add_argument("--model", action="append")
args = p.parse_args()
base = f"http://127.0.0.1:{args.port}"


def get(path, body=None):
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(base + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as r:
        return json.load(r)


def wait_for_server():
    until = time.monotonic() + 60
    while True:
        try:
            return get("/health")
        except OSError as e:
            if time.monotonic() > until:
                sys.exit(f"the server does not answer: {e}")
            time.sleep(0.05)


def ask(model, n, answers):
    body = {"prompt": "hello a b hello"[: 5 + 3 * n], "n_predict": args.tokens, "temperature": 0,
            "return_tokens": True, "ignore_eos": True, "grammar": "root ::= [ -~]*"}
    if model:
        body["model"] = model
    try:
        answers.append(f"{model} {n} {get('/completion', body)['tokens']}")
    except (OSError, KeyError) as e:
        answers.append(f"{model} {n} {type(e).__name__} {getattr(e, 'code', e)}")


wait_for_server()
for model in [] if args.wait_only else args.model or [""]:
    got = []
    clients = [threading.Thread(target=ask, args=(model, n, got)) for n in range(args.clients)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    print("\n".join(sorted(got)), flush=True)
