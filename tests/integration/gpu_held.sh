#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpu_held.sh -- what the records say that a process holds, and of which device: by the place of
# each allocation, in bytes that were worked out here.  CUDA's driver, its runtime without a
# driver, HIP; on their fakes.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
# A machine that stands still in a generation does not end it.
export TAFFRAIL_SET=drain.idle_ms=10m

plain_guests guest_steps # fakes without sanitizers
read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"
for runtime in cuda cudart hip; do
	"${cc[@]}" -o "held_$runtime" "$SRC/tests/integration/parts/gpu_held_$runtime.c" \
		"$tests/libfake_$runtime.so" -Wl,-rpath,"$tests" || exit 1
done

# SETTINGS are for the guarded run.
play() { # RUNTIME CASE [SETTINGS]
	of="$1 $2"
	set_to=${3:-}
	same "$of" "./held_$1" "$2"
	check "$of" status "exit 0" "$(cat shim.status)"
}

with_shim() { # COMMAND...
	fresh
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" ${set_to:+TAFFRAIL_SET="$set_to"} "$@"
}

# At the end: each device that something was taken of, its pieces and bytes, what is pinned,
# and how much of it there was at most.
devices() {
	crumbs | jq -r 'select(.class == "device") |
		"\(.device): \(.pieces // 0) \(.bytes) pinned \(.pinned // 0) peak \(.peak_bytes // 0)"'
}

# Members of the end of the one generation.
generation() { # MEMBER...
	crumbs | jq -r --args 'select(.ev == "infer" and .ph == "end") as $r |
		[$ARGS.positional[] | "\(.) \($r[.] // 0)"] | join(", ")' "$@"
}

mib() { # MIB...: bytes
	local n=0 part
	for part; do n=$((n + part)); done
	echo $((n << 20))
}

# No thread is ours (same compares what the guest counts, here and in all that follows), but by
# the two settings that need one.
for runtime in cuda cudart hip; do
	play $runtime elsewhere
	check "$of" "threads" "threads 1" "$(tail -n 1 shim.out)"
	has "$of" "a session that was active" '.ev == "infer" and .ph == "end"'
	for set_to in exit.signals=TERM watch.in_process=on; do
		with_shim ./held_$runtime elsewhere
		check "$runtime $set_to" "threads" "threads 2" "$(tail -n 1 shim.out)"
	done
done

# What cuMemCreate and its kin place on the host is none of a device's, whichever is current
# and whatever the number of the node is; a limit of the device does not forbid it.
play cuda vmm
check "$of" "devices" "1: 0 0 pinned $(mib 8 16) peak 0
2: 1 $(mib 2) pinned 0 peak $(mib 2)" "$(devices)"
check "$of" "the generation" "pieces 1, peak_bytes $(mib 2), largest $(mib 2), pinned $(mib 8 16)" \
	"$(generation pieces peak_bytes largest pinned)"
play hip vmm
check "$of" "devices" "1: 0 0 pinned $(mib 8 16) peak 0
2: 1 $(mib 2) pinned 0 peak $(mib 2)
3: 1 $(mib 1) pinned 0 peak $(mib 1)" "$(devices)"
check "$of" "the generation" "pieces 2, peak_bytes $(mib 3), largest $(mib 2), pinned $(mib 8 16)" \
	"$(generation pieces peak_bytes largest pinned)"
for runtime in cuda hip; do
	set_to='memory.limit=8MiB;memory.on_misfit=refuse'
	with_shim "./held_$runtime" limit
	check "$runtime limit" "on the host, then on the device" "0 2" \
		"$(sed -n 's/.*MemCreate.* \([0-9]*\)$/\1/p' shim.out | xargs)"
	check "$runtime limit" "devices" "0: 0 0 pinned $(mib 16) peak 0" "$(devices)"
	check "$runtime limit" "what was refused" 1 "$(count '.ev == "refuse" and .rule == "memory.limit"')"
done

# Each place by its name. The stream is still being captured as the generation ends, so no pool
# is asked for what it keeps.
play cuda places
check "$of" "the generation" \
	"pieces 2, peak_bytes $(mib 5), managed $(mib 1), pinned $(mib 11), graphs 2, captures 1, pool_slack 0" \
	"$(generation pieces peak_bytes managed pinned graphs captures pool_slack)"
play cudart places
check "$of" "the generation" \
	"pieces 2, peak_bytes $(mib 5), managed $(mib 1), pinned $(mib 13), graphs 1, captures 1, pool_slack 0" \
	"$(generation pieces peak_bytes managed pinned graphs captures pool_slack)"
play hip places
check "$of" "the generation" \
	"pieces 2, peak_bytes $(mib 5), managed $(mib 1), pinned $(mib 11), graphs 2, captures 1, pool_slack 0" \
	"$(generation pieces peak_bytes managed pinned graphs captures pool_slack)"
line=$("$BUILD/taffrail" log --state "$state" --json | jq -c 'select(.ev == "infer" and .ph == "end")')
check "$of" "the same by the command" "[$(mib 1),$(mib 11),2,1]" \
	"$(jq -c '[.managed, .pinned, .graphs, .captures]' <<<"$line")"

# Arrays: elements times their channels times the bytes of one, a third more with levels.
play cuda arrays
levels=$((64 * 64 * 2 + 64 * 64 * 2 / 3))
check "$of" "devices" \
	"0: 4 $((10 * 20 * 4 + 1000 * 4 + 4 * 5 * 6 * 2 * 2 + levels)) pinned 0 peak $((10 * 20 * 4 + 1000 * 4 + 4 * 5 * 6 * 2 * 2 + 8 * 8 * 8 * 4 * 4 + levels))" \
	"$(devices)"
check "$of" "the largest" "largest $levels" "$(generation largest)"
play cudart arrays
check "$of" "devices" "0: 2 $((1000 * 4 + levels)) pinned 0 peak $((1000 * 4 + 8 * 8 * 8 * 8 + levels))" \
	"$(devices)"
play hip arrays
check "$of" "devices" "0: 1 $((30 * 20 * 2)) pinned 0 peak $((1000 * 4 + 30 * 20 * 2))" "$(devices)"

# A free is charged to the device that the memory is of, whichever is current.
for runtime in cuda hip; do
	play $runtime elsewhere
	check "$of" "devices" "0: 0 0 pinned 0 peak $(mib 3)
1: 1 $(mib 8) pinned 0 peak $(mib 8)
2: 0 0 pinned 0 peak $(mib 4)" "$(devices)"
done
play cudart elsewhere
check "$of" "devices" "0: 0 0 pinned 0 peak $(mib 3)
1: 1 $(mib 8) pinned 0 peak $(mib 8)" "$(devices)"

# HIP's pools: of every device in use the one that it began with and the one that it uses now.
calls() { # NAME: of theirs
	grep -cx "$1" calls.txt
}
set_to='drain.pre_clear=on;drain.at_exit=off;drain.before_unload=off;drain.idle_ms=10m'
for each in 1 2; do
	of="hip pools, $each a device"
	n=$((2 * each))
	rm -f calls.txt
	with_shim FAKE_POOLS=$each FAKE_LOG="$work/calls.txt" ./held_hip pools
	check "$of" status "exit 0" "$(cat shim.status)"
	check "$of" "kept and not used" "pool_slack $((n * 4096))" "$(generation pool_slack)"
	check "$of" "trimmed" $n "$(calls hipMemPoolTrimTo)"
	check "$of" "graph memory, one a device" 2 "$(calls hipDeviceGraphMemTrim)"
	has "$of" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.pre_clear" and .rc == 0'
done

# CUDA's runtime alone: of the current device, after it was waited for.
for each in 1 2; do
	of="cudart pools, $each a device"
	rm -f calls.txt
	with_shim FAKE_POOLS=$each FAKE_LOG="$work/calls.txt" ./held_cudart elsewhere
	check "$of" status "exit 0" "$(cat shim.status)"
	check "$of" "trimmed" $each "$(calls cudaMemPoolTrimTo)"
	check "$of" "graph memory" 1 "$(calls cudaDeviceGraphMemTrim)"
	check "$of" "waits, one of them the program's" 2 "$(calls cudaDeviceSynchronize)"
	has "$of" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.pre_clear" and .rc == 0'
done

# Nothing can be given back in OpenCL, Vulkan and Level Zero: to clear is to wait there, and
# the calls of the program stay what they are.
waits_of() { # RUNTIME: calls in order by which it is waited for
	case $1 in
	level0) grep -x zeCommandQueueSynchronize calls.txt ;;
	opencl) grep -xE 'clFinish|clEnqueueMarkerWithWaitList|clGetEventInfo' calls.txt ;;
	vulkan) grep -xE 'vkDeviceWaitIdle|vkWaitForFences' calls.txt ;;
	esac | xargs
}
for runtime in level0 opencl vulkan; do
	case $runtime in
	level0) program=zeCommandQueueSynchronize ours=zeCommandQueueSynchronize ;;
	opencl) program=clFinish ours="clEnqueueMarkerWithWaitList clGetEventInfo" ;;
	vulkan) program=vkDeviceWaitIdle ours=vkWaitForFences ;;
	esac
	"${cc[@]}" -D${runtime^^} "-DRUNTIME=\"$tests/libfake_$runtime.so\"" -DPLUGIN_FILE='""' \
		-o "route_$runtime" "$SRC/tests/integration/parts/gpu_route.c" -ldl || exit 1
	for clear in pre_clear post_clear; do
		of="$runtime $clear"
		set_to="drain.$clear=on;drain.at_exit=off"
		same "$of" "./route_$runtime" by_handle
		check "$of" status "exit 0" "$(cat shim.status)"
		rm -f calls.txt
		with_shim FAKE_LOG="$work/calls.txt" "./route_$runtime" by_handle
		has "$of" "the drain" ".ev == \"drain\" and .ph == \"end\" and .rule == \"drain.$clear\" and .rc == 0"
		has_not "$of" "a message" '.ev == "drain" and .msg != null'
		[ $clear = post_clear ] || continue
		check "$of" "waits, the last one of them ours" "$program $ours" "$(waits_of $runtime)"
	done
done
tally 145
