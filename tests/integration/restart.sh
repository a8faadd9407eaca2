#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# restart.sh -- `run --restart`: who is started again, who is not, and what signals do.
# shellcheck disable=SC2154 # lib.sh sets them
bin=${TAFFRAIL:?the path of the taffrail binary}
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_watched
guest=$tests/guest_watched
export TAFFRAIL_STATE=$state

# Runs the guest; then `lives` says how many there were. $words are its own.
again() { # OPTION... -- WORD...
	fresh
	rm -f lives.txt once.txt
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	raw run timeout -s KILL 100 "$bin" run "${options[@]}" --restart-delay 20ms -- \
		"$guest" count=lives.txt "$@"
}

# The same in the background; $runner is its pid.
begin() { # OPTION... -- WORD...
	fresh
	rm -f lives.txt ready.txt begin.err
	"$bin" run "$@" >begin.out 2>begin.err &
	runner=$!
}
lives() {
	wc -l <lives.txt
}

# 1. A crash loop ends with its budget, and with the status of the last one.
again --restart --restart-max 2/1m -- load infer=1 abort
check loop status "exit 134" "$(sed 's/signal 6/exit 134/' run.status)"
check loop lives 3 "$(lives)"
check loop "a line each" 2 "$(grep -c 'was killed by SIGABRT; restart [12] of 2 in 1m 00s, after' run.err)"
check loop "why it ends" 1 "$(grep -c 'is not restarted: it has been restarted as often as it may be' run.err)"
check loop "restarts in the log" 3 "$(count '.ev == "restart" and .ph == "mark"')"
check loop "how each ended" 3 "$(count '.ev == "exit" and .call == "run" and .rc == -6')"
check loop "one run" 1 "$(crumbs | jq -r .run | sort -u | wc -l)"
check loop "the story of each" "crash crash crash" \
	"$("$bin" report --last --json | jq -r '.. | objects | .verdict? // empty' | xargs)"

# 2. A clean exit is the end, whatever the mode; a failure that is mended is too.
again --restart=always -- load infer=1
check clean "status and lives" "exit 0, 1" "$(cat run.status), $(lives)"
check clean silence "" "$(cat run.err)"
again --restart -- load infer=1 once=once.txt exit=4
check mended "status and lives" "exit 0, 2" "$(cat run.status), $(lives)"

# 3. What could not start is not tried again.
again --restart -- exit=3
check start "at once" "exit 3, 1" "$(cat run.status), $(lives)"
check start "why" 1 "$(grep -c 'is not restarted: it ended at its start' run.err)"
check start "no session" 0 "$(ls "$state/crumbs" 2>/dev/null | wc -l)"
for status in 64 78 126 127; do
	again --restart=always -- load infer=1 exit=$status
	check "start $status" "status and lives" "exit $status, 1" "$(cat run.status), $(lives)"
done

# 4. Out of memory by the engine's own word: it would be again.
FAKE_DECODE_RC=-2 again --restart -- load infer=1 exit=5
check oom "status and lives" "exit 5, 1" "$(cat run.status), $(lives)"
check oom "why" 1 "$(grep -c 'is not restarted: there was too little memory' run.err)"

# 5. Recycled after two generations, when it is idle; its clean exit is no end then.
again --restart --set recycle.inferences=2 --set drain.idle_ms=5ms -- load once=once.txt infer=2 serve
check recycle "status and lives" "exit 0, 2" "$(cat run.status), $(lives)"
check recycle "the line" 1 "$(grep -c 'exited 0: 2 of 2, generations (recycle.inferences); restart 1 of 5' run.err)"
has recycle "the wish of the guest" '.ev == "note" and .class == "restart" and .rule == "recycle.inferences"'
has recycle "the restart" '.ev == "restart" and .rule == "recycle.inferences"'
# Who could not be started again is left alone.
begin --restart --restart-max 1/1h --restart-delay 20ms --set recycle.inferences=1 --set drain.idle_ms=5ms -- \
	"$guest" count=lives.txt load infer=1 serve
await 60 grep -q 'is not restarted, although 1 of 1, generations' begin.err
check spent lives 2 "$(lives)"
check spent "it lives" yes "$(kill -0 $runner && echo yes)"
kill -TERM $runner
wait $runner
check spent status 0 $?
# Without --restart it only says so.
begin --set recycle.inferences=2 --set drain.idle_ms=5ms -- "$guest" count=lives.txt load infer=3 serve
await 60 grep -q 'asks to be restarted: .*taffrail run --restart. would' begin.err
check ask "the line" 1 "$(grep -c 'asks to be restarted: ' begin.err)"
kill -TERM $runner
wait $runner
check ask "status and lives" "0, 1" "$?, $(lives)"
# The policy may refuse loads from then on.
again --set recycle.inferences=1 --set recycle.on_due=refuse -- load infer=1 load
check refused "the second load" "loaded not loaded" "$(xargs <run.out)"
has refused "the rule" '.ev == "refuse" and .rule == "recycle.inferences"'

# 6. A hang that the policy ends is a failure, although it dies of SIGTERM.
FAKE_HANG_AT=3 again --restart --set watch.orphan_after=1s --set watch.action=terminate -- \
	load infer=1 once=once.txt hang
check hang "status and lives" "exit 0, 2" "$(cat run.status), $(lives)"
check hang "the line" 1 "$(grep -c 'was killed by SIGTERM: it hung; restart 1 of 5' run.err)"

# 7. SIGTERM ends all: during a life the guest gets it, between two nobody has to.
begin --restart --restart-delay 20ms -- "$guest" count=lives.txt load infer=1 serve ready=ready.txt exit=6
await 60 grep -q loaded begin.out
sigcgt() { # the guest has its handler by now
	local child
	child=$(pgrep -P $runner) && [ $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$child/status") & 0x4000)) -ne 0 ]
}
await 60 sigcgt
kill -TERM $runner
wait $runner
check term "status and lives" "6, 1" "$?, $(lives)"
check term "the guest got it" yes "$(test -e ready.txt && echo yes)"
begin --restart --restart-delay 10m -- "$guest" count=lives.txt load infer=1 exit=5
await 60 grep -q 'restart 1 of 5' begin.err
kill -TERM $runner
wait $runner
check backoff "status and lives" "5, 1" "$?, $(lives)"

# 8. The gate is asked before each restart: a hold that came meanwhile ends the run.
begin --restart --restart-delay 20ms --set cooldown.on_hold=refuse -- "$guest" count=lives.txt load infer=1 serve exit=5
await 60 grep -q loaded begin.out
await 60 sigcgt
"$bin" hold --for 1h >hold.out 2>&1
kill -TERM "$(pgrep -P $runner)"
wait $runner
check gate "status and lives" "5, 1" "$?, $(lives)"
check gate "why" 1 "$(grep -c 'is not started: cooldown.*held by hand' begin.err)"
fresh

# 9. Arguments.
for wrong in --restart=never --restart-max=5 --restart-max=5/0s --restart-max=101/1m --restart-delay=1; do
	check "usage $wrong" status 64 "$("$bin" run "$wrong" -- true 2>/dev/null; echo $?)"
done
check "usage exec" status 64 "$("$bin" run --exec --restart -- true 2>/dev/null; echo $?)"
check "no engine" "status" 0 "$("$bin" run --restart -- true 2>&1; echo $?)"

tally 45
