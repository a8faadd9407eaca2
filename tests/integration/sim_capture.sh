#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_capture.sh -- no synchronize of ours while a stream is being captured.
#
# On the simulated GPU (tests/simgpu/machine.h) such a call ends the process, in
# whatever thread it is made.  The program captures in one thread and launches in
# another without waiting; every way of taffrail to drain is asked for at once.
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
sim=$tests/simgpu
mkdir machine
export SIMGPU_DIR=$work/machine SIMGPU_LOG=$work/sim.calls SIMGPU_LATENCY_US=20
"$sim/simgpu-kernel" machine >/dev/null || exit 1

with_shim() { # COMMAND...
	fresh
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" \
		TAFFRAIL_SET="drain.every_submits=$every;drain.window=$window;drain.post_sync=on;drain.pre_clear=on;drain.post_clear=on;drain.idle_ms=20ms" \
		"$@"
}

for every in 1 7; do
	for window in fixed adaptive; do
		case="every_submits=$every, $window"
		rm -f "$SIMGPU_LOG"
		same "$case" "$sim/guest_capture"
		check "$case" "it works" "exit 0" "$(cat shim.status)"
		check "$case" "synchronizes during a capture" 0 "$(grep -c 'during an open capture' "$SIMGPU_LOG")"
		has "$case" "a drain that was carried out" '.ev == "drain" and .ph == "end" and .rc == 0 and .rule == "drain.every_submits"'
	done
done
# What the thread that captures submits elsewhere meanwhile is in flight.
fresh
SIMGPU_LATENCY_US=20000 raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" "$sim/guest_aside"
check aside status "exit 3" "$(cat shim.status)"
check aside "submits of the drain before the free" "submits 1..1 of the last burst" "$(crumbs |
	jq -r 'select(.ev == "drain" and .ph == "begin" and .rule == "drain.before_unload").msg')"
check all "panics of the machine" 0 "$("$sim/simgpu-kernel" --await machine)"
tally 20
