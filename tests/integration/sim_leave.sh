#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_leave.sh -- a program whose threads launch returns from main or calls _exit while another
# thread captures, or its exec fails again and again: all is drained. On the simulated GPU, which
# panics where it is not; no deadline helps.
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
sim=$tests/simgpu
unset RACY_RAW RACY_BESIDE SIMGPU_BUG

# One run on a new machine.
leave() { # MACHINE LATENCY-US MORE-SETTINGS
	fresh
	mkdir "$1"
	"$sim/simgpu-kernel" "$1" >/dev/null || exit 1
	raw shim env SIMGPU_DIR="$work/$1" SIMGPU_LATENCY_US="$2" LD_PRELOAD="$shim" \
		TAFFRAIL_STATE="$state" TAFFRAIL_SET="exit.deadline=10m;drain.deadline=10m;$3" \
		timeout -s KILL 100 "$sim/racy_leave"
}

panics() { # MACHINE
	"$sim/simgpu-kernel" --await "$1"
}

drained() { # CASE
	for round in {1..4}; do
		local machine=$1.$round us=$((round % 2 ? 5000 : 20))
		leave "$machine" "$us" ""
		check "$1, round $round, $us us" status "exit 3" "$(cat shim.status)"
		check "$1, round $round, $us us" panics 0 "$(panics "$machine")"
		has_not "$1, round $round" "one was not drained" '.msg | tostring | test("not (drained|synchronized)")'
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

for RACY_BESIDE in capture exec; do
	export RACY_BESIDE
	drained $RACY_BESIDE
	undrained $RACY_BESIDE
	RACY_RAW=1 drained $RACY_BESIDE.raw
done
tally 50
