#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# trace.sh -- `trace` on mlx_lm: the same text, and where the time of each request went.
#
# time-limit: 300
. "${SRC:?}/tests/engines/mlx/lib.sh"

model a
guest=("$python" "$here/generate.py" --pause 3 --more 2 a)
plain "${guest[@]}" --pause 0
check trace "the program works" "exit 0" "$(cat plain.status)"
# A machine that stands still in a generation does not end it.
guarded --set drain.idle_ms=2s --set trace=on -- "${guest[@]}"
check_same trace
check_whole trace

holds() { # WHAT CONDITION, on the list of the ends of generations
	check trace "$1" true "$(records | jq -s "map(select(.ev == \"infer\" and .ph == \"end\")) | $2")"
}

holds "which are traced" 'map(.trace != null) == [true, false, true, true]'
holds "the first is apart, and has the load" 'map(.trace.first) == [1, null, 0, 0] and .[0].trace.load_us > 0 and .[2].trace.load_us == 0'
holds "the same tokens as in the record" '[.[] | select(.trace) | .trace.tokens == .tokens and .tokens == 24] | all'
holds "prompt and tokens" '[.[] | select(.trace) | .trace.prompt_submits + .trace.submits == .submits and
	.trace.prompt_submits >= 1 and .trace.submits >= 24 and .trace.prefill_us > 0 and .trace.decode_us > 0] | all'
holds "each token is waited for" '[.[] | select(.trace).trace | .syncs >= .tokens and .wait_us > 0] | all'
holds "each is whole" '[.[] | select(.trace).trace | .wait_us + .host_us == .wall_us and
	.load_us + .prefill_us + .decode_us + .sync_us + .drain_us + .held_us <= .wall_us] | all'
"$taffrail" report --last >text
for word in '3 of 4 generations traced' '^ *prefill ' '^ *decode ' 'host .*waiting for the device' 'first .*apart: load ' \
	'untraced .*ms a token, median of 1; traced '; do
	check report "it says '$word'" 1 "$(grep -c -- "$word" text)"
done

guarded -- "${guest[@]}"
check_same off
check off "figures" 0 "$(number_of '.trace != null')"
tally 20
