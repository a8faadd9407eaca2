#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cuda_input.sh -- CUDA's driver and runtime handed what they were not made for.
#
# Whatever goes wrong, the program sees what it would have seen without the shim: the same
# numbers, the same last error, the same end.  Where a rule acts (a retry that was made
# good, a limit), the last error is what such an outcome leaves.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"

build() { # FOLDER FLAGS...: a driver and a runtime
	local at=$1
	shift
	mkdir -p "$at"
	"${cc[@]}" -fPIC -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -o "$at/libcuda.so.1" \
		"$SRC/tests/fake/fake_cuda.c" || exit 1
	"${cc[@]}" -fPIC -shared -Wl,-soname,libcudart.so.13 -Wl,-Bsymbolic -o "$at/libcudart.so.13" \
		"$SRC/tests/fake/fake_cudart.c" "$@" -ldl || exit 1
}

build now
# One that lacks a function, and one that has what no table knows.
echo '{ local: cudaMallocFromPoolAsync; cudaMallocAsync; cudaLaunchKernel; };' >older.map
build older -Wl,--version-script=older.map
echo 'int cudaOfTomorrow(int n); int cudaOfTomorrow(int n) { return n + 1; }' >tomorrow.c
build newer tomorrow.c
"${cc[@]}" -o input "$SRC/tests/integration/parts/cuda_input.c" -ldl -lpthread || exit 1

for case in frees sizes order captures child handlers threads teardown; do
	for driver in "" 1; do
		same "$case${driver:+ through the driver}" LD_LIBRARY_PATH=now ${driver:+FAKE_DRIVER=1} ./input $case
		case $case in
		teardown) check $case status "exit 99" "$(cat shim.status)" ;;
		*) check $case status "exit 0" "$(cat shim.status)" ;;
		esac
	done
done
for folder in older newer; do
	for case in frees sizes order captures; do
		same "$folder $case" LD_LIBRARY_PATH=$folder ./input $case
	done
done
# Every function fails, those that were written by hand and all others.
for case in frees sizes order captures child; do
	same "$case, all fail" LD_LIBRARY_PATH=now FAKE_ALL_FAIL=700 ./input $case
	same "$case, all odd" LD_LIBRARY_PATH=now FAKE_ODD=1 ./input $case
	same "$case, none is ready" LD_LIBRARY_PATH=now FAKE_BUSY=1 ./input $case
done
has failing "the error" '.ev == "infer" or .ev == "start"'
with_shim LD_LIBRARY_PATH=now FAKE_LAUNCH=719 ./input order
has launch "a launch that failed" '.ev == "error" and .class == "launch_failed" and .call == "cudaLaunchKernel" and .rc == 719'

# 64 threads: nothing is left, and each launch belongs to one generation, into however many a
# busy machine makes it fall.
with_shim LD_LIBRARY_PATH=now TAFFRAIL_SET='exit.deadline=10m;drain.deadline=10m' ./input threads
launches=$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')
check threads "launches" 19200 "$launches"
check threads "ends of one begin" 1 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end")) | group_by(.of) | map(length) | max')"
check threads "left on the device" 0 "$(crumbs | jq -s 'map(select(.class == "device").bytes // 0) | add // 0')"

# Without memory for the first attempt. What was unread stays so, and is a reason not to try again.
memory() { # NAME WANTED SETTINGS...
	local name=$1 wanted=$2
	shift 2
	with_shim LD_LIBRARY_PATH=now "$@" ./input memory
	check "$name" status "exit 0" "$(cat shim.status)"
	check "$name" "what the program sees" "$wanted" "$(sed 's/cuda//; s/, last error/,/' shim.out | paste -sd ' ')"
}
plain='Malloc 0, 0 GetLastError 0, 0 SetDevice 101, 101 Malloc 0, 101 GetLastError 101, 0 Malloc 0, 0 GetLastError 0, 0 taken taken taken'
memory "nothing is short" "$plain" A=b
memory "a retry" "$plain" FAKE_OOM=1 TAFFRAIL_SET='memory.oom_retries=2'
has "a retry" "it" '.ev == "note" and .rule == "memory.oom_retries" and (.msg | startswith("out of memory: try 1 of 2"))'
without_shim LD_LIBRARY_PATH=now FAKE_OOM=9 ./input memory
memory "no retry helps" "$(sed 's/cuda//; s/, last error/,/' plain.out | paste -sd ' ')" FAKE_OOM=9 TAFFRAIL_SET='memory.oom_retries=1'
memory "a limit" 'Malloc 0, 0 GetLastError 0, 0 SetDevice 101, 101 Malloc 2, 2 GetLastError 2, 0 Malloc 2, 2 GetLastError 2, 0 taken none none' \
	TAFFRAIL_SET='memory.limit=1536KiB;memory.on_misfit=refuse'
has "a limit" "the refusal" '.ev == "refuse" and .rule == "memory.limit" and .call == "cudaMalloc"'
tally 148
