#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_memory.sh -- a program that fills the device and launches nothing: warnings at the
# marks, once each; a limit is answered with CUDA's own error.  On the simulated GPU.
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
sim=$tests/simgpu
set_to=''
mkdir machine
SIMGPU_MEMORY=$((1 << 30)) "$sim/simgpu-kernel" machine >/dev/null || exit 1
export SIMGPU_DIR=$work/machine

with_shim() { # COMMAND...
	fresh
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" ${set_to:+TAFFRAIL_SET="$set_to"} \
		timeout 100 "$@"
}

told() { # RULE...: lines by rule, in order
	crumbs | jq -cs 'map(select(.rule // "" | startswith("memory.")) | [.ev, .rule])'
}

same 640 "$sim/guest_full" 10
check 640 "under the mark" '[]' "$(told)"
same 704 "$sim/guest_full" 11
check 704 "above 67 %" '[["note","memory.warn"]]' "$(told)"
has 704 "what it says" '.rule == "memory.warn" and .msg == "704.0 MiB of 1.0 GiB, memory in use"'
same 960 "$sim/guest_full" 15
check 960 "above 82 %" '[["note","memory.warn"],["note","memory.critical"]]' "$(told)"

set_to='memory.warn=30%;memory.critical=90%'
same marks "$sim/guest_full" 15
check marks "its own marks" '[["note","memory.warn"],["note","memory.critical"]]' "$(told)"
set_to='mode=observe'
same observe "$sim/guest_full" 11
check observe "would" '[["would","memory.warn"]]' "$(told)"

set_to='memory.limit=50%'
same warn "$sim/guest_full" 10
check warn "nothing is refused" "10 of 10" "$(cat shim.out)"
for on in refuse wait; do
	set_to="memory.limit=50%;memory.on_misfit=$on"
	fresh
	with_shim "$sim/guest_full" 10
	check "$on" "so many and no more" "8 of 10" "$(cat shim.out)"
	has "$on" "the rule" '.ev == "refuse" and .rule == "memory.limit"'
done
tally 29
