#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# exit_routes.sh -- every way out of a process that has contexts alive.
#
# Seen from outside each way is the same with and without the shim.  Inside,
# the contexts are drained before the engine tears itself down, or a crumb says
# why not, or, where no preload can see the end, a begin stays open.
#
# time-limit: 300
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

# WAY  STATUS  DRAIN  LAST
#   DRAIN  drained: a synchronize that succeeded, before the teardown
#          missed: "not drained", since a thread was in the engine
#          open: nothing was done and the generation is still open
#          tidy: the program had freed everything
#   LAST   exit CALL N: begin and end of EXIT by CALL with status N
#          exec CALL: the EXEC record of CALL
#          class C: an ERROR record of that class, no EXIT
#          none: no EXIT record
table='
return                    exit_3    drained exit:main:3
exit                      exit_3    drained exit:exit:3
_exit                     exit_3    drained exit:_exit:3
exit_minus                exit_255  drained exit:exit:255
_exit_minus               exit_255  drained exit:_exit:255
exit_256                  exit_0    drained exit:exit:0
_Exit                     exit_3    drained exit:_Exit:3
quick_exit                exit_3    drained exit:quick_exit:3
error                     exit_3    drained exit:exit_handler:3
pthread_exit              exit_0    drained exit:exit_handler:0
exit_group                exit_3    drained exit:exit_group:3
tidy                      exit_3    tidy    exit:main:3
abort                     signal_6  open    class:abort
assert                    signal_6  open    none
raise                     signal_15 open    none
sigterm                   signal_15 open    none
sigint                    signal_2  open    none
sighup                    signal_1  open    none
sigkill                   signal_9  open    none
sigsegv                   signal_11 open    none
sigfpe                    signal_8  open    none
overflow                  signal_11 open    none
inline_exit_group         exit_3    open    none
execve                    exit_4    drained exec:execve
execv                     exit_4    drained exec:execv
execvp                    exit_4    drained exec:execvp
execvpe                   exit_4    drained exec:execvpe
execl                     exit_4    drained exec:execv
execlp                    exit_4    drained exec:execvp
execle                    exit_4    drained exec:execve
fexecve                   exit_4    drained exec:fexecve
execveat                  exit_4    drained exec:execveat
exec_fails                exit_3    drained exit:main:3
exec_again                exit_3    drained exit:exit:3
spawn                     exit_3    drained exit:main:3
spawnp                    exit_3    drained exit:main:3
system                    exit_3    drained exit:main:3
popen                     exit_3    drained exit:main:3
fork                      exit_3    drained exit:main:3
fork_exit                 exit_3    drained exit:main:3
fork_decode               exit_3    drained exit:main:3
fork_exec                 exit_3    drained exit:main:3
vfork                     exit_3    drained exit:main:3
vfork_fails               exit_3    drained exit:main:3
clone                     exit_3    drained exit:main:3
raw_fork                  exit_3    drained exit:main:3
exit_in_handler_of_exit   exit_5    drained exit:exit:5
_exit_in_handler_of_exit  exit_5    drained exit:main:5
exit_on_thread            exit_3    drained exit:exit:3
return_while_decoding     exit_3    drained exit:main:3
exit_in_callback          exit_3    missed  exit:exit:3
exit_in_signal_handler    exit_3    missed  exit:exit:3
'

# The engine saw a synchronize, and none after its teardown.
drained_in_time() { # WAY
	local first
	has "$1" "a drain that succeeded" '.ev == "drain" and .ph == "end" and .rc == 0'
	first=$(grep -nE '^(llama_synchronize|teardown)$' engine.log | head -n 1 | cut -d: -f2)
	check "$1" "the engine is synchronized first" llama_synchronize "$first"
}

drain() { # WAY DRAIN
	case $2 in
	drained) drained_in_time "$1" ;;
	missed) has "$1" "a drain that was given up" '.ev == "drain" and (.msg | tostring | startswith("not drained"))' ;;
	open)
		has_not "$1" "a drain was begun" '.ev == "drain"'
		has "$1" "the generation's begin" '.ev == "infer" and .ph == "begin"'
		has_not "$1" "the generation was closed" '.ev == "infer" and .ph == "end"'
		;;
	tidy)
		has "$1" "the context's unload" '.ev == "unload" and .call == "llama_free" and .ph == "end"'
		has "$1" "the model's unload" '.ev == "unload" and .call == "llama_model_free" and .ph == "end"'
		;;
	esac
}

last() { # WAY LAST
	local call=${2#*:} rc=${2##*:}
	case $2 in
	exit:*)
		call=${call%:*}
		has "$1" "the begin of exit" ".ev == \"exit\" and .ph == \"begin\" and .call == \"${call/_handler/ handler}\""
		has "$1" "the end of exit with status $rc" ".ev == \"exit\" and .ph == \"end\" and .rc == $rc"
		check "$1" "rings left" "" \
			"$(find "$XDG_RUNTIME_DIR/taffrail" -mindepth 1 -maxdepth 1 ! -name lock -printf '%P\n' 2>/dev/null)"
		;;
	exec:*) has "$1" "exec" ".ev == \"exec\" and .call == \"$call\"" ;;
	class:*)
		has "$1" "the error" ".ev == \"error\" and .class == \"$call\""
		has_not "$1" "an exit was written" '.ev == "exit"'
		;;
	none) has_not "$1" "an exit was written" '.ev == "exit"' ;;
	esac
}

# A fork, vfork or clone child writes nothing into its parent's log.
one_writer() { # WAY
	local want=1
	[ "$1" = fork_decode ] && want=2
	check "$1" "processes with a log" "$want" "$(crumbs | jq .pid | sort -u | wc -l)"
	check "$1" "records without a number of their own" "" \
		"$(crumbs | jq -c '[.pid, .seq, .start, .boot]' | sort | uniq -d)"
}

plain_guests guest_exit
while read -r way status drained end; do
	[ -n "$way" ] || continue
	same "$way" FAKE_DECODE_MS=2 FAKE_LOG="$work/engine.log" "$tests/guest_exit" "$way"
	check "$way" status "${status/_/ }" "$(cat shim.status)"
	drain "$way" "$drained"
	last "$way" "$end"
	[ "$way" = exec_again ] || one_writer "$way"
done <<<"$table"

# Both programs of one process tell their story.
with_shim FAKE_DECODE_MS=2 "$tests/guest_exit" exec_again
check exec_again "sessions begun" 2 "$(count '.ev == "start"')"
check exec_again "models loaded" 2 "$(count '.ev == "load" and .ph == "end"')"
has exec_again "the first one's exec" '.ev == "exec" and .call == "execv"'

# A failed exec: the process goes on and is guarded as before.
with_shim "$tests/guest_exit" exec_fails
has exec_fails "the exec that failed" '.ev == "exec" and .ph == "end" and .rc == -2'
check exec_fails "exits" 1 "$(count '.ev == "exit" and .ph == "begin"')"

# The child of a fork has a session of its own, which begins with its own load.
with_shim "$tests/guest_exit" fork_decode
check fork_decode "sessions begun" 2 "$(count '.ev == "start"')"
has fork_decode "the child's status" '.ev == "exit" and .ph == "end" and .rc == 4'
has fork_decode "the fork" '.ev == "fork" and .rc > 0'

# A synchronize that never returns: the deadline ends the process with its own status.
with_shim FAKE_SYNC_MS=60000 TAFFRAIL_SET="exit.deadline=200ms" "$tests/guest_exit" exit
check hung-sync status "exit 3" "$(cat shim.status)"
has hung-sync "what happened" '.ev == "exit" and .ph == "end" and .rule == "exit.deadline" and .rc == 3'

# Only its low byte is the status of a process: not one of a signal.
for way in exit_minus _exit_minus; do
	with_shim FAKE_SYNC_MS=60000 TAFFRAIL_SET="exit.deadline=200ms" "$tests/guest_exit" $way
	check "hung-sync $way" status "exit 255" "$(cat shim.status)"
	has "hung-sync $way" "what happened" '.ev == "exit" and .ph == "end" and .rule == "exit.deadline" and .rc == 255'
done

# The program exits once more in the midst of that, by a handler: the drain is given up. What the
# program does at its end has a deadline of its own, and the status is the one that it gave last.
with_shim FAKE_SYNC_MS=60000 TAFFRAIL_SET="exit.deadline=4s" "$tests/guest_exit" exit_in_drain
check exit_in_drain status "exit 3" "$(cat shim.status)"
check exit_in_drain output "ready,slow exit handler,and its end,app exit handler" "$(paste -sd, shim.out)"
has exit_in_drain "the status" '.ev == "exit" and .ph == "end" and .rc == 3'
has exit_in_drain "that it was not drained" '.ev == "drain" and .ph == "mark" and .rc != 0 and .rule == "drain.at_exit"'
check exit_in_drain "lines of the report that say so" 3 "$(TAFFRAIL_STATE="$state" "$BUILD/taffrail" report |
	grep -cE "status 3 .* in the midst of that|^ *exit *status 5 by exit, NOT drained, .*; in the end status 3$|^ *next .* ended the process meanwhile")"
with_shim FAKE_SYNC_MS=60000 TAFFRAIL_SET="exit.deadline=400ms" "$tests/guest_exit" exit_in_drain
check "hung exit_in_drain" status "exit 3" "$(cat shim.status)"
check "hung exit_in_drain" output "ready,slow exit handler" "$(paste -sd, shim.out)"
has "hung exit_in_drain" "what happened" '.ev == "exit" and .ph == "end" and .rule == "exit.deadline" and .rc == 3'

# A generation that is still open is drained by its own rules first: the deadline
# runs from there on, whether or not anything is drained for the exit itself.
for rules in "drain.post_sync=on" "drain.post_sync=on;drain.post_clear=on;drain.pre_clear=on" \
	"drain.post_sync=on;drain.at_exit=off"; do
	with_shim FAKE_SYNC_MS=60000 TAFFRAIL_SET="exit.deadline=200ms;drain.idle_ms=1h;$rules" \
		"$tests/guest_exit" exit
	check "hung $rules" status "exit 3" "$(cat shim.status)"
	has "hung $rules" "what happened" '.ev == "exit" and .ph == "end" and .rule == "exit.deadline" and .rc == 3'
done

# A decode that never returns on another thread: the leaver gives up.
with_shim FAKE_HANG_AT=4 TAFFRAIL_SET="drain.deadline=200ms;exit.deadline=10m" "$tests/guest_exit" return_while_decoding
check hung-decode status "exit 3" "$(cat shim.status)"
has hung-decode "what happened" '.ev == "drain" and .rc == -110 and (.msg | startswith("not drained"))'

# Off keys: nothing is drained, the records stay; nothing at all is written.
with_shim TAFFRAIL_SET="drain.at_exit=off" "$tests/guest_exit" exit
has_not at_exit-off "a drain was begun" '.ev == "drain"'
has at_exit-off "exit" '.ev == "exit" and .ph == "end" and .rc == 3'
with_shim TAFFRAIL_SET="mode=observe" FAKE_LOG="$work/engine.log" "$tests/guest_exit" exit
has observe "what would have been done" '.ev == "would" and .rule == "drain.at_exit"'
check observe "synchronizes" 0 "$(grep -c llama_synchronize engine.log)"
with_shim TAFFRAIL_SET="mode=off" "$tests/guest_exit" exit
check mode-off "files" "" "$(find "$state" "$XDG_RUNTIME_DIR" -type f 2>/dev/null)"
with_shim TAFFRAIL=off "$tests/guest_exit" exit
check off "files" "" "$(find "$state" "$XDG_RUNTIME_DIR" -type f 2>/dev/null)"

tally 430
