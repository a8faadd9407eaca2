#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# demo-gpu.sh -- a machine that goes down, and one that does not (make demo-gpu).
#
# No GPU is needed: libcuda is a simulation (tests/simgpu), behind which a process
# plays the kernel.  It has the bug of IOGPUFamily: a program that ends or frees
# memory while its work is in flight takes the simulated machine down.  A badly
# written program runs on it as it is, then under the guard, then the guard
# reports of a device that was lost.  It shows what the guard does; about a real
# driver it proves nothing.  All that it writes is in build/.
set -eu

cd "$(dirname "$0")/.."
top=$PWD
demo=$top/build/demo-gpu
sim=$top/build/tests/simgpu
export SIMGPU_DIR=$demo/machine SIMGPU_LATENCY_US=20000 TAFFRAIL_STATE=$demo/state

step() { printf '\n== %s\n' "$*"; }

# Starts the simulated machine; each panic starts it again.
boot() {
	mkdir -p "$SIMGPU_DIR"
	SIMGPU_IDLE_S=20 "$sim/simgpu-kernel" "$SIMGPU_DIR" >/dev/null
}

went_down() {
	echo "the simulated machine went down $("$sim/simgpu-kernel" --await "$SIMGPU_DIR") time(s)"
}

# A program may end badly here: that is what is shown.
show() {
	local status=0
	"$@" || status=$?
	echo "exit status $status"
}

step "what this machine lacks"
tests/deps.sh build

step "build"
make --no-print-directory -s all simgpu

rm -rf "$demo"
boot
step "racy_exit: it returns from main while its last token is being computed"
show "$sim/racy_exit"
went_down
sed -n '1,3p' "$SIMGPU_DIR"/panic-*.panic | cut -c1-100

rm -rf "$SIMGPU_DIR"
boot
step "taffrail run -- racy_exit"
show build/taffrail run --policy examples/guarded.json -- "$sim/racy_exit"
went_down

step "taffrail report --last"
build/taffrail report --last

step "taffrail run -- racy_exit, and the device is lost at its third launch"
show env SIMGPU_LOST_AT=3:719 build/taffrail run --policy examples/guarded.json -- "$sim/racy_exit"

step "taffrail report --last"
build/taffrail report --last

echo
echo "The records themselves: TAFFRAIL_STATE=$TAFFRAIL_STATE build/taffrail log"
