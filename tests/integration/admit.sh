#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# admit.sh -- what the rules do to loads and first generations of a program.
#
# The built-in policy only remarks; a setting makes a rule wait or refuse; each
# time a record names the rule and the numbers, and the program otherwise shows
# and ends as it does alone.
#
# time-limit: 120
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim, BUILD
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps
steps=$tests/guest_steps
A=/models/alpha.gguf
B=/models/beta.gguf
G=/models/gemma-4-31b-it-q8_0.gguf

# with SETTINGS STEPS...: a fresh state; shim.* holds what the program showed
with() {
	local set=$1
	shift
	with_shim TAFFRAIL_SET="$set" "$steps" "$@"
}

# The same without forgetting what was before.
again() {
	local set=$1
	shift
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$set" "$steps" "$@"
}

shows() { # CASE LINE...
	local case=$1
	shift
	check "$case" "what the program shows" "$(printf '%s\n' "$@")" "$(cat shim.out)"
	check "$case" "its errors" "" "$(cat shim.err)"
}

# ---- the built-in policy ----

without_shim "$steps" load=$A infer=2 free load=$A infer=1 free
with "" load=$A infer=2 free load=$A infer=1 free
check built-in "output" "$(cat plain.out)" "$(cat shim.out)"
check built-in "status" "exit 0" "$(cat shim.status)"
has built-in "a remark on the second load" \
	'.ev == "note" and .rule == "cadence.same_model" and .need == 180000 and .unit == "ms"'
has_not built-in "held or refused" '.ev == "hold" or .ev == "refuse" or .ev == "settle"'

# ---- refuse ----

refuse="cadence.on_violation=refuse"
with $refuse load=$A infer=1 free load=$A exit=3
shows refuse "load $A: ok" "infer: 1 of 1" free "load $A: failed"
check refuse "status" "exit 3" "$(cat shim.status)"
has refuse "a refusal with its numbers" '.ev == "refuse" and .rule == "cadence.same_model" and
	.need == 180000 and .have < 180000 and .pass_ms <= 180000 and .call == "llama_model_load_from_file"'
check refuse "loads that began" 1 "$(count '.ev == "load" and .ph == "begin"')"
again $refuse load=$A
shows "another process" "load $A: failed"
again $refuse load=$B
shows "another model" "load $B: failed"
has "another model" "the other one is named" \
	'.ev == "refuse" and .rule == "cadence.cross_model" and .need == 60000 and (.msg | contains("alpha"))'
again "$refuse;cadence.cross_model=0s" load=$B
shows "spacing of models off" "load $B: ok"
with "$refuse;cadence.same_model=0s" load=$A infer=1 free load=$A
shows "interval off" "load $A: ok" "infer: 1 of 1" free "load $A: ok"

# Leaving counts: loaded long ago by the clock of the rule, given up a moment ago.
with "$refuse;cadence.same_model=2s" load=$A wait=2200 free load=$A
shows leaving "load $A: ok" free "load $A: failed"
with "$refuse;cadence.same_model=400ms" load=$A wait=600
again "$refuse;cadence.same_model=20s" load=$A
shows "leaving with the process" "load $A: failed"
with "$refuse;cadence.same_model=200ms" load=$A infer=1 free wait=400 load=$A
shows "after the interval" "load $A: ok" "infer: 1 of 1" free "load $A: ok"

# ---- wait ----

with "cadence.on_violation=wait;cadence.same_model=3s" load=$A infer=1 free load=$A
shows wait "load $A: ok" "infer: 1 of 1" free "load $A: ok"
has wait "begin of the wait" '.ev == "hold" and .ph == "begin" and .rule == "cadence.same_model"'
has wait "its end" '.ev == "hold" and .ph == "end" and .ms > 300 and .of > 0'
has_not wait "refused" '.ev == "refuse"'
with "cadence.on_violation=wait;cadence.same_model=1h;cadence.max_wait=300ms" load=$A infer=1 free load=$A
shows "longest wait" "load $A: ok" "infer: 1 of 1" free "load $A: ok"
has "longest wait" "the wait" '.ev == "hold" and .ph == "end" and .ms >= 300 and .ms < 20000'
has "longest wait" "a remark that it was too early" '.ev == "note" and .rule == "cadence.same_model"'

has "longest wait" "that it was let through" '.ev == "note" and ((.msg // "") | startswith("let through after the wait: "))'
with "cadence.on_violation=wait;cadence.same_model=2s;cadence.cross_model=0s;drain.settle_after_unload=500ms" \
	load=$A infer=1 free load=$A
shows "two waits" "load $A: ok" "infer: 1 of 1" free "load $A: ok"
check "two waits" "the record names the one that passes last" "cadence.same_model" \
	"$(crumbs | jq -r 'select((.ev == "hold" or .ev == "settle") and .ph == "begin") | .rule' | uniq)"
with "cadence.on_violation=refuse;cadence.cross_model=1h" load=$B infer=1 free load=$A infer=1
has "one refusal a call" "a refusal" '.ev == "refuse" and .rule == "cadence.cross_model"'
again "cadence.on_violation=refuse;cadence.same_model=2h;cadence.cross_model=1h" load=$B
check "one refusal a call" "refusals of the second process" 1 \
	"$(crumbs | jq -s 'group_by(.pid) | map(select(any(.rule == "cadence.same_model"))) | map(map(select(.ev == "refuse")) | length) | max')"
has "one refusal a call" "it names the rule that passes last" '.ev == "refuse" and .rule == "cadence.same_model" and .need == 7200000'

# ---- companions: loaded before the first generation, while the first is alive ----

with $refuse load=$A load=$B infer=1
shows companions "load $A: ok" "load $B: ok" "infer: 1 of 1"
with $refuse load=$A infer=1 load=$B
shows "after a generation" "load $A: ok" "infer: 1 of 1" "load $B: failed"
with $refuse load=$A free load=$B
shows "after an unload" "load $A: ok" free "load $B: failed"
with $refuse load=$A load=$A
shows "the same model twice" "load $A: ok" "load $A: failed"

# ---- pauses ----

with "cadence.families=*gemma-4*:90s:400ms" load=$G infer=2 wait=400 infer=1
shows settle "load $G: ok" "infer: 2 of 2" "infer: 1 of 1"
check settle "pauses before the first generation alone" 1 \
	"$(count '.ev == "settle" and .ph == "end" and .rule == "cadence.families" and .ms >= 400')"
has settle "a drain before it" '.ev == "drain" and .ph == "end" and .rule == "cadence.families"'
with "cadence.families=*gemma-4*:90s:400ms" load=$A infer=2
has_not "no such family" "a pause" '.ev == "settle"'
# A program that ends in such a pause is drained all the same, and does not wait for its end.
fresh
rm -f go
raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" \
	TAFFRAIL_SET="cadence.families=*gemma-4*:90s:10m;drain.deadline=5m;exit.deadline=5m" \
	"$steps" load=$G aside=3 until=go exit=6 &
pauses() {
	[ "$(count '.ev == "settle" and .ph == "begin"')" -gt 0 ]
}
await 60 pauses
touch go
wait $!
check "an end in a pause" "status" "exit 6" "$(cat shim.status)"
has "an end in a pause" "the pause" '.ev == "settle" and .ph == "begin"'
has "an end in a pause" "the drain at the exit" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0'
with "cadence.same_model=0s;cadence.cross_model=0s;drain.settle_after_unload=3s" load=$A infer=1 free load=$B
shows "after an unload" "load $A: ok" "infer: 1 of 1" free "load $B: ok"
has "after an unload" "a pause" \
	'.ev == "settle" and .ph == "end" and .rule == "drain.settle_after_unload" and .ms > 100'
# It waits for the memory of the model that was given up, not for that of the next one.
has "after an unload" "whose memory it waits for" \
	'.ev == "settle" and .ph == "begin" and (.msg | test(" of 3[.]0s, alpha, passes in "))'

# ---- families ----

with "$refuse;cadence.cross_model=0s;cadence.families=*gemma-4*:90s:0s" load=$G infer=1 free load=$A
shows "leaving a family with a floor" "load $G: ok" "infer: 1 of 1" free "load $A: failed"
has "leaving a family" "the floor" '.ev == "refuse" and .rule == "cadence.cross_model" and .need == 90000'

# ---- observe: nothing is done, everything is told ----

observe="mode=observe;$refuse;drain.settle_after_unload=30s;cadence.families=*gemma-4*:90s:30s"
without_shim "$steps" load=$G infer=1 free load=$G infer=1 exit=5
with "$observe" load=$G infer=1 free load=$G infer=1 exit=5
check observe "output" "$(cat plain.out)" "$(cat shim.out)"
check observe "status" "exit 5" "$(cat shim.status)"
has observe "what would have been refused" \
	'.ev == "would" and .rule == "cadence.same_model" and (.msg | startswith("would refuse: "))'
has observe "what would have been waited for" \
	'.ev == "would" and .rule == "drain.settle_after_unload" and (.msg | startswith("would wait: "))'
has observe "the pause of the family" '.ev == "would" and .rule == "cadence.families"'
has_not observe "done" '.ev == "hold" or .ev == "refuse" or .ev == "settle" or .ev == "drain"'

with "mode=off;$refuse" load=$A infer=1 free load=$A
shows off "load $A: ok" "infer: 1 of 1" free "load $A: ok"

# ---- threads of one process are one after the other ----

with "$refuse;cadence.same_model=0s" load=$B infer=1 thread=$A thread=$A thread=$A thread=$A join
shows "cross-model" "load $B: ok" "infer: 1 of 1" "threads: 0 of 4 loaded"
with "$refuse" thread=$A thread=$A thread=$A thread=$A thread=$A thread=$A join
shows threads "threads: 1 of 6 loaded"
check threads "refusals" 5 "$(count '.ev == "refuse" and .rule == "cadence.same_model"')"

# ---- processes that come at once: one is first ----

for round in 1 2 3; do
	fresh
	for i in 1 2 3 4 5 6 7 8; do
		env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$refuse" \
			"$steps" load=$A >"race.$i" 2>&1 &
	done
	wait
	check "race $round" "loads of one model by 8 processes" 1 "$(cat race.[1-8] | grep -c ': ok')"
	check "race $round" "refusals" 7 "$(count '.ev == "refuse" and .rule == "cadence.same_model"')"
done

# ---- no place for the state: the rules hold inside the process ----

fresh
raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE=/proc/no/such TAFFRAIL_SET="$refuse" \
	"$steps" load=$A infer=1 free load=$A
shows "no state" "load $A: ok" "infer: 1 of 1" free "load $A: failed"

# A state that cannot be used is told once, and says itself what follows from it.
fresh
mkdir -m 700 "$state"
echo 'taffrail state 2' >"$state/state"
again $refuse load=$A infer=1 free load=$A
shows "a newer state" "load $A: ok" "infer: 1 of 1" free "load $A: failed"
check "a newer state" "told" "$state/state: it was written by a newer taffrail; until that is over, rules hold inside each process only" \
	"$(crumbs | jq -r 'select(.ev == "note" and (.msg // "" | contains("rules hold inside"))) | .msg')"

# ---- a signal ends a wait as it ends the program ----

fresh
env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="cadence.on_violation=wait" \
	"$steps" load=$A infer=1 free load=$A >signal.out 2>&1 &
waiting=$!
for _ in $(seq 200); do
	[ "$(count '.ev == "hold"')" -gt 0 ] && break
	sleep 0.05
done
kill -TERM $waiting
wait $waiting
check signal "the status of a program that was ended in a wait" 143 $?
has signal "the wait is open in the log" '.ev == "hold" and .ph == "begin"'

# ---- what `run` says of it at the end ----

fresh
TAFFRAIL_STATE=$state "$BUILD/taffrail" run --set $refuse -- "$steps" load=$A infer=1 free load=$A >run.out 2>run.err
check run "lines on stderr" 1 "$(wc -l <run.err)"
check run "it names the rule" 1 "$(grep -c 'refused 1 time.*cadence.same_model' run.err)"

tally 72
