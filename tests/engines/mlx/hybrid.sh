#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# hybrid.sh -- models of which layers keep a state of one size in place of keys and values
# (mamba2: all, lfm2: most), under loads by chance with batches that are full: as many records as
# requests, and all their tokens.
#
# time-limit: 100
. "${SRC:?}/tests/engines/mlx/lib.sh"

for kind in mamba2 lfm2; do
	model $kind --kind $kind --layers 3
	plain "$python" "$here/batches.py" $kind 7 4
	check $kind "the program works" "exit 0" "$(cat plain.status)"
	guarded --set drain.idle_ms=10m -- "$python" "$here/batches.py" $kind 7 4
	check_same $kind
	check_whole $kind
	check $kind "begins, ends, tokens" "$(awk '{ print $1, $1, $2 }' plain.out)" "$(records | jq -rs 'map(select(.ev == "infer")) |
		map(select(.ph == "end")) as $ends | "\(map(select(.ph == "begin")) | length) \($ends | length) \($ends | map(.tokens) | add)"')"
	check $kind "requests without a token" 0 "$(number_of '.ev == "infer" and .ph == "end" and .tokens == 0')"
done
tally 14
