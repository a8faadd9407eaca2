#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cuda_drain.sh -- what is done to CUDA's contexts by rules, and what is never done.
#
# A drain reaches every context of the process and leaves the current one as it was; a
# trim reaches every pool.  While a stream is captured nothing is waited for: the fake
# ends the process (97) if it is.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"
"${cc[@]}" -fPIC -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -o libcuda.so.1 \
	"$SRC/tests/fake/fake_cuda.c" || exit 1
"${cc[@]}" -fPIC -shared -Wl,-soname,libcudart.so.13 -Wl,-Bsymbolic -o libcudart.so.13 \
	"$SRC/tests/fake/fake_cudart.c" -ldl || exit 1
"${cc[@]}" -o input "$SRC/tests/integration/parts/cuda_input.c" -ldl -lpthread || exit 1
export LD_LIBRARY_PATH=$work

calls() { # NAME: of theirs, before the runtime's end
	grep -cx "$1" calls.txt
}

# Before the first generation, and at the end: two primary contexts and one that was made.
same contexts ./input contexts
check contexts status "exit 0" "$(cat shim.status)"
has contexts "the drain at exit or before" '.ev == "drain" and .ph == "end" and .engine == "cuda" and .rc == 0'
with_shim FAKE_LOG="$work/calls.txt" TAFFRAIL_SET='drain.pre_clear=on;drain.before_unload=off;drain.at_exit=off' ./input contexts
check pre_clear out "$(cat plain.out)" "$(cat shim.out)"
check pre_clear "waits, one a context" 3 "$(calls cuCtxRecordEvent)"
check pre_clear "each with an event of its own, which is destroyed" "3 3" "$(calls cuEventCreate) $(calls cuEventDestroy_v2)"
# All is done by then: it is what lets pools give back.
check pre_clear "waits without a deadline, one before each trim" 3 "$(calls cuCtxSynchronize)"
check pre_clear "graph memory, one a context" 3 "$(calls cuDeviceGraphMemTrim)"
check pre_clear "pools, one a context" 3 "$(calls cuMemPoolTrimTo)"
check pre_clear "what was pushed was popped" "$(calls cuCtxPushCurrent_v2)" "$(calls cuCtxPopCurrent_v2)"
check pre_clear "what was retained was released" "$(($(calls cuDevicePrimaryCtxRetain) - 2))" "$(calls cuDevicePrimaryCtxRelease_v2)"
check pre_clear "kept by pools" 8192 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").pool_slack) | add')"

# A driver without cuCtxRecordEvent, as all before 12.5: each stream is asked, and nothing is
# waited for without a deadline but by the process that leaves.
mkdir old
echo '{ local: cuCtxRecordEvent; };' >old.map
"${cc[@]}" -fPIC -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -Wl,--version-script=old.map \
	-o old/libcuda.so.1 "$SRC/tests/fake/fake_cuda.c" || exit 1
cp libcudart.so.13 old/
old() { # SETTINGS VARIABLES... COMMAND...
	local set=$1
	shift
	rm -f calls.txt
	with_shim LD_LIBRARY_PATH="$work/old" FAKE_LOG="$work/calls.txt" TAFFRAIL_SET="$set" "$@"
}
old 'drain.pre_clear=on;drain.before_unload=off;drain.at_exit=off' ./input contexts
check old out "$(cat plain.out)" "$(cat shim.out)"
check old "queries of the default stream, one a context" 3 "$(calls cuStreamQuery)"
check old "waits without a deadline, one before each trim" 3 "$(calls cuCtxSynchronize)"
check old "events" 0 "$(calls cuEventCreate)"
old 'drain.pre_clear=on;drain.before_unload=off' ./input contexts
check "old, exit" "waits without a deadline, at the end and before each trim" \
	"$((2 + $(calls cuDeviceGraphMemTrim)))" "$(calls cuCtxSynchronize)"
old 'drain.at_exit=off' FAKE_DRIVER=1 ./input copies
check "old, unseen" "waits without a deadline" 0 "$(calls cuCtxSynchronize)"
check "old, unseen" "events of ours, which are destroyed" "$(calls cuEventCreate)" "$(calls cuEventDestroy_v2)"
has "old, unseen" "that it was not drained" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == -28 and .msg == "not drained: unseen streams"'
check "old, unseen" "what the report advises" 1 "$("$BUILD/taffrail" report --state "$state" --last |
	grep -c '^  next  .* failed: work was left in a stream that was destroyed, or not seen;')"
old 'drain.at_exit=off;drain.deadline=50ms' FAKE_BUSY=2 FAKE_DRIVER=1 ./input copies
check "old, hangs" "waits without a deadline" 0 "$(calls cuCtxSynchronize)"
has "old, hangs" "that it gave up" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == -110'

# What the driver refuses to destroy is what it was: it is asked, and found to be done.
old 'drain.at_exit=off' FAKE_DROP=709 FAKE_DRIVER=1 ./input kept
check "old, kept" "what theirs said" "400 709" "$(sed -n 's/^cuStreamDestroy_v2 \([0-9]*\),.*/\1/p' shim.out | xargs)"
check "old, kept" "drains before frees, and the one that a capture forbade" '[0,-16,0]' \
	"$(crumbs | jq -cs 'map(select(.ev == "drain" and .ph == "end" and .rule == "drain.before_unload").rc)')"

# Memory by handle is given back when it is released and nowhere mapped any more.
held() { # bytes, pieces: at the end of the last generation
	crumbs | jq -rs 'map(select(.class == "device" and .engine == "cuda") | [.bytes, .pieces // 0]) | last // [0, 0] | map(tostring) | join(" ")'
}
same maps ./input maps
check maps "held while it is mapped" "1048576 1" "$(held)"
same "maps, all gone" UNMAP_ALL=1 ./input maps
check "maps, all gone" "held" "0 0" "$(held)"
same "maps, retained" RETAIN=1 UNMAP_ALL=1 ./input maps
check "maps, retained" "held" "1048576 1" "$(held)"
same "maps, retained and released" RETAIN=1 UNMAP_ALL=1 RELEASE_ALL=1 ./input maps
check "maps, retained and released" "held" "0 0" "$(held)"

# A drain retains a primary context. Where the program gave it up meanwhile it goes with ours,
# and its memory with it.
same primary ./input primary
check primary "held" "4096 1" "$(held)"
same "primary, given up" FAKE_GIVEN_UP=1 ./input primary
check "primary, given up" "held" "0 0" "$(held)"

# A copy is in flight as a launch is, and done where a blocking one shows it.
for driver in "" 1; do
	same "copies ${driver:+by the driver}" ${driver:+FAKE_DRIVER=1} ./input copies
	check "copies ${driver:+by the driver}" "drains before a free" '[0]' \
		"$(crumbs | jq -cs 'map(select(.ev == "drain" and .ph == "end" and .rule == "drain.before_unload").rc)')"
done

# The runtime's own functions are left alone: their last error belongs to the program.
rm -f calls.txt
with_shim FAKE_LOG="$work/calls.txt" FAKE_DRIVER=1 TAFFRAIL_SET='drain.pre_clear=on;drain.every_submits=2' ./input captures
check driver status "exit 0" "$(cat shim.status)"
check driver "waits by the runtime, all the program's" 3 "$(calls cudaStreamSynchronize)"
check driver "waits of ours for the device by the runtime" 0 "$(calls cudaDeviceSynchronize)"

# Without a driver to go through there is only the runtime.
rm -f calls.txt
mkdir alone
cp libcudart.so.13 alone/
"${cc[@]}" -fPIC -shared -Wl,-soname,libcuda.so.1 -o alone/libcuda.so.1 -x c - <<<'int none; ' || exit 1
with_shim LD_LIBRARY_PATH="$work/alone" FAKE_LOG="$work/calls.txt" TAFFRAIL_SET='drain.pre_clear=on' ./input memory
check alone status "exit 0" "$(cat shim.status)"
check alone "the last error" 'cudaSetDevice 101, last error 101' "$(grep SetDevice shim.out)"

# An injected wait during a capture is impossible, whoever captures.
for set in 'drain.every_submits=1' 'drain.every_submits=1;drain.window=adaptive;drain.pre_clear=on;drain.post_clear=on'; do
	for i in 1 2 3; do
		rm -f calls.txt
		with_shim FAKE_DRIVER=1 FAKE_LOG="$work/calls.txt" TAFFRAIL_SET="$set" ./input race
		check "race $i" status "exit 0" "$(cat shim.status)"
		check "race $i" out "0 calls failed" "$(cat shim.out)"
		with_shim FAKE_DRIVER=1 TAFFRAIL_SET="$set" ./input captures
		check "captures $i" status "exit 0" "$(cat shim.status)"
	done
	# Few, since mostly somebody captures; all were made between two captures.
	injected=$(($(calls cuStreamQuery) + $(calls cuCtxRecordEvent)))
	check "race, $set" "waits were injected: $injected" 1 $((injected > 0))
done
tally 80
