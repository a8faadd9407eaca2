#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bench_tokens.sh -- tokens a second of the prebuilt llama.cpp, with and without
# the shim, on a model of random weights that takes 5 ms a token or more; first in C,
# then under node with the profile that `taffrail run` has for it.
# Says so and ends well where the engine, or node, cannot be had.
set -u

BUILD=${BUILD:?the build folder}
SRC=${SRC:?the source folder}
unset TAFFRAIL LD_PRELOAD
engine=$("$SRC/tests/engines/llama/fetch.sh")
case $? in
0) ;;
77)
	echo "bench_tokens: skipped, there is no engine"
	exit 0
	;;
*) exit 1 ;;
esac
for engine in "$engine"/node_modules/@node-llama-cpp/linux-*/bins/linux-*; do
	break
done

work=$(mktemp -d "$BUILD/bench-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
"$BUILD/tests/mkgguf" --layers 6 --embd 768 --ff 2048 --ctx 512 "$work/bench.gguf" >/dev/null || exit 1
export TAFFRAIL_STATE=$work/state
"$BUILD/tests/tokens" "$engine" "$work/bench.gguf" || exit 1
node=$("$SRC/tests/engines/node.sh") || {
	echo "bench_tokens: skipped under node, there is none"
	exit 0
}
"$node" "$SRC/tests/bench/node_tokens.mjs" "$BUILD/taffrail" "$work/bench.gguf"
