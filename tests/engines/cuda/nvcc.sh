#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# nvcc.sh -- programs that nvcc has built, with the shared and the static runtime, under
# the shim on a machine without a GPU.
#
# The program is tests/gpu/runtime.cu, which `make check-gpu` runs on a real one; each
# way also with the thread's own stream for 0.  Without a driver it must end as it does
# without us.  On the simulated GPU the shared ones find the simulated runtime, and what
# they launch by <<<>>> is counted; no kernel runs there, so its numbers are wrong.  The
# static ones bring the real runtime, which does not accept the simulated driver: it says
# so, guarded or not.
#
# nvcc is the fetched one (fetch.sh nvcc), else that of this machine; 77 without either.
#
# time-limit: 300
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

needs "${CXX:-c++}"
if fetched=$("$SRC/tests/engines/cuda/fetch.sh" nvcc 2>why); then
	nvcc=$fetched/bin/nvcc
else
	nvcc=$(command -v nvcc) || {
		tail -n 1 why
		exit 77
	}
fi
kit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
[ -d "$kit/lib64" ] && libs=$kit/lib64 || libs=$kit/lib
cases=(basic async graph child leave)

build() { # NAME FLAG...
	"$nvcc" -O2 -arch=sm_80 "${@:2}" -o "$1" "$SRC/tests/gpu/runtime.cu" >"$1.log" 2>&1
}

for kind in shared static; do
	build $kind -cudart $kind &
	build ${kind}_own -cudart $kind --default-stream per-thread &
done
wait
for program in shared shared_own static static_own; do
	check "$program" "nvcc builds it" "" "$(cat $program.log)"
	[ -x $program ] || exit 1
done

# ---- no driver: cudaErrorInsufficientDriver is 35 ----

has_driver=$(ldconfig -p 2>/dev/null | grep -c 'libcuda\.so\.1')
for program in shared shared_own static static_own; do
	for case in "${cases[@]}"; do
		same "$program, no driver, $case" LD_LIBRARY_PATH="$libs" "./$program" "$case"
		[ "$has_driver" = 0 ] || continue
		check "$program, no driver, $case" "what it says" "error 35, exit 1" \
			"$(grep -o 'error 35' shim.out), $(cat shim.status)"
	done
done
[ "$has_driver" = 0 ] || untried 20 "without a driver: this machine has one"
same_run() { # PROGRAM CASE: the same by the command
	fresh
	raw plain env LD_LIBRARY_PATH="$libs" "./$1" "$2"
	raw shim env LD_LIBRARY_PATH="$libs" TAFFRAIL_STATE="$state" "$BUILD/taffrail" run -- "./$1" "$2"
	for part in status out err; do
		check "$1, run, $2" $part "$(cat plain.$part)" "$(cat shim.$part)"
	done
}
same_run shared basic
same_run static basic

# ---- the simulated GPU ----

sim=$tests/simgpu
runtime=$(readelf -d shared | sed -n 's/.*NEEDED.*\[\(libcudart\.so\.[0-9.]*\)\]/\1/p')
mkdir machine
export SIMGPU_DIR=$work/machine SIMGPU_LATENCY_US=5
SIMGPU_IDLE_S=30 SIMGPU_BUG=none SIMGPU_MEMORY=$((2 << 30)) "$sim/simgpu-kernel" machine >/dev/null || exit 1

for program in static static_own; do
	for case in "${cases[@]}"; do
		same "$program, simulated, $case" LD_LIBRARY_PATH="$sim" "./$program" "$case"
	done
done

if [ ! -e "$sim/$runtime" ]; then
	untried 70 "launches by <<<>>>: there is no simulated $runtime"
	tally 110
fi
# A graph's own launches are captured, not sent: each of 20 graphs counts once, and the first one
# begins the work.
declare -A launches=([basic]=100 [async]=50 [graph]=20 [child]=200 [leave]=200)
for program in shared shared_own; do
	for case in "${cases[@]}"; do
		[ $program = shared ] && call=__cudaLaunchKernel || call=__cudaLaunchKernel_ptsz
		[ "$case" != graph ] || call=cudaGraphLaunch
		same "$program, simulated, $case" LD_LIBRARY_PATH="$sim" "./$program" "$case"
		check "$program, simulated, $case" "it ends well" "exit 0" "$(cat shim.status)"
		check "$program, simulated, $case" launches "${launches[$case]}" \
			"$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')"
		has "$program, simulated, $case" "the first launch" \
			".ev == \"infer\" and .ph == \"begin\" and .engine == \"cudart\" and .call == \"$call\""
		has "$program, simulated, $case" "the drain of the exit" \
			'.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0'
	done
	has "$program, simulated, leave" "what was in flight" '.ev == "drain" and .ph == "begin" and (.msg // "" | startswith("submits "))'
done
tally 190
