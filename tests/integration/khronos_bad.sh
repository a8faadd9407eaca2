#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# khronos_bad.sh -- Vulkan, OpenCL and bad input: the program sees what it would have seen
# without us, unless a rule acted, and then the runtime's own error.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_khronos_bad
guest=$tests/guest_khronos_bad
read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"

# Fakes that lack a function or two, and that have what no table knows.
echo 'int vkOfTomorrow(int n); int vkOfTomorrow(int n) { return n + 1; }' >tomorrow.c
echo '{ local: vkQueueWaitIdle; vkCreateFence; vkGetPhysicalDeviceMemoryProperties*; vkWaitForFences;
	clFlush; clGetMemObjectInfo; clEnqueueMarker*; clSetMemObjectDestructorCallback; };' >older.map
echo '{ local: clSetEventCallback; };' >first.map
"${cc[@]}" -fPIC -shared -o opencl.first.so "$SRC/tests/fake/fake_opencl.c" -Wl,--version-script=first.map || exit 1
for runtime in vulkan opencl; do
	"${cc[@]}" -fPIC -shared -o $runtime.newer.so "$SRC/tests/fake/fake_$runtime.c" tomorrow.c || exit 1
	"${cc[@]}" -fPIC -shared -o $runtime.older.so "$SRC/tests/fake/fake_$runtime.c" -Wl,--version-script=older.map || exit 1
	cp "$tests/libfake_$runtime.so" $runtime.copy.so
done

# What a run that compares nothing is found out by: each ends well, and prints lines.
alike() { # CASE LINES COMMAND...
	local case=$1 lines=$2
	shift 2
	same "$case" "$@"
	check "$case" status "exit 0" "$(cat shim.status)"
	[ "$(wc -l <plain.out)" -ge "$lines" ] || fail "$case" "the program printed only $(cat plain.out)"
}

for runtime in vulkan opencl; do
	lost=-4
	[ $runtime = opencl ] && lost=-5
	for case in life garbage nothing sizes early late child handler closed shortage odd; do
		alike "$runtime $case" 4 "$guest" $runtime $case
	done
	with_shim "$guest" $runtime life
	check "$runtime life" "its device by name, once" "fake $runtime" \
		"$(crumbs | jq -r 'select(.class == "device_name" and .total > 0) | .name' | tr -d '"')"
	for case in storm threads events unwaited many released; do
		alike "$runtime $case" 1 "$guest" $runtime $case
	done
	alike "$runtime twice" 20 GPU_COPY="$work/$runtime.copy.so" "$guest" $runtime twice
	for case in life odd early garbage nothing handler; do
		alike "$runtime $case, newer" 4 GPU_LIBRARY="$work/$runtime.newer.so" "$guest" $runtime $case
	done
	for case in garbage odd early sizes shortage child; do
		alike "$runtime $case, all fail" 4 FAKE_ALL_FAIL=$lost "$guest" $runtime $case
		alike "$runtime $case, all odd" 4 FAKE_ODD=1 "$guest" $runtime $case
	done
	alike "$runtime newer" 1 GPU_LIBRARY="$work/$runtime.newer.so" "$guest" $runtime newer
	check "$runtime newer" "its answer" "of tomorrow: 42" "$(cat shim.out)"
	alike "$runtime shortage, little memory" 4 FAKE_OOM=3 "$guest" $runtime shortage
	alike "$runtime threads, launches fail" 1 FAKE_LAUNCH=$lost "$guest" $runtime threads
	same "$runtime, missing" GPU_LIBRARY=/nowhere/libgpu.so "$guest" $runtime life
	check "$runtime, missing" status "exit 95" "$(cat shim.status)"
done
# OpenCL's has no clFlush, so that nothing can be waited for; Vulkan's no function for fences.
for case in life garbage early handler late; do
	alike "opencl $case, older" 4 GPU_LIBRARY="$work/opencl.older.so" "$guest" opencl $case
done
for case in sizes shortage; do
	alike "vulkan $case, older" 4 GPU_LIBRARY="$work/vulkan.older.so" "$guest" vulkan $case
done
alike "last" 6 FAKE_LATE=1 "$guest" opencl last
alike "callback" 1 "$guest" opencl callback
# Buffers that are to call back when they go keep their places as long as they live.
alike "places" 1 "$guest" opencl places
has "places" "a free within a callback" '.ev == "drain" and .rule == "drain.before_unload" and ((.msg // "") | startswith("not drained: this is a callback"))'

# What was seen of it. Memory of the host is none of the device, after NULL was destroyed too.
with_shim "$guest" vulkan nothing
has "vulkan nothing" "the device's memory" '.class == "device" and .engine == "vulkan" and .bytes == 0 and .peak_bytes == 1000'
with() { # SETTINGS COMMAND...
	local settings=$1
	shift
	with_shim TAFFRAIL_SET="$settings" "$@"
}

for runtime in vulkan opencl; do
	lost=-4 held=0
	[ $runtime = opencl ] && lost=-5 held=4096
	with_shim FAKE_LAUNCH=$lost "$guest" $runtime life
	has "$runtime" "the fault" "(.ev == \"error\" or .ev == \"note\") and .rc == $lost and .msg != null"
	with_shim FAKE_OOM=9 "$guest" $runtime shortage
	has "$runtime" "memory that ran short" '.class == "out_of_memory" and .rc != 0'
	with_shim "$guest" $runtime threads
	check "$runtime threads" "left on the device" $held "$(crumbs | jq -s 'map(select(.class == "device").bytes // 0) | add // 0')"
	launches=$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')
	check "$runtime threads" "launches: $launches of 6400" 1 $((launches >= 6300 && launches <= 6400))
	with_shim "$guest" $runtime events
	has_not "$runtime events" "a drain of nothing" '.ev == "drain" and .rule == "drain.before_unload"'
	with_shim "$guest" $runtime unwaited
	has "$runtime unwaited" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == 0'
	with "memory.limit=900B;memory.on_misfit=refuse" "$guest" $runtime life
	check "$runtime limit" status "exit 0" "$(cat shim.status)"
	has "$runtime limit" "the refusal" '.ev == "refuse" and .rule == "memory.limit"'
	for n in 1 7; do
		for case in threads storm many; do
			with "drain.every_submits=$n" timeout 100 "$guest" $runtime $case
			check "$runtime $case every $n" status "exit 0" "$(cat shim.status)"
			without_shim "$guest" $runtime $case
			check "$runtime $case every $n" output "$(cat plain.out)" "$(cat shim.out)"
		done
		with "drain.every_submits=$n" FAKE_SYNC_SLICES=3 timeout 100 "$guest" $runtime many
		has "$runtime every $n" "a drain" '.ev == "drain" and .ph == "end" and .rule == "drain.every_submits" and .rc == 0'
	done
	with "memory.oom_retries=3" FAKE_OOM=2 "$guest" $runtime shortage
	check "$runtime retries" answers "take: 0" "$(grep '^take' shim.out | sort -u)"
done

# A mark for each queue that is released with work in it; those that are reached are given back
# by the next release, and what is left by the drain at the exit, which waits for it.
marks() { # MARKS GIVEN-BACK
	check "$case" marks "$1" "$(grep -c clEnqueueMarkerWithWaitList calls.log)"
	check "$case" "given back" "$2" "$(grep -c clReleaseEvent calls.log)"
}
case=released
with_shim FAKE_LOG="$work/calls.log" "$guest" opencl released
marks 70 70
has "$case" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0'
case="released, never done"
with "drain.deadline=50ms" FAKE_SYNC_SLICES=1000000 FAKE_LOG="$work/calls.log" "$guest" opencl released
marks 64 0
has "$case" "a drain that has given up" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == -110'
case="released, then complete" # the driver says so, and the program calls nothing more
with "drain.at_exit=off" FAKE_LATE=1 FAKE_LOG="$work/calls.log" "$guest" opencl last
marks 1 1
# A driver of OpenCL 1.0, which cannot say so: whatever releases something looks.
first=GPU_LIBRARY=$work/opencl.first.so
case="let go, then memory is given back, 1.0"
with "drain.at_exit=off" "$first" FAKE_SYNC_SLICES=2 FAKE_LOG="$work/calls.log" "$guest" opencl let_go
marks 1 1
case="let go, then the context, 1.0"
with "drain.at_exit=off" "$first" FAKE_LATE=1 FAKE_LOG="$work/calls.log" "$guest" opencl last
marks 1 1
case="released, observed"
with "mode=observe" FAKE_LOG="$work/calls.log" "$guest" opencl released
marks 0 0

# ---- the same on drivers for the processor ----

real() { # RUNTIME LIBRARY CASE...
	local runtime=$1 library=$2 case
	shift 2
	for case; do
		alike "real $runtime $case" 1 GPU_REAL=1 GPU_LIBRARY="$library" timeout 100 "$guest" "$runtime" "$case"
	done
}

for driver in /usr/share/vulkan/icd.d/lvp_icd*.json; do
	export VK_ICD_FILENAMES=$driver VK_DRIVER_FILES=$driver
done
if [ -e "$driver" ]; then
	real vulkan libvulkan.so.1 life nothing sizes late handler threads events unwaited many
else
	untried 20 "Vulkan on the processor: needs mesa-vulkan-drivers"
fi
if ls /etc/OpenCL/vendors/pocl*.icd >/dev/null 2>&1; then
	export POCL_CACHE_DIR=${TAFFRAIL_CACHE:-$SRC/build/cache}/pocl
	mkdir -p "$POCL_CACHE_DIR"
	real opencl libOpenCL.so.1 life nothing sizes late handler threads events unwaited many released last callback
else
	untried 20 "OpenCL on the processor: needs pocl-opencl-icd"
fi
tally 450
