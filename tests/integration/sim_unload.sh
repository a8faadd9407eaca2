#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_unload.sh -- code is unloaded and a stream destroyed while the device still uses them.
#
# On the simulated machine that is a panic.  With drain.before_unload the device is waited for
# before: of a stream for that stream alone, and for nothing where nothing is in flight; never
# during a capture, and never without an end.
# shellcheck disable=SC2154 # names set by the libs that are sourced below
. "${SRC:?}/tests/integration/lib.sh"
. "${SRC:?}/tests/simgpu/lib_panic.sh"
guest=$sim/guest_unload
export SIMGPU_LATENCY_US=200000 # a machine may stand still between a launch and the next step

with_shim() { # COMMAND...
	fresh
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="${set_to:-}" timeout 100 "$@"
}

drains() { # what became of those before an unload
	crumbs | jq -cs 'map(select(.ev == "drain" and .ph == "end" and .rule == "drain.before_unload").rc)'
}

# ---- who leaves work in flight takes the machine down, but for the guard ----

for steps in "launch module" "other library" "launch stream" "launch driver" "launch thread" \
	"free stream" "free module"; do
	read -ra step <<<"$steps"
	machine underflow
	raw plain timeout 100 "$guest" "${step[@]}"
	check "$steps, bare" "panics" 1 "$(panics)"
	machine underflow
	with_shim "$guest" "${step[@]}"
	check "$steps" "panics" 0 "$(panics)"
	check "$steps" "its last word" "done" "$(cat shim.out)"
	check "$steps" "drains before it" "[0]" "$(drains)"
	machine underflow
	set_to=drain.before_unload=off with_shim "$guest" "${step[@]}"
	check "$steps, off" "panics" 1 "$(panics)"
done
machine underflow
set_to=mode=observe with_shim "$guest" launch stream
check observe "panics" 1 "$(panics)"
has observe "what would have been done" '.ev == "would" and .rule == "drain.before_unload"'

# ---- and nobody waits for more ----

machine none
trial() { # CASE DRAINS STEPS...
	local case=$1 expected=$2
	shift 2
	same "$case" "$guest" "$@"
	check "$case" status "exit 0" "$(cat shim.status)"
	check "$case" "drains before it" "$expected" "$(drains)"
}

trial "nothing in flight" "[]" launch other wait module library stream
trial "never used" "[]" module library stream
trial "work in another stream" "[]" beside stream
trial "code, and work in any stream" "[0]" beside module
# One's own capture is not waited for, and not broken: the simulation ends who does.
trial "captured" "[-16,-16]" launch capture module stream end
has captured "why" '.ev == "drain" and .ph == "end" and .rc == -16 and .msg == "not synchronized: a stream is being captured"'

# Work that waits for the host is given up.
export SIMGPU_HANG_AT=1
for steps in "launch module leave" "launch stream leave"; do
	read -ra step <<<"$steps"
	set_to='drain.deadline=50ms;exit.deadline=100ms' with_shim "$guest" "${step[@]}"
	check "$steps, hangs" "drains before it" "[-110]" "$(drains)"
done
tally 65
