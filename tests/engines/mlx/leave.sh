#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# leave.sh -- ways out of a program that uses MLX: who drains, and on which thread.
#
# time-limit: 200
. "${SRC:?}/tests/engines/mlx/lib.sh"

steps=("$python" "$here/steps.py")
drained='.ev == "drain" and .ph == "end" and .rule == "drain.at_exit"'

# Every drain that says it worked was made by the thread that computed.
check_owner() { # CASE
	check "$1" "drains by other threads" "" "$(records | jq -rs '(map(select(.ev == "infer" and .ph == "begin")) | map(.tid) | unique) as $own |
		.[] | select(.ev == "drain" and .ph == "end" and .rc == 0 and (.tid | IN($own[]) | not)) | .tid')"
}

# In flight on a stream that the program made: waited for, on every version.
for version in 0.29.4 0.31.2 $newest; do
	use "$version"
	steps=("$python" "$here/steps.py")
	plain "${steps[@]}" pending
	guarded -- "${steps[@]}" pending
	check_same "pending, $version"
	check "pending, $version" status "exit 5" "$(cat guarded.status)"
	one "pending, $version" "the drain" "$drained and .rc == 0"
	check_owner "pending, $version"
	check "pending, $version" "not aborted" "" "$(grep -i 'terminate\|abort' guarded.err)"
done

# However Python ends: the program's own status, and the end of the log in this order.
# Behind it the interpreter has nothing left to do, and threads still have their streams:
# functions for Py_AtExit run no later.
told="exit-begin drain-begin limit-mark drain-end exit-end"
for version in 0.31.2 $newest; do
	use "$version"
	for way in end exit raise _exit; do
		plain "$python" "$here/steps.py" leave $way
		guarded -- "$python" "$here/steps.py" leave $way
		check_same "$way, $version"
		check "$way, $version" "the end of the log" "$told" "$(records |
			jq -r 'select((.ph != "mark" and (.ev | IN("exit", "drain"))) or .rule == "drain.at_exit") | [.ev, .ph] | join("-")' | xargs)"
		one "$way, $version" "the drain" "$drained and .rc == 0"
		check "$way, $version" "no limit was met" 0 "$(grep -c limited guarded.own)"
	done
	# What we must not do: behind the streams of its thread a synchronize ends the process.
	# Debian's own Python 3.11.2 gets by with it.
	plain "$python" "$here/steps.py" leave late
	guarded -- "$python" "$here/steps.py" leave late
	check_same "late, $version"
	one "late, $version" "ours came before" "$drained and .rc == 0"
	if [ "$(cat plain.status)" != "signal 6" ]; then
		untried 1 "late, $version: a synchronize that ends the process, $(cat plain.status)"
		continue
	fi
	check "late, $version" "the trap was there" "signal 6" "$(cat guarded.status)"
done
use $newest
steps=("$python" "$here/steps.py")

# MLX tells once of what failed behind an async_eval: a drain that was told tells the program.
plain "${steps[@]}" told
guarded --set drain.post_clear=on -- "${steps[@]}" told
check_same told
check told "it fails" 1 "$(grep -c factorization guarded.out)"
one told "a drain was told" '.ev == "error" and (.call | contains("synchronize"))'

# The main thread leaves with the lock of the interpreter, so that the other one never
# comes to its next call. What it evaluated it has waited for: nothing is in flight.
plain "${steps[@]}" background
guarded -- "${steps[@]}" background
check_same background
check background status "exit 3" "$(cat guarded.status)"
check background "drains" 0 "$(number_of '.ev == "drain"')"
one background "the generation's end" '.ev == "infer" and .ph == "end" and .of'

# By a signal it does come there, and drains what is its own.
fresh
"$taffrail" run --set exit.signals=TERM -- "${steps[@]}" background wait >bg.out 2>bg.err &
runner=$!
until_true grep -q leaving bg.out
kill -TERM "$(crumbs | jq -rs 'map(select(.ev == "start" and .role == "guest"))[0].pid')"
{ wait $runner; } 2>/dev/null
check signal "how it ended" 143 $?
one signal "the drain" "$drained and .rc == 0"
check_owner signal
check signal "the report" "signal" "$("$taffrail" report --last --json | jq -r '[.sessions[] | select(.engines | length > 0)][0].verdict')"

# drain.at_exit off: nothing is waited for.
guarded --set drain.at_exit=off -- "${steps[@]}" background
check off status "exit 3" "$(cat guarded.status)"
check off "drains" 0 "$(number_of '.ev == "drain"')"

# Read and never evaluated: the load ends with the program, and nobody hangs in it.
model a
plain "${steps[@]}" read a
guarded -- "${steps[@]}" read a
check_same read
one read "the end of the load" '.ev == "load" and .ph == "end" and .rc == 0'
check read "nothing is open" 0 "$("$taffrail" report --last --json | jq '[.sessions[].open[]] | length')"
plain "${steps[@]}" read none
guarded -- "${steps[@]}" read none
check_same "read, no file"
check "read, no file" "no cache is read" 0 "$(number_of '.msg // "" | contains("saved cache")')"
fresh
"$taffrail" run -- "${steps[@]}" read a wait >read.out 2>read.err &
runner=$!
until_true grep -q read read.out
"$taffrail" report --last >read.text
check "read, alive" "the report" 1 "$(grep -c 'its weights are not evaluated yet' read.text)"
kill -KILL "$(crumbs | jq -rs 'map(select(.ev == "start" and .role == "guest"))[0].pid')"
{ wait $runner; } 2>/dev/null
check "read, killed" "nothing is open" 0 "$("$taffrail" report --all --json | jq '[.sessions[].open[]] | length')"
tally 90
