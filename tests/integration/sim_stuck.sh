#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_stuck.sh -- work on the device that waits for the host, and a program that goes on.
#
# CUDA lets a program destroy a graph, another stream or a handle meanwhile, so nothing is
# synchronized there; where something is, it is given up at drain.deadline, by a driver
# with an event for a whole context (the fake) and by one without (the simulation).
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
sim=$tests/simgpu
mkdir machine
"$sim/simgpu-kernel" machine >/dev/null || exit 1

with_shim() { # COMMAND...
	fresh
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="drain.deadline=50ms" \
		timeout 100 "$@"
}

export SIMGPU_DIR=$work/machine SIMGPU_HANG_AT=1
same simulation "$sim/guest_stuck"
check simulation status "exit 0" "$(cat shim.status)"
check simulation "its last word" "done" "$(tail -n 1 shim.out)"
check simulation "drains, and what became of them" '[["drain.before_unload",-110],["drain.at_exit",-110]]' \
	"$(crumbs | jq -cs 'map(select(.ev == "drain" and .ph == "end") | [.rule, .rc])')"

read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"
"${cc[@]}" -fPIC -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -o libcuda.so.1 \
	"$SRC/tests/fake/fake_cuda.c" || exit 1
"${cc[@]}" -fPIC -shared -Wl,-soname,libcudart.so.13 -Wl,-Bsymbolic -o libcudart.so.13 \
	"$SRC/tests/fake/fake_cudart.c" -ldl || exit 1
"${cc[@]}" -o input "$SRC/tests/integration/parts/cuda_input.c" -ldl -lpthread || exit 1
export LD_LIBRARY_PATH=$work FAKE_DRIVER=1 FAKE_BUSY=2
same event ./input memory
check event status "exit 0" "$(cat shim.status)"
same contexts ./input contexts
check contexts status "exit 0" "$(cat shim.status)"
has contexts "given up" '.ev == "drain" and .ph == "end" and .rc == -110'
tally 13
