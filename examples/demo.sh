#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# demo.sh -- the main job, on the real thing (make demo).
#
# Builds taffrail, fetches the prebuilt llama.cpp of node-llama-cpp, writes a
# tiny model, runs a program that loads it and generates twice, and prints the
# report of that run.  All that it writes is in build/.
# NO_INSTALL=1: only tells what is missing.
set -eu

cd "$(dirname "$0")/.."
top=$PWD
demo=$top/build/demo
model=$demo/tiny-random-llama.gguf
export TAFFRAIL_STATE=$demo/state

step() { printf '\n== %s\n' "$*"; }

step "what this machine lacks"
tests/deps.sh build engines
node=$(tests/engines/node.sh)
tests/engines/llama/fetch.sh

step "build"
make --no-print-directory -s all build/tests/mkgguf

step "a model of random weights: $model"
rm -rf "$demo"
mkdir -p "$demo"
build/tests/mkgguf "$model"

step "taffrail run -- node serve.mjs"
build/taffrail run --policy examples/node-llama-cpp.json --label demo -- \
	"$node" tests/engines/llama/serve.mjs "$model"

step "taffrail report --last"
build/taffrail report --last

echo
echo "The records themselves: TAFFRAIL_STATE=$TAFFRAIL_STATE build/taffrail log"
