#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpu_bad.sh -- GPU runtimes and bad input: the program sees what it would have seen without
# us, unless a rule acted, and then the runtime's own error.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

guest=$tests/guest_gpu_bad

# A rule or a crumb may come in between; what is printed may not change.
lost() { # RUNTIME: what every function fails with
	[ "$1" = hip ] && echo 719 || echo 1879048193 # 0x70000001
}

# Fakes that lack what only we ask for and what came later, and that have what no table knows.
read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"
echo 'int hipOfTomorrow(int n); int zeOfTomorrow(int n);
int hipOfTomorrow(int n) { return n + 1; } int zeOfTomorrow(int n) { return n + 1; }' >tomorrow.c
echo '{ local: hipStreamQuery; hipMemGetInfo; hipDeviceGet*MemPool; hipMemPoolTrimTo; hipMemPoolGetAttribute;
	hipEventCreateWithFlags; hipPeekAtLastError; hipDeviceGetName; hipDeviceTotalMem; hipLaunchKernelExC;
	zeCommandListHostSynchronize; zeDeviceSynchronize; zeDeviceGetMemoryProperties; zeMemFreeExt; };' >older.map
for runtime in hip level0; do
	"${cc[@]}" -fPIC -shared -o $runtime.newer.so "$SRC/tests/fake/fake_$runtime.c" tomorrow.c || exit 1
	"${cc[@]}" -fPIC -shared -o $runtime.older.so "$SRC/tests/fake/fake_$runtime.c" tomorrow.c \
		-Wl,--version-script=older.map || exit 1
	cp $runtime.newer.so $runtime.copy.so
done

for runtime in hip level0; do
	for age in older newer; do
		cases="garbage early handler closed"
		[ $age = newer ] || cases+=" child threads shortage unwaited"
		for case in $cases; do
			same "$runtime $case, $age" GPU_LIBRARY="$work/$runtime.$age.so" "$guest" "$runtime" "$case"
			check "$runtime $case, $age" status "exit 0" "$(cat shim.status)"
		done
		same "$runtime $age" GPU_LIBRARY="$work/$runtime.$age.so" "$guest" "$runtime" newer
		check "$runtime $age" "what it has" "of tomorrow: 42, $([ $age = older ] && echo not there || echo there)" \
			"$(sed 's/^[hz].* is //' shim.out | paste -sd , | sed 's/,/, /')"
	done
	same "$runtime, two of them" GPU_COPY="$work/$runtime.copy.so" "$guest" "$runtime" twice
	check "$runtime, two of them" "launches" "1 1 2 2 3 3" "$(sed -n 's/^library .: \(.*\) launches/\1/p' shim.out | xargs)"
	# A second copy that is asked for by handle answers for itself (docs/design.md, 6).
	check "$runtime, two of them" "seen" 3 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')"
	check "$runtime, two of them" "left on the device" 0 "$(crumbs | jq -s 'map(select(.class == "device").bytes // 0) | add // 0')"
	for case in garbage sizes early late child handler threads closed shortage capture queues events unwaited unloaded; do
		same "$runtime $case" "$guest" "$runtime" "$case"
		check "$runtime $case" status "exit 0" "$(cat shim.status)"
	done
	for case in garbage sizes early child handler threads closed shortage; do
		same "$runtime $case, all fail" FAKE_ALL_FAIL="$(lost $runtime)" "$guest" "$runtime" "$case"
	done
	for case in garbage shortage handler; do
		same "$runtime $case, little memory" FAKE_BYTES=500 FAKE_STICKY=1 "$guest" "$runtime" "$case"
	done
	has "$runtime" "memory that ran short" '.class == "out_of_memory" and .rc != 0'
	with_shim FAKE_ALL_FAIL="$(lost $runtime)" "$guest" "$runtime" early
	has "$runtime" "the fault" '.ev == "error" and (.class == "launch_failed" or .class == "device_lost")'
done

# Memory by handle stays as long as it is mapped.
for unmap in "" 1048576; do
	same "mapped $unmap" "$guest" hip mapped $unmap
	check "mapped $unmap" "left on the device" "$((unmap ? 0 : 1048576))" \
		"$(crumbs | jq -s 'map(select(.class == "device").bytes // 0) | add // 0')"
done

with() { # SETTINGS COMMAND...
	local settings=$1
	shift
	with_shim TAFFRAIL_SET="$settings" "$@"
}

# What an event or a fence has shown to be done is waited for no more before a free.
for runtime in hip level0; do
	with_shim "$guest" "$runtime" events
	has_not "$runtime events" "a drain of nothing" '.ev == "drain" and .rule == "drain.before_unload"'
	with_shim "$guest" "$runtime" unwaited
	has "$runtime unwaited" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == 0'
done

# Before code goes what is in flight is waited for, and nothing where nothing is.
for runtime in hip level0; do
	with "drain.at_exit=off" FAKE_LOG="$work/calls.log" "$guest" "$runtime" unloaded
	check "$runtime unloaded" "the wait, and then theirs" "unload launch wait unload" "$(sed -En \
		's/^(hipModuleUnload|zeModuleDestroy)$/unload/p; s/^(hipLaunchKernel|zeCommandQueueExecuteCommandLists)$/launch/p
		s/^(hipStreamQuery|hipEventRecord|zeCommandQueueSynchronize)$/wait/p' calls.log | uniq | xargs)"
	check "$runtime unloaded" "drains" 1 "$(count '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload"')"
done

# A limit is answered with the runtime's own error, and its last error is the same.
with "memory.limit=256MiB;memory.on_misfit=refuse" "$guest" hip sizes
check limit status "exit 0" "$(cat shim.status)"
check limit "512 MiB" "take: 2, last error 2" "$(grep '^take' shim.out | tail -n 1)"
check limit "1 byte" "take: 0, last error 0" "$(grep '^take' shim.out | sed -n 2p)"
has limit "the rule" '.ev == "refuse" and .rule == "memory.limit" and .call == "hipMalloc"'
with "memory.limit=256MiB;memory.on_misfit=wait" "$guest" hip sizes
check "limit, wait" "512 MiB" "take: 2, last error 2" "$(grep '^take' shim.out | tail -n 1)"
with "memory.max_single_alloc=256MiB;memory.on_misfit=refuse" "$guest" level0 sizes
check limit "512 MiB of Level Zero" "take: $((0x70000003))" "$(tail -n 1 shim.out)"
has limit "the rule, of Level Zero" '.ev == "refuse" and .call == "zeMemAllocDevice"'

# Tried again after a drain: the last error is that of an allocation that went well.
for sticky in "" 1; do
	for tries in 1 2; do
		with "memory.oom_retries=3" FAKE_OOM=$tries ${sticky:+FAKE_STICKY=1} "$guest" hip shortage
		check "retries $tries$sticky" answers "take: 0, last error 0" "$(grep '^take' shim.out | sort -u)"
		check "retries $tries$sticky" tries $tries "$(count '.ev == "note" and .rule == "memory.oom_retries"')"
	done
	with "memory.oom_retries=1" FAKE_OOM=2 ${sticky:+FAKE_STICKY=1} "$guest" hip shortage
	check "retries, too few $sticky" answers "take: 2, last error 2" "$(grep '^take' shim.out | head -n 1)"
done
with "memory.oom_retries=3" FAKE_OOM=2 "$guest" level0 shortage
check "retries of Level Zero" answers "take: 0" "$(grep '^take' shim.out | sort -u)"
with "mode=observe;memory.oom_retries=3" FAKE_OOM=2 "$guest" hip shortage
check "observe" answers "take: 2, last error 2" "$(grep '^take' shim.out | head -n 1)"

# Never while a stream is captured: the fake would end the process with 97.
for n in 1 7; do
	with "drain.every_submits=$n" "$guest" hip capture
	check "every $n" status "exit 0" "$(cat shim.status)"
	with "drain.every_submits=$n" FAKE_LOG="$work/calls.log" "$guest" hip threads
	check "every $n, threads" status "exit 0" "$(cat shim.status)"
	[ "$(grep -c hipStreamQuery calls.log)" -gt 330 ] || fail "every $n" "no wait of ours"
done
with "memory.limit=256MiB;memory.on_misfit=refuse" "$guest" hip capture $((1 << 29))
check "refused, captured" status "exit 0" "$(cat shim.status)"
check "refused, captured" answers "take: 2;end: 0;end: 0" "$(sed -n 's/^\(take\|end\): \([0-9]*\),.*/\1: \2/p' shim.out | paste -sd ';')"
# A queue of Level Zero that is destroyed is waited for no more; one that takes long, in slices.
with "drain.every_submits=1;memory.oom_retries=1" FAKE_OOM=40 "$guest" level0 queues
check "queues" status "exit 0" "$(cat shim.status)"
with "memory.oom_retries=1" FAKE_OOM=40 FAKE_WAIT_MS=3 "$guest" level0 queues
check "queues, slow waits" status "exit 0" "$(cat shim.status)"
# One that is destroyed is waited for before, but for drain.deadline: then what was in it is
# waited for with the whole device, and one that was not destroyed is asked again.
with "" FAKE_LOG="$work/calls.log" "$guest" level0 destroyed
check "destroyed" "the wait, and then theirs" "zeCommandQueueSynchronize zeCommandQueueDestroy zeMemFree" \
	"$(grep -E 'Synchronize|Destroy|Free' calls.log | xargs)"
check "destroyed" "drains" '[["drain.before_unload",0]]' "$(crumbs |
	jq -cs 'map(select(.ev == "drain" and .ph == "end" and .rule != "drain.at_exit") | [.rule, .rc])')"
for n in "" 1; do
	same "destroyed $n" ${n:+FAKE_IN_USE=$n} "$guest" level0 destroyed
	rm -f calls.log
	with "drain.deadline=1ms" FAKE_SYNC_SLICES=2 ${n:+FAKE_IN_USE=$n} FAKE_LOG="$work/calls.log" \
		"$guest" level0 destroyed
	check "destroyed $n, late" "asked" "$((1 + ${n:-0}))" \
		"$(sed '/^zeMemFree/q' calls.log | grep -c zeCommandQueueSynchronize)"
	check "destroyed $n, late" "drains" '[-110,0]' "$(crumbs |
		jq -cs 'map(select(.ev == "drain" and .ph == "end" and .rule == "drain.before_unload").rc)')"
done
with "drain.every_submits=1" FAKE_SYNC_SLICES=3 "$guest" level0 closed
check "slices" status "exit 0" "$(cat shim.status)"
has_not "slices" "a wait that failed" '.ev == "drain" and .ph == "end" and .rc != 0'
# More queues than are known: what is not known is not said to be done.
with "drain.every_submits=1" "$guest" level0 many
check "many queues" status "exit 0" "$(cat shim.status)"
has "many queues" "a queue that is not known" '.ev == "drain" and .ph == "end" and .rc == -2'
tally 355
