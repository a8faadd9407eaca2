#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# concurrent.sh -- several at once: processes, models, generations.
#
# However they interleave, each log is whole, the merged one is in order, and
# each begin has found its end.
#
# time-limit: 600
. "${SRC:?}/tests/engines/llama/lib.sh"

ordered() { # CASE
	check "$1" "order of the merged log" true "$(records | jq -s '[.[].mono_ns] | . == sort')"
	check "$1" "begins without end" "" "$(records | jq -rs '(map(select(.of) | "\(.pid) \(.of)")) as $ends |
		.[] | select(.ph == "begin") | "\(.pid) \(.seq)" | select(. as $b | $ends | index($b) | not)')"
	check_whole "$1"
}

# 1. Two runs at once into one state, four at once in one run.
plain "${serve[@]}" tiny.gguf
fresh
for i in 1 2; do
	"$taffrail" run --label "number $i" -- "${serve[@]}" tiny.gguf </dev/null >out.$i 2>err.$i &
	pids[i]=$!
done
for i in 1 2; do
	wait "${pids[i]}"
	check "two runs" "status $i" 0 $?
	check "two runs" "output $i" "$(cat plain.out plain.err)" "$(cat out.$i err.$i)"
done
ordered "two runs"
check "two runs" "the sessions" "clean number 1 1
clean number 2 1" "$("$taffrail" report --all --json | jq -r '[.sessions[] | select(.engines | length > 0)] |
	group_by(.run)[] | "\(.[0].verdict) \(.[0].label) \(length)"' | sort)"

# shellcheck disable=SC2016 # the shell of the guest expands it
four='for i in 1 2 3 4; do "$@" >out.$i & done; wait'
guarded -- sh -c "$four" sh "${calls[@]}" tiny.gguf
plain "${calls[@]}" tiny.gguf
for i in 1 2 3 4; do
	check "one run of four" "output $i" "$(cat plain.out)" "$(cat out.$i)"
done
ordered "one run of four"
check "one run of four" "the sessions" "4 processes clean" \
	"$(report '"\(map(.pid) | unique | length) processes \(map(.verdict) | unique | join(","))"')"

# 2. Two models at once in one process, each with its own context.
model other.gguf --layers 3 --seed 2 --name "Other Random Llama"
plain "${serve[@]}" --twice --no-dispose tiny.gguf other.gguf
guarded -- "${serve[@]}" --twice --no-dispose tiny.gguf other.gguf
check_same "two models"
ordered "two models"
check "two models" "loads" "other tiny" "$(records | jq -rs '[.[] | select(.ev == "load" and .ph == "end").model] | sort | join(" ")')"
check "two models" "decodes of each, in two generations at least" "other 16 true
tiny 16 true" "$(records | jq -rs '[.[] | select(.ev == "infer" and .ph == "end")] | group_by(.model)[] |
	"\(.[0].model) \(map(.submits) | add) \(length >= 2)"')"
check "two models" "both contexts drained at the exit" "other tiny" \
	"$(records | jq -rs '[.[] | select(.ev == "drain" and .ph == "end" and .rule == "drain.at_exit").model] | sort | join(" ")')"

# 3. Four generations at once, four contexts of one model on the threads of node.
parallel=("$node" "$here/parallel.mjs" --contexts 4 --tokens 40 tiny.gguf)
plain "${parallel[@]}"
check parallel "the program works" "exit 0" "$(cat plain.status)"
guarded --set drain.idle_ms=10m --set drain.post_sync=on --set drain.every_submits=1 -- "${parallel[@]}"
check_same parallel
ordered parallel
check parallel "contexts at the most" 4 "$(records | jq -s '[.[] | .handles // 0] | max')"
check parallel "generations, each with all its tokens" 4 \
	"$(number_of '.ev == "infer" and .ph == "end" and .submits >= 40 and .tokens >= 40')"
check parallel "drains that failed" 0 "$(number_of '.ev == "drain" and .ph != "begin" and .rc != 0')"
check parallel "the report" "clean 4 0" "$(report '.[0] | "\(.verdict) \(.infers) \(.open | length)"')"

# 4. The same, killed in the middle of all four.
start_guarded --set drain.idle_ms=10m -- "$node" "$here/parallel.mjs" --contexts 4 --tokens 100000000 tiny.gguf
until_true has_submits 100
until_true has_records 4 '.ev == "infer" and .ph == "begin"'
guest=$(guest_pid)
kill -KILL "$guest"
await_runner
check "parallel, killed" "how run ended" "signal 9" "$ended"
check "parallel, killed" "the report" "killed tiny" "$(report '.[0] | "\(.verdict) \(.model)"')"
check "parallel, killed" "generations open" 4 "$(report '[.[0].open[] | select(.ev == "infer")] | length')"
check_whole "parallel, killed"
tally 35
