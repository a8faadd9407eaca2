#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_burst.sh -- time in which the device works is no pause: a program that waits longer
# than drain.idle_ms for its own work, or is drained so long, is still in one generation.
# A pause of its own is one.  On the simulated GPU, whose commands take 100 ms.
#
# A machine that stands still makes a pause as well, somewhere: each generation that was told
# is more than one token, or no more than one.
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
sim=$tests/simgpu
mkdir machine
SIMGPU_BUG=none "$sim/simgpu-kernel" machine >/dev/null || exit 1
export SIMGPU_DIR=$work/machine SIMGPU_LATENCY_US=100000 RACY_TOKENS=4

with_shim() { # COMMAND...
	fresh
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$set_to" timeout 100 "$@"
}

# Of four tokens: "fewer" generations, or one for each at least; and the launches of all.
generations() {
	crumbs | jq -rs 'map(select(.ev == "infer" and .ph == "end") | .submits) |
		"\(if length < 4 then "fewer" else "each" end) \(add)"'
}

# Four launches a token, 400 ms, and then its own wait.
set_to='drain.idle_ms=200ms'
same "own waits" "$sim/racy_exit"
check "own waits" "generations than tokens, submits" "fewer 16" "$(generations)"

# Drains after each second launch take as long.
set_to='drain.idle_ms=100ms;drain.every_submits=2'
same drains "$sim/racy_exit"
check drains "generations than tokens, submits" "fewer 16" "$(generations)"
has drains "a drain that was carried out" '.ev == "drain" and .ph == "end" and .rule == "drain.every_submits" and .rc == 0'

# It pauses for longer after each token.
set_to='drain.idle_ms=20ms'
RACY_PAUSE_MS=200 same pauses "$sim/racy_exit"
check pauses "a generation for each token" "each 16" "$(generations)"
tally 13
