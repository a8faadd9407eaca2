#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# watched.sh -- the stock node-llama-cpp is recycled when it is idle, and seen when it hangs.
#
# time-limit: 300
. "${SRC:?}/tests/engines/llama/lib.sh"

# 1. One generation is its share: recycled in the pause behind it, started once more, then
# left to end by itself, since the budget is used up.
fresh
raw guarded "$taffrail" run --restart --restart-max 1/1h --restart-delay 50ms \
	--set recycle.inferences=1 --set drain.idle_ms=2s -- "${serve[@]}" --pause 10000 tiny.gguf
check recycle status "exit 0" "$(cat guarded.status)"
check recycle "sessions" 2 "$(records | jq -r 'select(.ev == "start" and .role == "guest") | .pid' | sort -u | wc -l)"
check recycle "one run" 1 "$(records | jq -r .run | sort -u | wc -l)"
check recycle "the line" 1 "$(grep -c '^taffrail: .*1 of 1, generations (recycle.inferences); restart 1 of 1' guarded.err)"
check recycle "generations" 3 "$(number_of '.ev == "infer" and .ph == "begin"')"
check recycle "nothing was in flight" 1 \
	"$(records | jq -c 'select(.ev == "restart" and .rule == "recycle.inferences")' | wc -l)"

# 2. Stopped inside a decode, or in the wait behind one, it makes no progress: told, and ended
# by SIGKILL, since a stopped process takes no SIGTERM.
start_guarded --set watch.orphan_after=1d -- "${serve[@]}" --hang tiny.gguf
until_true grep -q hanging bg.err bg.out
guest=$(records | jq -r 'select(.ev == "start" and .role == "guest") | .pid' | head -n 1)
stalls() {
	kill -STOP "$guest"
	sleep 1.2 # the shortest limit there is
	"$taffrail" watch --once --set watch.orphan_after=1s --set watch.action=kill \
		--set watch.deadline=200ms >watch.out 2>&1 && kill -CONT "$guest" && return 1
	return 0
}
until_true stalls
where='llama_\(decode\|synchronize\)'
check hang "told" 1 "$(grep -c "(pid $guest) has been in $where on tiny for .*stacks in" watch.out)"
check hang "ended" 1 "$(grep -c "(pid $guest) was sent SIGKILL" watch.out)"
until_true is_gone "$guest"
kill -CONT "$runner" # it had stopped with its guest
wait "$runner"
check hang "status of run" 137 $?
check hang "threads in the capture" yes "$([ "$(grep -c '^== thread' "$state"/stacks/*.txt)" -gt 1 ] && echo yes)"

tally 10
