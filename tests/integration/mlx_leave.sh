#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mlx_leave.sh -- ways out of a program that uses MLX: synchronize, nothing wired any more,
# clear, end; each once, on the thread that computed, before its streams go. The engine is
# one of ours, in C++, whose streams live as long as their threads.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

. "$SRC/tests/integration/lib_mlx.sh"

# What reached the engine, one call a word.
calls() {
	sed 's/ /-/g' engine.log | xargs
}

# Kinds and phases of the end, as the log has them.
end() {
	crumbs | jq -r 'select((.ev | IN("exit", "drain")) or .rule == "drain.at_exit") | [.ev, .ph] | join("-")' | xargs
}

ends() { # CASE STATUS CALLS END WORD...
	same "$1" env ENGINE_LOG="$work/engine.log" ./program wire=4096 fine "${@:5}"
	check "$1" status "$2" "$(cat shim.status)"
	check "$1" "the engine" "$3" "$(calls)"
	check "$1" "the log" "$4" "$(end)"
}

drained="wired-4096 eval synchronize wired-0 clear_cache"
told="exit-begin drain-begin limit-mark drain-end exit-end"
ends "from main" "exit 7" "$drained streams-gone" "$told"
ends exit "exit 3" "$drained streams-gone" "$told" exit=3
ends _exit "exit 3" "$drained" "$told" _exit=3
# A crash is not drained: who crashes may be inside the engine.
ends crash "signal 6" "wired-4096 eval eval" "" uncaught=metal
# A runtime below it gives its context back when the engine is half gone: nobody calls that.
ENGINE_CUDA=$tests/libfake_cuda.so ends "context of CUDA" "exit 7" \
	"wired-4096 eval eval synchronize wired-0 clear_cache streams-gone context-goes" "$told" fine
has "context of CUDA" "it is seen" '.ev == "unload" and .ph == "end" and .call == "cuDevicePrimaryCtxRelease_v2"'
# Nothing that is not wired is set.
rm -f engine.log
with_shim ENGINE_LOG="$work/engine.log" ./program fine
check "not wired" "the engine" "eval synchronize clear_cache streams-gone" "$(calls)"
# Where the clear is barred, nothing stays wired all the same.
rm -f engine.log
with_shim ENGINE_LOG="$work/engine.log" TAFFRAIL_SET="drain.no_clear=mlx:>=0.31" ./program wire=4096 fine
check "no clear" "the engine" "wired-4096 eval synchronize wired-0 streams-gone" "$(calls)"
# A wait that fails is followed by neither.
rm -f engine.log
with_shim ENGINE_LOG="$work/engine.log" ./program wire=4096 fine wish=metal exit=3
check "it fails" "the engine" "wired-4096 eval synchronize streams-gone" "$(calls)"

# By a signal: by default nothing of ours runs, and the death is the program's own.
signalled() { # CASE SETTINGS CALLS
	rm -f engine.log signal.out
	fresh
	env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$2" ENGINE_LOG="$work/engine.log" \
		./program wire=4096 fine wait >signal.out 2>&1 &
	await 60 grep -q waiting signal.out
	kill -TERM $!
	{ wait $!; } 2>/dev/null
	check "$1" status 143 $?
	check "$1" "the engine" "$3" "$(calls)"
}
signalled "signal, by default" "" "wired-4096 eval"
# Its thread stands still and has waited for what it computed: nobody else may synchronize,
# and nothing stays wired.
signalled "signal, exit.signals" exit.signals=TERM "wired-4096 eval wired-0"
check "signal, exit.signals" "the log" "exit-begin limit-mark exit-end" "$(end)"

# Another thread's work is nobody else's to wait for: not even one call is made.
ends idle "exit 3" "wired-4096 eval eval synchronize wired-0 clear_cache streams-gone" \
	"$told" idle exit=3

# Threads that are at work drain themselves, each once, while who leaves waits for them; then
# it takes back what is wired. None of them is idle or late, whatever the machine does.
patient="exit.deadline=10m;drain.idle_ms=10m;drain.deadline=10m"

all_drain() { # CASE THREADS DRAINS WORD...
	rm -f engine.log
	with_shim ENGINE_LOG="$work/engine.log" TAFFRAIL_SET="$patient" \
		timeout -s KILL 100 ./program wire=4096 fine "${@:4}"
	check "$1" status "exit 3" "$(cat shim.status)"
	check "$1" "synchronizes" "$3" "$(grep -c synchronize engine.log)"
	check "$1" "drains that were made" "$3" "$(count '.ev == "drain" and .ph == "end" and .rc == 0')"
	check "$1" "threads that made them" "$2" \
		"$(crumbs | jq -r 'select(.ev == "drain" and .ph == "end").tid' | sort -u | wc -l)"
	has_not "$1" "one was not drained" '.msg | tostring | contains("not drained")'
	check "$1" "wired at the end" wired-0 "$(grep wired engine.log | tail -n 1 | sed 's/ /-/')"
	check "$1" "the last record" exit-end "$(end | xargs -n 1 | tail -n 1)"
}
all_drain "busy, exit" 4 4 busy=3 exit=3
all_drain "busy, _exit" 4 4 busy=3 _exit=3
# Those that leave as well, in the midst of it, are waited for like others.
all_drain "all leave" 4 4 leave=3
# An exec that fails has drained all; at the end all is drained once more.
all_drain "busy, no exec" 3 6 busy=2 noexec _exit=3

# The trap that this order is for: behind the streams of the thread a synchronize throws,
# and who calls it there ends the process. The drain was made before.
ends late "signal 6" "$drained streams-gone synchronize" "exit-begin drain-begin limit-mark drain-end" late
tally 79
