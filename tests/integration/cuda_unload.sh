#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cuda_unload.sh -- contexts of CUDA are made and given up, by each function that does it.
#
# What is in flight is waited for before theirs is called; with the last context of a device
# what was taken there is gone, and nothing is in flight any more; what theirs refuses
# changes nothing.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"
"${cc[@]}" -fPIC -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -o libcuda.so.1 \
	"$SRC/tests/fake/fake_cuda.c" || exit 1
"${cc[@]}" -fPIC -shared -Wl,-soname,libcudart.so.13 -Wl,-Bsymbolic -o libcudart.so.13 \
	"$SRC/tests/fake/fake_cudart.c" -ldl || exit 1
"${cc[@]}" -o unload "$SRC/tests/integration/parts/cuda_unload.c" -ldl || exit 1
export LD_LIBRARY_PATH=$work

# What the last generation shows of device 1: bytes, pieces, in flight.
held() {
	crumbs | jq -rs '[(map(select(.class == "device" and .device == 1)) | last | .bytes // 0, .pieces // 0),
		(map(select(.ev == "infer" and .ph == "end")) | last | .in_flight // 0)] | map(tostring) | join(" ")'
}

# The drain is before theirs, in the log and in the calls of the driver.
given_up() { # CASE
	has "$1" "a drain before it" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == 0'
	check "$1" "the order" "drain end, unload end" "$(crumbs |
		jq -r 'select((.ev == "drain" or .ev == "unload") and .ph == "end") | "\(.ev) \(.ph)"' | head -n 2 | paste -sd, | sed 's/,/, /')"
	has "$1" "the unload by its name" ".ev == \"unload\" and .ph == \"end\" and .call == \"$row\""
}

made='cuCtxDestroy cuCtxDestroy_v2 cuCtxDetach'
reset='cuDevicePrimaryCtxReset cuDevicePrimaryCtxReset_v2 cudaDeviceReset cudaThreadExit'
released='cuDevicePrimaryCtxRelease cuDevicePrimaryCtxRelease_v2'
for row in $made $reset $released; do
	same "once $row" ./unload once "$row"
	given_up "once $row"
	check "once $row" "held afterwards" "0 0 0" "$(held)"
done

# Another context of the device keeps all; a reset leaves none, and a release that is not the
# last one is no unload.
for row in $made; do
	same "one of two, $row" ./unload one-of "$row"
	given_up "one of two, $row"
	check "one of two, $row" "held afterwards" "4096 1 0" "$(held)"
done
for row in $released; do
	same "one of two, $row" ./unload one-of "$row"
	has_not "one of two, $row" "an unload" '.ev == "unload"'
	check "one of two, $row" "held afterwards" "4096 1 0" "$(held)"
done

# Theirs refuses.
for row in $made ${reset%% cuda*} $released; do
	same "refused, $row" ./unload wrong "$row"
	grep -q "^$row [1-9]" shim.out || fail "refused, $row" "it was not: $(cat shim.out)"
	has "refused, $row" "what it said" ".ev == \"unload\" and .ph == \"end\" and .call == \"$row\" and .rc != 0"
	check "refused, $row" "held afterwards" "4096 1 0" "$(held)"
done

# A context that is made is current, on its device, and waited for at the exit.
for row in cuCtxCreate cuCtxCreate_v2 cuCtxCreate_v3 cuCtxCreate_v4; do
	rm -f calls.txt
	without_shim ./unload made "$row"
	with_shim FAKE_LOG="$work/calls.txt" ./unload made "$row"
	check "$row" out "$(cat plain.out)" "$(cat shim.out)"
	has "$row" "memory of its device" '.class == "device" and .device == 2 and .bytes == 4096'
	check "$row" "waits of ours in it" 1 "$(grep -cx cuCtxRecordEvent calls.txt)"
	check "$row" "pushes, as many as pops" "$(grep -cx cuCtxPushCurrent_v2 calls.txt)" "$(grep -cx cuCtxPopCurrent_v2 calls.txt)"
done

# Two faults within a second, of different kinds: the graver one is not lost after the other.
same "two faults" FAKE_OOM=1 FAKE_LAUNCH=214 ./unload made cuCtxCreate_v2
has "two faults" "the first" '.class == "out_of_memory" and .rc == 2'
has "two faults" "the second" '.ev == "error" and .class == "ecc_uncorrectable" and .rc == 214'
tally 120
