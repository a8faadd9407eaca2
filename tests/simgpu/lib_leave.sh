# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib_leave.sh -- runs a program whose threads are at work as it leaves, on a simulated GPU that
# panics where anything is left undrained. Sourced behind tests/integration/lib.sh.
#
#   racy       the program
#   slow_us    how long the slow device takes: it still computes when a program is gone that
#              did not wait for it; a quick one has many submits on their way as it leaves
#   rounds     how often each case runs, on the slow and the quick device by turns
#
# No deadline helps. A panic at the end of a process leaves its status as it was: the machine alone
# tells of it.
# shellcheck disable=SC2154 # names set by lib.sh, and those above
sim=$tests/simgpu
unset RACY_RAW RACY_BESIDE SIMGPU_BUG

# One run on a new machine.
leave() { # MACHINE LATENCY-US MORE-SETTINGS
	fresh
	mkdir "$1"
	"$sim/simgpu-kernel" "$1" >/dev/null || exit 1
	raw shim env SIMGPU_DIR="$work/$1" SIMGPU_LATENCY_US="$2" LD_PRELOAD="$shim" \
		TAFFRAIL_STATE="$state" TAFFRAIL_SET="exit.deadline=10m;drain.deadline=10m;$3" \
		timeout -s KILL 100 "$sim/$racy"
}

panics() { # MACHINE
	"$sim/simgpu-kernel" --await "$1"
}

drained() { # CASE
	local round machine us
	for ((round = 1; round <= rounds; round++)); do
		machine=$1.$round us=$((round % 2 ? slow_us : 20))
		leave "$machine" "$us" ""
		check "$1, round $round, $us us" status "exit 3" "$(cat shim.status)"
		check "$1, round $round, $us us" panics 0 "$(panics "$machine")"
		has_not "$1, round $round" "one was not drained" '.msg | tostring | test("not (drained|synchronized)")'
	done
}

# The same without the drain: a machine that never panics would prove nothing.
undrained() { # CASE
	local count=0 try
	for try in {1..20}; do
		leave "$1.off.$try" 20000 "drain.at_exit=off"
		count=$(panics "$1.off.$try")
		[ "$count" = 0 ] || break
	done
	check "$1, drain.at_exit=off" "one of 20 runs panics" yes "$([ "$count" -gt 0 ] && echo yes)"
}
