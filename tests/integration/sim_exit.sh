#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_exit.sh -- a program whose threads launch, copy, free and trim as it returns from main or calls
# _exit: what they have in flight is drained, what they give up meanwhile as well, and nothing
# comes behind. On the simulated GPU, which panics where it is not; no deadline helps.
#
# A panic at the end of a process leaves its status as it was: the machine alone tells of it.
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
sim=$tests/simgpu
unset RACY_RAW SIMGPU_BUG

# One run on a new machine.
leave() { # MACHINE LATENCY-US MORE-SETTINGS
	fresh
	mkdir "$1"
	"$sim/simgpu-kernel" "$1" >/dev/null || exit 1
	raw shim env SIMGPU_DIR="$work/$1" SIMGPU_LATENCY_US="$2" LD_PRELOAD="$shim" \
		TAFFRAIL_STATE="$state" TAFFRAIL_SET="exit.deadline=10m;drain.deadline=10m;$3" \
		timeout -s KILL 100 "$sim/racy_busy"
}

panics() { # MACHINE
	"$sim/simgpu-kernel" --await "$1"
}

# A quick device has many submits on their way as the program leaves; a slow one
# still computes when a program is gone that did not wait for it.
drained() { # CASE
	for round in {1..8}; do
		local machine=$1.$round us=$((round % 2 ? 20000 : 20))
		leave "$machine" "$us" ""
		check "$1, round $round, $us us" status "exit 3" "$(cat shim.status)"
		check "$1, round $round, $us us" panics 0 "$(panics "$machine")"
		has_not "$1, round $round" "one was not drained" '.msg | tostring | contains("not drained")'
	done
}

# The same without the drain: a machine that never panics would prove nothing.
undrained() { # CASE
	local count=0
	for try in {1..20}; do
		leave "$1.off.$try" 20000 "drain.at_exit=off"
		count=$(panics "$1.off.$try")
		[ "$count" = 0 ] || break
	done
	check "$1, drain.at_exit=off" "one of 20 runs panics" yes "$([ "$count" -gt 0 ] && echo yes)"
}

drained return
undrained return
export RACY_RAW=1
drained raw
undrained raw
tally 50
