#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mlx_rest.sh -- a thread that computed with MLX waits for something else: each wait gives what it
# would without us, and is where the thread drains what nobody else can (shim/rest.h).
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

. "$SRC/tests/integration/lib_mlx.sh"
"${cxx[@]}" -o resting "$SRC/tests/integration/resting_mlx.cpp" -L. -lmlx -Wl,-rpath,"$work" || exit 1

run() { # CASE SETTINGS STATUS WORD...
	rm -f engine.log
	with_shim ENGINE_LOG="$work/engine.log" TAFFRAIL_SET="$2" timeout -s KILL 100 ./resting "${@:4}"
	check "$1" status "$3" "$(cat shim.status)"
}

# What reached the engine, and what the log has of it.
calls() {
	grep -v '^eval$' engine.log | sed 's/ /-/g' | xargs
}

told() {
	crumbs | jq -r 'select(((.ev == "infer" or .ev == "exit") and .ph != "mark") or .ev == "drain" or .ev == "would") |
		[.ev, (if .ph == "mark" then empty else .ph end), if .ph == "begin" then (.rule // empty) else empty end] | join("-")' | xargs
}

# ---- every wait gives what it would: with drains in its midst, and with none ----
for settings in "drain.idle_ms=20ms;drain.post_clear=on" "drain.idle_ms=10m"; do
	for thread in all all_in_thread; do
		same "$thread, $settings" env TAFFRAIL_SET="$settings" timeout 100 ./resting async $thread _exit=3
		check "$thread, $settings" "lines" 32 "$(wc -l <shim.out)"
		check "$thread, $settings" "those of Linux" "wait restarted: posted wait interrupted: EINTR mono restarted: EINTR" \
			"$(grep -E '^(wait|mono) restarted|^wait interrupted' shim.out | xargs)"
		check "$thread, $settings" "none came too early" 0 "$(grep -c early shim.out)"
	done
done
for how in wait timed mono real; do
	same "cancelled, $how" env TAFFRAIL_SET=drain.idle_ms=20ms timeout 100 ./resting cancel=$how _exit=3
done

# One that is over at once is none to rest in; nor is one that a signal is to end.
run "posted already" "drain.idle_ms=20ms;drain.post_clear=on;drain.at_exit=off" "exit 3" over _exit=3
check "posted already" "no drain in the wait" "" "$(crumbs | jq -r 'select(.ev == "drain" and .at_rest).msg')"
same broken env "TAFFRAIL_SET=drain.idle_ms=20ms;drain.post_clear=on" timeout 100 ./resting slow=1000 broken _exit=3
for how in wait mono; do
	run "cancelled in a drain, $how" "drain.idle_ms=20ms;drain.post_clear=on" "exit 3" slow=500 cut=$how _exit=3
	check "cancelled in a drain, $how" "how it ended" "$how: cancelled" "$(cat shim.out)"
done

# ---- a generation that is over ends there, with its drains ----
log=$work/engine.log
for how in wait timed mono real; do
	run "at rest, $how" "drain.idle_ms=20ms;drain.post_clear=on" "exit 3" thread=$how settled="$log" _exit=3
	check "at rest, $how" "the engine" "synchronize clear_cache" "$(calls)"
	check "at rest, $how" "the log" "infer-begin infer-end drain-begin-drain.post_clear drain-end exit-begin exit-end" "$(told)"
	check "at rest, $how" "by its own thread" 1 "$(crumbs | jq -r 'select(.ev == "infer" or .ev == "drain").tid' | sort -u | wc -l)"
done

check "at rest" "the records say where" 2 "$(count '.ev == "drain" and .at_rest')"
check "at rest" "the log says where" 1 "$("$BUILD/taffrail" log --state="$state" | grep -c 'drain begin .* while its thread waits for something else, by rule drain.post_clear')"

# What is still in flight then is drained once, as who leaves later cannot: by no more than
# a synchronize, and the end has nothing left to wait for.
run "for the end" drain.idle_ms=20ms "exit 3" rounds thread=timed settled="$log" _exit=3
check "for the end" "the engine" synchronize "$(calls)"
check "for the end" "the log" "infer-begin infer-end drain-begin-drain.at_exit drain-end exit-begin exit-end" "$(told)"
has_not "for the end" "something was not drained" '.msg | tostring | contains("not drained")'
run "not for the end" "drain.idle_ms=20ms;drain.at_exit=off" "exit 3" rounds async until=300 _exit=3
check "not for the end" "the engine" "" "$(calls)"
run "no token" drain.idle_ms=20ms "exit 3" thread=timed turns=5 _exit=3
check "no token" "it may take long: the engine" "" "$(cat engine.log 2>/dev/null)"
run observed "drain.idle_ms=20ms;mode=observe" "exit 3" rounds async until=100 until=300 until=100 _exit=3
check observed "the engine" "" "$(calls)"
check observed "what would be, once behind each of three, and at the exit" 4 \
	"$(count '.ev == "would" and .rule == "drain.at_exit"')"

# One that fails is tried once, however often the thread waits on.
run "it fails" "drain.idle_ms=20ms;drain.post_clear=on" "exit 3" wish=metal thread=mono settled="$log" turns=5 _exit=3
check "it fails" "the engine" synchronize "$(head -n 1 engine.log)"
check "it fails" "tried while it rests" 1 \
	"$(crumbs | jq -s '(map(select(.ev == "exit"))[0].mono_ns) as $left |
		map(select(.ev == "drain" and .ph == "begin" and .mono_ns < $left)) | length')"

# What it is told there of what had been begun the program is told at its next call.
same "failed meanwhile" env "TAFFRAIL_SET=drain.idle_ms=20ms;drain.post_clear=on" timeout 100 ./resting later=metal async until=300 one one _exit=3
check "failed meanwhile" "told by a drain" 1 "$(count '.ev == "error" and (.call | contains("synchronize"))')"
run "failed, another waits" "drain.idle_ms=20ms;drain.post_clear=on" "exit 3" later=metal thread=wait settled="$log" one one _exit=3
check "failed, another waits" "told once" "failed: [METAL] Command buffer execution failed: computed" "$(cut -d ' ' -f 1-6 shim.out | xargs)"

# ---- another thread leaves ----
# In the midst of the generation: who leaves waits for the next look, and for nothing that lasts.
for how in wait mono; do
	for end in exit=3 _exit=3; do
		run "left, $how, $end" "drain.idle_ms=10m;drain.deadline=10m;exit.deadline=10m" "exit 3" thread=$how $end
		check "left, $how, $end" "the engine" "synchronize clear_cache" "$(calls | sed 's/ streams-gone//')"
		check "left, $how, $end" "the log" \
			"infer-begin exit-begin infer-end drain-begin-drain.at_exit drain-end exit-end" "$(told)"
		has "left, $how, $end" "the drain by the thread that rests" \
			'.ev == "drain" and .ph == "end" and .rc == 0 and .tid != .pid'
	done
done

fresh
rm -f engine.log
env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" ENGINE_LOG="$log" \
	TAFFRAIL_SET="drain.idle_ms=10m;drain.deadline=10m;exit.deadline=10m;exit.signals=TERM" \
	./resting thread=wait sigterm >signal.out 2>&1 &
await 60 grep -q waiting signal.out
kill -TERM $!
{ wait $!; } 2>/dev/null
check signal status 143 $?
check signal "the engine" "synchronize clear_cache" "$(calls)"
check signal "the log" "infer-begin exit-begin infer-end drain-begin-drain.at_exit drain-end exit-end" "$(told)"
tally 1
