#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpu_flight.sh -- functions that hand a device work without looking like it: each is in
# flight until its own stream was waited for, so that a free after it waits.
# shellcheck disable=SC2034,SC2154 # rows are used by their names; lib.sh sets work, tests
. "${SRC:?}/tests/integration/lib.sh"

"${CC:-cc}" -std=c11 -D_GNU_SOURCE -g -O2 -o flight "$SRC/tests/integration/parts/gpu_flight.c" -ldl || exit 1

# NAME:AT for the name and its form for the thread's own stream.
both() { # NAME:AT...
	local one
	for one; do
		echo "$one ${one%:*}_ptsz:${one#*:}"
	done
}

cuda="cuLaunch:- cuLaunchGrid:- cuLaunchGridAsync:3 $(both cuMemPrefetchAsync:3 cuMemPrefetchAsync_v2:4 \
	cuMemPrefetchBatchAsync:7 cuMemDiscardBatchAsync:4 cuMemDiscardAndPrefetchBatchAsync:7 \
	cuMemBatchDecompressAsync:4 cuMemMapArrayAsync:2 cuStreamWriteValue32:0 cuStreamWriteValue32_v2:0 \
	cuStreamWriteValue64:0 cuStreamWriteValue64_v2:0 \
	cuSignalExternalSemaphoresAsync:3 cuGraphUpload:1 cuStreamAddCallback:0 \
	cuMemcpyAsync:3)"
cudart=$(both cudaMemPrefetchAsync_v2:4 cudaMemPrefetchBatchAsync:7 cudaMemDiscardBatchAsync:4 \
	cudaMemDiscardAndPrefetchBatchAsync:7 cudaSignalExternalSemaphoresAsync:3 \
	cudaSignalExternalSemaphoresAsync_v2:3 cudaGraphUpload:1 cudaStreamAddCallback:0 cudaMemcpyAsync:4)
hip="hipLaunchByPtr:- hipLaunchHostFunc:0 hipLaunchHostFunc_spt:0 hipStreamAddCallback:0 hipStreamAddCallback_spt:0
	hipMemPrefetchAsync:3 hipMemPrefetchAsync_v2:4 hipMemMapArrayAsync:2 hipStreamWriteValue32:0
	hipStreamWriteValue64:0 hipSignalExternalSemaphoresAsync:3
	hipGraphUpload:1 hipMemcpyAsync:4"
level0=$(for name in LaunchKernel MemoryCopy MemoryCopyWithParameters MemoryCopyFromContext MemoryCopyRegion \
	MemoryFill MemoryFillWithParameters MemoryPrefetch ImageCopy ImageCopyRegion ImageCopyToMemory \
	ImageCopyFromMemory ImageCopyToMemoryExt ImageCopyFromMemoryExt WriteGlobalTimestamp \
	QueryKernelTimestamps SignalExternalSemaphoreExt; do
	echo "zeCommandListAppend$name:0"
done; echo zeCommandListImmediateAppendCommandListsWithParameters:0)

# Of each row, the calls that follow until the free: with nothing in between it was not seen.
after_each() { # FREE ROW...
	local free=$1
	shift
	awk -v free="$free" -v rows="$(printf '%s ' "${@%%:*}")" '
		BEGIN { n = split(rows, list, " "); for (i = 1; i <= n; i++) is_row[list[i]] = 1 }
		$0 in is_row { row = $0; calls = ""; next }
		row && $0 == free { print row ":" calls; row = ""; next }
		row { calls = calls " " $0 }' calls.log
}

while read -r runtime free wait; do
	rows=$(xargs <<<"${!runtime}")
	for how in left waited; do
		# shellcheck disable=SC2086 # words
		same "$runtime $how" FAKE_LOG="$work/calls.log" ./flight "$tests/libfake_$runtime.so" $how $rows
		check "$runtime $how" status "exit 0" "$(cat shim.status)"
		check "$runtime $how" "calls that failed" "" "$(grep -v ' 0$' shim.out)"
		# shellcheck disable=SC2086 # words
		after_each "$free" $rows >after.txt
		check "$runtime $how" "rows" "$(wc -w <<<"$rows")" "$(wc -l <after.txt)"
		[ $how = left ] && check "$runtime" "not seen to be in flight" "" "$(grep ':$' after.txt)"
		[ $how = waited ] && check "$runtime" "waited for after that" "" "$(grep -v ": $wait\$" after.txt)"
	done
done <<'END'
cuda cuMemFree_v2 cuStreamSynchronize
cudart cudaFree cudaStreamSynchronize
hip hipFree hipStreamSynchronize
level0 zeMemFree zeCommandListHostSynchronize
END
tally 56
