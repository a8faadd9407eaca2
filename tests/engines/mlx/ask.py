# SPDX-License-Identifier: MIT
"""ask.py -- clients of mlx_lm.server, four at a time.

    python ask.py PORT [--clients N] [--tokens N] [--wait SECONDS] FOLDER...

Waits until the server answers, then asks each model in turn, all clients at
once, and prints what they got, sorted.
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
p.add_argument("--clients", type=int, default=4)
p.add_argument("--tokens", type=int, default=16)
p.add_argument("--wait", type=float, default=60)
p.add_argument("folders", nargs="+")
args = p.parse_args()
base = f"http://127.0.0.1:{args.port}"


def get(path, body=None, timeout=60):
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(base + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as r:
        return json.load(r)


def wait_for_server():
    until = time.monotonic() + args.wait
    while True:
        try:
            return get("/health", timeout=5)
        except (urllib.error.URLError, OSError) as e:
            if isinstance(e, urllib.error.HTTPError):
                return None
            if time.monotonic() > until:
                sys.exit(f"the server does not answer: {e}")
            time.sleep(0.1)


def ask(folder, n, answers):
    body = {"model": folder, "prompt": f"client {n} asks", "max_tokens": args.tokens,
            "temperature": 0}
    try:
        answers.append(f"{folder} {n} {get('/v1/completions', body)['choices'][0]['text']!r}")
    except (OSError, KeyError) as e:
        answers.append(f"{folder} {n} {type(e).__name__}")


wait_for_server()
for folder in args.folders:
    got = []
    clients = [threading.Thread(target=ask, args=(folder, n, got)) for n in range(args.clients)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    print("\n".join(sorted(got)), flush=True)
    time.sleep(0.5)
