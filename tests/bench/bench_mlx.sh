#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bench_mlx.sh -- tokens a second of the real MLX on the processor, with and without the
# shim, on a model of random weights that takes 5 ms a token or more; and an
# evaluation.  Says so and ends well where MLX cannot be had.
set -u

BUILD=${BUILD:?the build folder}
SRC=${SRC:?the source folder}
unset TAFFRAIL LD_PRELOAD
python=$("$SRC/tests/engines/mlx/fetch.sh" 0.32.4)
case $? in
0) ;;
77)
	echo "bench_mlx: skipped, there is no MLX"
	exit 0
	;;
*) exit 1 ;;
esac

work=$(mktemp -d "$BUILD/bench-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
export TAFFRAIL_STATE=$work/state HF_HUB_OFFLINE=1
"$python" "$SRC/tests/engines/mlx/mkmodel.py" --layers 4 --width 384 "$work/model" || exit 1
"$python" "$SRC/tests/bench/mlx_tokens.py" "$BUILD/libtaffrail.so" "$work/model"
