#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_exit.sh -- a program whose threads launch, copy, free and trim as it returns from main or calls
# _exit: what they have in flight is drained, what they give up meanwhile as well, and nothing
# comes behind. On the simulated GPU, which panics where it is not; no deadline helps.
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
sim=$tests/simgpu
export TAFFRAIL_SET="exit.deadline=10m;drain.deadline=10m"

for round in {1..16}; do
	fresh
	mkdir "machine.$round"
	[ "$round" = 9 ] && export RACY_RAW=1
	"$sim/simgpu-kernel" "machine.$round" >/dev/null || exit 1
	raw shim env SIMGPU_DIR="$work/machine.$round" LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" \
		timeout -s KILL 100 "$sim/racy_busy"
	check "round $round" status "exit 3" "$(cat shim.status)"
	has_not "round $round" "one was not drained" '.msg | tostring | contains("not drained")'
done
tally 32
