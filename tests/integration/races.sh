#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# races.sh -- threads and fork children that meet inside the guard.
#
# Nothing here measures time; what would wait for ever, or a minute at each call,
# is ended by `timeout` and seen by its status.
#
# time-limit: 300
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_threads guest_fork
limit="timeout -s KILL 100"

# The same output and status, under the settings: CASE SETTINGS PROGRAM WAY STATUS
both() {
	# shellcheck disable=SC2086 # words of a command
	same "$1" TAFFRAIL_SET="$2" $limit "$tests/$3" "$4"
	check "$1" status "exit $5" "$(cat shim.status)"
}

# 1. A fork child never synchronizes what its parent made, nor waits for a thread
# that only the parent has; where pages cannot be wiped neither.
drains="drain.post_sync=on;drain.pre_clear=on;drain.post_clear=on"
for way in free free_model free_inside unwiped; do
	both "fork: $way" "$drains" guest_fork $way 3
	check "fork: $way" "synchronizes of the child" "child 0" "$(cat shim.out)"
	check "fork: $way" "sessions begun" 1 "$(count '.ev == "start"')"
done
both "fork: unwiped_decode" "$drains" guest_fork unwiped_decode 3
check "fork: unwiped_decode" "sessions begun" 2 "$(count '.ev == "start"')"
has "fork: unwiped_decode" "the child's load, named" '.ev == "load" and .ph == "end" and .model == "child"'
has "fork: unwiped_decode" "the child's status" '.ev == "exit" and .ph == "end" and .rc == 4'

# A fork at any moment of its parent's first load: each child is guarded.
both "fork: while_loading" mode=enforce guest_fork while_loading 3
check "fork: while_loading" "children that loaded" 30 "$(count '.ev == "load" and .ph == "end" and .model == "child"')"

# 2. Two threads leave: the second one waits until the drain of the first is done, and the log
# is closed before either of them can end the process: also where the second one does so under
# the first one's destructors, or hangs in a handler. Which of them gives the status is the
# program's own race, and the C library's: from 2.41 on glibc lets only the first one go on, as
# libonce.so does. The record says what came of it.
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -fPIC -shared -o libonce.so "$SRC/tests/integration/parts/once.c" || exit 1
two_leave() { # WAY PRELOADS
	# shellcheck disable=SC2086
	with_shim LD_PRELOAD="$2" FAKE_SYNC_MS=700 TAFFRAIL_SET="exit.deadline=10m" $limit "$tests/guest_threads" "$1"
	check "$1" status "one of the two" "$(sed 's/^exit [35]$/one of the two/' shim.status)"
	has "$1" "a drain that was finished" '.ev == "drain" and .ph == "end" and .rc == 0'
	check "$1" "the last record" "exit end, $(cat shim.status)" \
		"$(crumbs | jq -rs 'last | "\(.ev) \(.ph), exit \(.rc)"')"
	check "$1" "ends of the exit" 1 "$(count '.ev == "exit" and .ph == "end"')"
	check "$1" "room in the log behind it" 0 "$(cat "$state"/crumbs/*.jsonl | grep -ac '^$')"
	check "$1" "rings left behind" "" "$(find "$work/run" -name '*.ring')"
}
for way in two_exits exit_under_exit exit_overtakes; do
	two_leave $way "$shim"
	two_leave $way "$shim $work/libonce.so"
done
check exit_overtakes "who won" "exit 3" "$(cat shim.status)"

# Who has closed the log waits for one that exits: that one does not stand for it for ever.
both exit_under_quick_exit "exit.deadline=300ms" guest_threads exit_under_quick_exit 3

# All that leave meet at the last handlers, again and again: one end each time, with the status
# that the process has.
fresh
for ((n = 0; n < 200; n++)); do
	# shellcheck disable=SC2086
	env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="exit.deadline=10m;crumbs.keep_sessions=1000" \
		$limit "$tests/guest_threads" exits_meet >/dev/null 2>meet.err
	echo $?
done >meet.status
check exits_meet err "" "$(cat meet.err)"
check exits_meet "statuses that none of them has" "" "$(grep -v '^[1234]$' meet.status)"
check exits_meet "ends of the exit, by status" "$(sort meet.status | uniq -c)" \
	"$(crumbs | jq 'select(.ev == "exit" and .ph == "end").rc' | sort | uniq -c)"

# Who leaves while another thread wakes the guard, and one that wakes it behind the last handler.
# shellcheck disable=SC2086
for way in exit_in_wake wake_in_exit; do
	fresh
	mkdir -m 700 "$state"
	# The guard waits for this lock before it is awake.
	raw shim $limit flock -o "$state/state.lock" env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" "$tests/guest_threads" $way
	check $way status "exit 5" "$(cat shim.status)"
	check $way "the last record" "exit end, 5" "$(crumbs | jq -rs 'last | "\(.ev) \(.ph), \(.rc)"')"
	has $way "the begin of it" '.ev == "exit" and .ph == "begin" and .rc == 5'
done

# A worker that the exit waits for stands still once, not at each of its 1000 decodes:
# that would be 200 s.
# shellcheck disable=SC2086
same joined_at_exit TAFFRAIL_SET=mode=enforce $limit "$tests/guest_threads" joined_at_exit
check joined_at_exit out joined "$(cat shim.out)"
check joined_at_exit status "exit 3" "$(cat shim.status)"

# 3. A decode that was left by a jump, as exceptions leave it: the next one does not
# wait for its end, on this thread or on another, and is counted.
for way in jump jump_on_thread; do
	# shellcheck disable=SC2086
	same $way FAKE_FN_FIRST=1 TAFFRAIL_SET="drain.deadline=200ms" $limit "$tests/guest_threads" $way
	check $way out "20 good, at once" "$(sed 's/^[01] failed, //' shim.out)"
	check $way "tokens counted" 21 "$(crumbs | jq -s '[.[] | select(.ev == "infer" and .ph == "end") | .tokens] | add')"
done

# The same of a runtime's functions: the launches that come after are counted.
read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"
"${cc[@]}" -fPIC -shared -DLIBRARY -o libamdhip64.so "$SRC/tests/integration/parts/jumpy.c" &&
	"${cc[@]}" -o jumpy "$SRC/tests/integration/parts/jumpy.c" ./libamdhip64.so -Wl,-rpath,"$work" || exit 1
for way in nowhere hipLaunchKernel hipMemcpyAsync hipDeviceSynchronize; do
	# shellcheck disable=SC2086
	same "jump out of $way" $limit ./jumpy $way
	check "jump out of $way" launches 7 "$(crumbs | jq -s '[.[] | select(.ev == "infer" and .ph == "end") | .submits] | add')"
done

# 4. Loads that begin together are all seen, whichever of them wakes the guard.
for round in 1 2 3 4 5 6 7 8; do
	both "load $round" mode=enforce guest_threads load 0
	check "load $round" "models seen" "a b c d" \
		"$(crumbs | jq -r 'select(.ev == "load" and .ph == "end") | .model' | sort | xargs)"
done

# What others have computed is waited for before a load, but never while one does that himself.
# shellcheck disable=SC2086
same load_in_sync FAKE_SYNC_MS=500 TAFFRAIL_SET="drain.deadline=10m" $limit "$tests/guest_threads" load_in_sync
check load_in_sync status "exit 0" "$(cat shim.status)"

# 5. Names are looked up while another thread opens and closes objects.
for n in 0 1 2 3 4 5; do
	echo "char big[1 << 20] = { 1 }; int plug$n(void); int plug$n(void) { return big[0]; }" >plug.c
	"${CC:-cc}" -fPIC -shared -o libplug$n.so plug.c || exit 1
done
# shellcheck disable=SC2086
same look_up PLUGINS="$work" $limit "$tests/guest_threads" look_up
check look_up out "none of the answers are wrong" "$(cat shim.out)"

# 6. A decode near the end of a small stack.
both fiber mode=enforce guest_threads fiber 0
check fiber out "2 decodes" "$(cat shim.out)"

tally 162
