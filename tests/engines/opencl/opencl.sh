#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# opencl.sh -- clinfo, clpeak and an ordinary program on PoCL, an OpenCL for processors:
# the same words with and without, exact counts, refusals as the runtime's own errors.
#
# time-limit: 300
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
needs clinfo
ls /etc/OpenCL/vendors/pocl*.icd >/dev/null 2>&1 || {
	echo "needs pocl-opencl-icd"
	exit 77
}

# What PoCL compiles is kept from one run to the next; its helpers get what they need.
export POCL_CACHE_DIR=${TAFFRAIL_CACHE:-$SRC/build/cache}/pocl
mkdir -p "$POCL_CACHE_DIR"

# No pause of a busy machine ends a generation.
export TAFFRAIL_SET=drain.idle_ms=10m

same clinfo clinfo
check clinfo "state that a query leaves" "" "$(ls "$state" 2>/dev/null)"

if command -v clpeak >/dev/null; then
	# Measured figures differ from run to run.
	mask() { sed -i 's/: [0-9.][0-9.]* us$/: N us/' "$1"; }
	clpeak --kernel-latency >/dev/null 2>&1 # fills the cache
	without_shim clpeak --kernel-latency
	with_shim clpeak --kernel-latency
	mask plain.out
	mask shim.out
	for part in status out err; do
		check clpeak "$part" "$(cat plain.$part)" "$(cat shim.$part)"
	done
	check clpeak "launches" 20002 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')"
	# PoCL runs a compiler and a linker: they use no engine.
	check clpeak "processes that wrote" 1 "$(find "$state/crumbs" -name '*.jsonl' | wc -l)"
	has clpeak "the name of the device" '.class == "device_name" and (.name | length) > 4 and .total > 0'
	has clpeak "nothing is left" '.class == "device" and .engine == "opencl" and .bytes == 0 and .peak_bytes > 0'
else
	untried 7 "clpeak: it is not installed"
fi

"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o program "$SRC/tests/engines/opencl/parts/program.c" \
	-l:libOpenCL.so.1 -lpthread 2>compile.err || {
	cat compile.err
	echo "needs opencl-headers and ocl-icd-libopencl1"
	exit 77
}
./program add >/dev/null # fills the cache: what a first run compiles is no part of the comparison

same add ./program add
has add "work of both queues" '.ev == "infer" and .ph == "end" and .engine == "opencl" and .submits == 4'
has add "all was given back" '.class == "device" and .bytes == 0 and .largest == 16384'

same keep ./program keep
has keep "buffer and image at once" '.class == "device" and .bytes == 0 and .peak_bytes == 2097152'

same leave ./program leave 5
has leave "what was in flight" '.ev == "drain" and .ph == "begin" and .rule == "drain.at_exit" and (.msg | startswith("submits 1..5 "))'
has leave "and was waited for" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0'
has leave "what is still held" '.class == "device" and .bytes == 49152 and .pieces == 3'

same launch ./program launch 20
has launch "an event shows that all is done" '.ev == "drain" and .ph == "begin" and .rule == "drain.at_exit" and .msg == null'

# A wait of ours ends, whatever the program does next.
same gate timeout 100 ./program gate
has_not gate "a drain before an object goes" '.ev == "drain" and .call == "clReleaseCommandQueue"'
has gate "a drain that has given up" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == -110'
with_shim TAFFRAIL_SET="drain.every_submits=1" timeout 100 ./program gate
check "gate every" status "exit 0" "$(cat shim.status)"
has "gate every" "a drain that has given up" '.ev == "drain" and .ph == "end" and .rule == "drain.every_submits" and .rc == -110'

# Called by the driver's one thread, on which everything else waits: seen, and no wait of ours.
export POCL_MAX_PTHREAD_COUNT=1
same callback ./program callback
has callback "a free within" '.ev == "drain" and .ph == "mark" and .rule == "drain.before_unload" and (.msg | startswith("not drained: this is a callback"))'
has_not callback "a wait in a callback" '.ev == "drain" and .ph == "end" and .rc == -110'
with_shim TAFFRAIL_SET="drain.every_submits=2;drain.idle_ms=1ms" ./program callback
check "callback every" output "$(cat plain.out)" "$(cat shim.out)"
has_not "callback every" "a wait in a callback" '.ev == "drain" and .ph == "end" and .rc == -110'
has "callback every" "the drain of the next submit" '.ev == "drain" and .ph == "end" and .rule == "drain.every_submits" and .rc == 0'
unset POCL_MAX_PTHREAD_COUNT

# What a released queue still does is waited for. (Without us it is not, and the file is empty.)
with_shim TAFFRAIL_SET="drain.deadline=30s;exit.deadline=40s" ./program let-go "$work/result"
check let-go status "exit 0" "$(cat shim.status)"
check let-go output "let go" "$(cat shim.out)$(cat shim.err)"
check let-go "what the kernel wrote" " 28f5db01" "$(od -An -tx4 -N4 result)"
has let-go "the wait" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0 and .ms > 1'
with_shim TAFFRAIL_SET="drain.deadline=5ms" ./program let-go "$work/result"
has "let-go deadline" "a drain that has given up" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == -110'

# ---- what only a policy does ----

with_shim TAFFRAIL_SET="drain.every_submits=4;drain.at_exit=off" ./program launch 20
check every status "exit 0" "$(cat shim.status)"
check every "synchronized" 5 "$(count '.ev == "drain" and .ph == "end" and .rule == "drain.every_submits" and .rc == 0')"

limit="memory.max_single_alloc=3MiB;memory.on_misfit=refuse"
with_shim TAFFRAIL_SET="$limit" ./program take 1 4 2
check limit status "exit 0" "$(cat shim.status)"
check limit "the runtime's own error" "1 MiB: taken, 0
4 MiB: not taken, -4
2 MiB: taken, 0
released nothing: -38" "$(cat shim.out)"
has limit "the refusal" '.ev == "refuse" and .rule == "memory.max_single_alloc" and .call == "clCreateBuffer"'
has limit "what was not taken is not counted" '.class == "device" and .bytes == 0 and .peak_bytes == 3145728'

with_shim TAFFRAIL=off ./program add
check off status "exit 0" "$(cat shim.status)"
check off "state" "" "$(ls "$state" 2>/dev/null)"
tally 58
