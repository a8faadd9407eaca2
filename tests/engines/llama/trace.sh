#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# trace.sh -- `trace` on the stock node-llama-cpp: the program is the same, and its
# records say where the time of each request went.
#
# time-limit: 300
. "${SRC:?}/tests/engines/llama/lib.sh"

holds() { # CASE WHAT CONDITION, on the list of the ends of generations
	check "$1" "$2" true "$(records | jq -s "map(select(.ev == \"infer\" and .ph == \"end\")) | $3")"
}

# Between generations a pause, and a silence that no busy machine makes between two tokens.
guest=("${serve[@]}" --generations 4 --pause 4500 tiny.gguf)
plain "${guest[@]}"
check trace "the program works" "exit 0" "$(cat plain.status)"
guarded --set drain.idle_ms=3s --set trace=on -- "${guest[@]}"
check_same trace
check_whole trace
holds trace "which are traced" 'map(.trace != null) == [true, false, true, true]'
holds trace "the first is apart, and has the load" 'map(.trace.first) == [1, null, 0, 0] and .[0].trace.load_us > 0 and .[2].trace.load_us == 0'
holds trace "prompt and tokens" '[.[] | select(.trace).trace | .prompt_submits >= 1 and .tokens >= 7 and .submits == .tokens and
	.prefill_us > 0 and .decode_us > 0] | all'
holds trace "the binding waits after each decode" '[.[] | select(.trace).trace | .syncs >= .tokens] | all'
holds trace "each is whole" '[.[] | select(.trace).trace | .wait_us + .host_us == .wall_us and
	.load_us + .prefill_us + .decode_us + .sync_us + .drain_us + .held_us <= .wall_us] | all'
check trace "the report" "tiny llama 4 1 2 token session" "$(report '.[0].trace[0] | [.model, .engine, .generations,
	.first.generations, .rest.generations, .per, .untraced.from] | join(" ")')"
"$taffrail" report --last >text
for word in '3 of 4 generations traced' '^ *prefill ' '^ *decode ' 'the program ' 'wall .*100.0%' 'host .*waiting for the device' \
	'1\.0 submits and' 'first .*apart: load ' "untraced .*ms a token with the prompt's, median of 1; traced "; do
	grep -q -- "$word" text || fail trace "the report does not say '$word'"
done

# The engine through ctypes: no synchronize of its own between the decodes.
steps=("${calls[@]}" --decodes 9 tiny.gguf)
plain "${steps[@]}"
guarded --set trace=on -- "${steps[@]}"
check_same ctypes
check_whole ctypes
holds ctypes "each decode" '.[0].trace | .submits + .prompt_submits == 9'

plain "${guest[@]}"
guarded -- "${guest[@]}"
check_same off
check off "figures" 0 "$(number_of '.trace != null')"
check off "in the report" 0 "$(report '.[0].trace | length')"
"$taffrail" report --last >text
check off "a table in the report" 0 "$(grep -c '^  trace' text)"
tally 24
