#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# demo-mlx.sh -- an unmodified mlx_lm.server under the guard (make demo-mlx).
#
# Builds taffrail, fetches MLX for the processor and mlx-lm from PyPI, writes two
# tiny models, starts the server, asks each model something, so that the server
# swaps them, ends it, and prints the report.  All that it writes is in build/.
#
#	BUILD=FOLDER DEMO=FOLDER	what was built, and where to write instead
set -eu

cd "$(dirname "$0")/.."
top=$PWD
build=${BUILD:-$top/build}
demo=${DEMO:-$top/build/demo-mlx}
here=$top/tests/engines/mlx
export TAFFRAIL_STATE=$demo/state HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error

step() { printf '\n== %s\n' "$*"; }

step "what this machine lacks"
tests/deps.sh build
python=$("$here/fetch.sh" 0.32.4)

step "build"
[ -n "${BUILD:-}" ] || make --no-print-directory -s all

step "two models of random weights in $demo"
rm -rf "$demo/state" "$demo/first" "$demo/second"
mkdir -p "$demo"
cd "$demo"
"$python" "$here/mkmodel.py" first
"$python" "$here/mkmodel.py" second --seed 2 --parts 2

step "taffrail run -- python -m mlx_lm server --model first"
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$build/taffrail" run --label demo --set drain.post_clear=on --set limits.cache=64MiB \
	--set exit.signals=TERM -- \
	"$python" -m mlx_lm server --model first --port "$port" >server.log 2>&1 &
server=$!
"$python" "$top/tests/engines/ask.py" mlx "$port" --tokens 16 first second

step "SIGTERM to the server"
guest=$("$build/taffrail" log --json | sed -n 's/.*"pid":\([0-9]*\).*"role":"guest".*/\1/p' | head -n 1)
kill -TERM "$guest"
wait "$server" || echo "it ended with status $?"

step "what became of the models: taffrail log"
"$build/taffrail" log | grep -E ' (load|unload) '

step "taffrail report --last"
"$build/taffrail" report --last

echo
echo "The records themselves: TAFFRAIL_STATE=$TAFFRAIL_STATE $build/taffrail log"
