#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# begin.sh -- whether a process may begin with a device, however it begins.
#
# By a load or without one, on one thread or on several at once; what a process
# that is kept back leaves to others; what it does when it may not begin at all.
#
# time-limit: 120
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim, BUILD
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps
steps=$tests/guest_steps
taffrail=$BUILD/taffrail
A=/models/alpha.gguf
B=/models/beta.gguf

guest() { # SETTINGS STEPS...: the state stays as it is
	local set=$1
	shift
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$set" "$steps" "$@"
}

shows() { # CASE LINE...
	local case=$1
	shift
	check "$case" "what the program shows" "$(printf '%s\n' "$@")" "$(cat shim.out)"
}

hold_by_hand() {
	TAFFRAIL_STATE=$state "$taffrail" hold --for 1h --why "a test" >/dev/null || fail hold "cannot be set"
}

# A guest of another state directory, that is, of another run, sits on the lock.
start_holder() { # SETTINGS
	install -d -m 700 "$work/other"
	rm -f holder.out
	env LD_PRELOAD="$shim" TAFFRAIL_STATE="$work/other" TAFFRAIL_SET="$1" \
		"$steps" load=$B "wait=${2:-60000}" >holder.out 2>&1 &
	holder=$!
	until grep -qs . holder.out; do
		sleep 0.02
	done
}

stop_holder() {
	kill -9 $holder
	wait $holder 2>/dev/null
}

# ---- a hold by hand reaches who begins without a load, too ----

fresh
hold_by_hand
guest "cooldown.on_hold=refuse" alloc=4096 load=$A alloc=4096 exit=3
shows "held" "alloc: failed" "load $A: failed" "alloc: failed"
check held "status" "exit 3" "$(cat shim.status)"
guest "cooldown.on_hold=refuse" load=$A alloc=4096
shows "a load first" "load $A: failed" "alloc: failed"
guest "" alloc=4096 load=$A
shows "built-in" "alloc: ok" "load $A: ok"
guest "mode=observe;cooldown.on_hold=exit" alloc=4096 load=$A exit=4
shows observe "alloc: ok" "load $A: ok"
check observe "status" "exit 4" "$(cat shim.status)"

# ---- on_hold exit ----

guest "cooldown.on_hold=exit" last load=$A exit=3
check exit "status" "exit 75" "$(cat shim.status)"
has exit "who ended it" '.ev == "exit" and .ph == "begin" and .call == "policy"'
TAFFRAIL_STATE=$state "$taffrail" hold --clear >/dev/null
guest "" load=$A infer=1 free
hold_by_hand
guest "cooldown.on_hold=exit;cadence.on_violation=refuse" load=$A exit=3
check "exit beside another refusal" "status" "exit 75" "$(cat shim.status)"

# ---- several threads begin at once: none slips past the wait of another ----

fresh
start_holder ""
guest "lock.on_conflict=wait;lock.max_wait=700ms" take=4096 take=4096 take=4096 take=4096 join
shows "threads" "threads: 0 of 4 loaded"
guest "lock.on_conflict=refuse" take=4096 take=4096 alloc=4096 join
shows "refused threads" "alloc: failed" "threads: 0 of 2 loaded"
stop_holder
guest "lock.on_conflict=refuse" take=4096 take=4096 alloc=4096 join
shows "free again" "alloc: ok" "threads: 2 of 2 loaded"

# ---- who is kept back keeps nobody from the GPU ----

fresh
guest "" load=$A infer=1 free
env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="cadence.on_violation=refuse" \
	"$steps" load=$A wait=60000 >kept.out 2>&1 &
holder=$!
until grep -qs failed kept.out; do
	sleep 0.02
done
install -d -m 700 "$work/other"
raw other env LD_PRELOAD="$shim" TAFFRAIL_STATE="$work/other" TAFFRAIL_SET="lock.on_conflict=refuse" \
	"$steps" load=$B
check "a refused process" "the other one" "load $B: ok" "$(cat other.out)"
stop_holder

start_holder "mode=observe"
guest "lock.on_conflict=refuse;cadence.cross_model=0s;cadence.same_model=0s" load=$A
shows "beside one that observes" "load $A: ok"
stop_holder

# ---- what was made during a wait is drained before the load ----

fresh
guest "cadence.on_violation=wait;cadence.same_model=0s;cadence.cross_model=1500ms" \
	load=$A infer=1 thread=$B wait=300 infer=2 wait=400 infer=2 join
check "drained" "the load begins after everything was waited for" "drain" \
	"$(crumbs | jq -r 'select((.ev == "drain" and .ph == "end") or (.ev == "load" and .ph == "begin" and .model == "beta") or
		(.ev == "infer" and .ph == "begin")) | .ev' | grep -B 1 load | head -n 1)"

# ---- a pause is no hang ----

fresh
guest "cadence.same_model=0s;cadence.cross_model=0s;drain.settle_after_unload=3s;watch.load_after=1s;watch.action=terminate;watch.in_process=on" \
	load=$A infer=1 free load=$A exit=5
check "watched" "status" "exit 5" "$(cat shim.status)"
has "watched" "the pause" '.ev == "settle" and .ph == "end" and .ms > 1100'

# A relative state directory is from where the program starts, wherever it goes before it uses a
# device; one that cannot be told leaves the program alone.
mkdir -p from/gone elsewhere
(cd from && raw ../shim env LD_PRELOAD="$shim" TAFFRAIL_STATE=here/ "$steps" go="$work/elsewhere" load=$A infer=1)
check "relative" status "exit 0" "$(cat shim.status)"
check "relative" "where the log is" "1 0" "$(find from/here/crumbs -name '*.jsonl' | wc -l) $(find elsewhere -mindepth 1 | wc -l)"
(cd from && TAFFRAIL_STATE=here "$taffrail" report >../report.out)
check "relative" "what report finds there" 1 "$(grep -c 'after 1 generation on alpha' report.out)"
(cd from/gone && rmdir ../gone && raw "$work/shim" env LD_PRELOAD="$shim" TAFFRAIL_STATE=here "$steps" load=$A infer=1)
check "nowhere" status "exit 0" "$(cat shim.status)"
check "nowhere" "nothing is made anywhere" 1 "$(find . -type d -name here | wc -l)"
(cd from && TAFFRAIL_STATE=here "$taffrail" run -- "$steps" go="$work/elsewhere" load=$A infer=1 >/dev/null)
check "relative, run" "where the log is" "3 0" "$(find from/here/crumbs -name '*.jsonl' | wc -l) $(find elsewhere -mindepth 1 | wc -l)"

tally 23
