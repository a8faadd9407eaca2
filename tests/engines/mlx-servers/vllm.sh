#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# vllm.sh -- vllm-mlx, a server on MLX that is not mlx_lm's, unmodified: requests in turn and in one
# batch, and TERM in the midst of a generation.
#
# Here nobody asks how probable a token is: that one is done shows when the next one comes.
#
# time-limit: 150
. "${SRC:?}/tests/engines/mlx-servers/lib.sh"
use_package vllm-mlx

model a
name=a
asks=()
server=("$python" "$PYTHONPATH/bin/vllm-mlx" serve ./a --served-model-name a --continuous-batching --offline)

while_it_runs() {
	"$taffrail" report --last >text
	check server "the report while it runs" 1 "$(grep -c '^  profile  *mlx-server' text)"
}

by_itself
guarded_with while_it_runs
check_requests
one term "the signal" '.ev == "signal" and .rule == "exit.signals" and (.call // "" | test("TERM"))'

# What is said of it before it is started.
"$taffrail" doctor -- "${server[@]}" >text
for word in 'role  *server' 'profile  *mlx-server, built in' 'asks for  *model ./a, called a' 'verdict  *guarded'; do
	check doctor "it says '$word'" 1 "$(grep -c -- "$word" text)"
done
tally 18
