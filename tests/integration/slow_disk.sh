#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# slow_disk.sh -- the guard where each flush of a file takes its time.
#
# parts/slow_disk.c holds up the flushes. The guard writes ahead of what may take the machine
# down, so its records wait for the disk; nothing that is counted is lost or told twice
# meanwhile.
#
# time-limit: 300
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"
"${cc[@]}" -o slow_disk "$SRC/tests/integration/parts/slow_disk.c" || exit 1
./slow_disk 1 true || exit

plain_guests guest_threads
limit="timeout -s KILL 100"
export TAFFRAIL_SET="exit.deadline=10m;drain.deadline=10m"

# Loads that begin while one thread opens the log, for longer than anything else there is
# waited for, are seen all the same.
# shellcheck disable=SC2086
same load ./slow_disk 600 $limit "$tests/guest_threads" load
check load status "exit 0" "$(cat shim.status)"
check load "models seen" "a b c d" "$(crumbs | jq -r 'select(.ev == "load" and .ph == "end") | .model' | sort | xargs)"

for way in two_exits exit_under_exit; do
	# shellcheck disable=SC2086
	with_shim FAKE_SYNC_MS=100 ./slow_disk 100 $limit "$tests/guest_threads" $way
	has $way "a drain that was finished" '.ev == "drain" and .ph == "end" and .rc == 0'
	check $way "the last record" "exit end" "$(crumbs | jq -rs 'last | "\(.ev) \(.ph)"')"
	check $way "room in the log behind it" 0 "$(cat "$state"/crumbs/*.jsonl | grep -ac '^$')"
done

# 64 threads: each launch belongs to one generation, however long its begin takes.
mkdir now
"${cc[@]}" -fPIC -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -o now/libcuda.so.1 \
	"$SRC/tests/fake/fake_cuda.c" || exit 1
"${cc[@]}" -fPIC -shared -Wl,-soname,libcudart.so.13 -Wl,-Bsymbolic -o now/libcudart.so.13 \
	"$SRC/tests/fake/fake_cudart.c" -ldl || exit 1
"${cc[@]}" -o input "$SRC/tests/integration/parts/cuda_input.c" -ldl -lpthread || exit 1
# shellcheck disable=SC2086
with_shim LD_LIBRARY_PATH=now ./slow_disk 300 $limit ./input threads
check threads status "exit 0" "$(cat shim.status)"
check threads "launches" 19200 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')"
tally 13
