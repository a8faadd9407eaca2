#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# cudarc.sh -- the real CUDA layer of candle and mistral.rs, cudarc of crates.io, on the
# simulated GPU: opened by the program at run time, and linked to it. The same output and
# end as without; both generations with their launches, all memory, and a device that is
# drained at the end. The simulation computes nothing, so no sum is looked at here.
#
# time-limit: 300
. "${SRC:?}/tests/integration/lib.sh"
taffrail=$BUILD/taffrail
sim=$tests/simgpu
loaded=$("$SRC/tests/engines/rust/fetch.sh" cudarc) || exit $?
linked=$("$SRC/tests/engines/rust/fetch.sh" cudarc "$sim/libcuda.so.1") || exit $?

export TAFFRAIL_STATE=$state LD_LIBRARY_PATH=$sim SIMGPU_DIR=$work/machine SIMGPU_LATENCY_US=200
unset RUST_BACKTRACE # it has addresses in it
mkdir machine
SIMGPU_BUG=none "$sim/simgpu-kernel" machine >/dev/null || exit 1

report() { # PROGRAM
	"$taffrail" report --last --json | jq -c "[.sessions[] | select(.engines | length > 0)][0] | $1"
}

# A thread's number is in the message of a panic.
shown() { # FILE
	sed '/^taffrail: /d; s/([0-9]*) panicked/panicked/' "$1"
}

# PROGRAM END STATUS LAUNCHES HELD MOST: launches of the two generations; MiB of the device
# that are held at the end and that were held at most.
trial() {
	local case=$1 part
	[ "$1" = "$linked" ] && case=linked || case=loaded
	case="$case $2"
	raw plain "$1" "$2"
	check "$case" "it works" "exit $3" "$(cat plain.status)"
	fresh
	raw guarded "$taffrail" run --set drain.idle_ms=1s -- "$1" "$2"
	for part in status out err; do
		check "$case" $part "$(shown plain.$part)" "$(shown guarded.$part)"
	done
	check "$case" "launches of each burst in which something ran" "$4" \
		"$(crumbs | jq -cs 'map(select(.ev == "infer" and .ph == "end" and .submits > 0) | .submits)')"
	check "$case" "MiB and pieces at the end, MiB at most" "[$5,$(($5 > 0 ? 3 : 0)),$6]" \
		"$(report '.devices[0] | [.live / 1048576, .pieces, .peak / 1048576]')"
	check "$case" "the drain at its exit" 1 \
		"$(count '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0')"
}

trial "$loaded" return 0 '[21,20]' 0 3
# It drops its streams before its memory: what is in flight there is waited for before.
has_not loaded "a drain that failed" '.ev == "drain" and .ph == "end" and .rc != 0'
trial "$loaded" exit 3 '[21,21]' 3 3
trial "$loaded" forget 0 '[21,21]' 3 3
trial "$loaded" panic 101 '[21,21]' 0 3
trial "$loaded" graph 0 '[21,10]' 0 3
trial "$loaded" threads 0 '[21,40]' 0 6
check loaded "the route" true "$(crumbs | jq -r 'select(.role == "guest").routes | index("dlsym") != null')"
trial "$linked" return 0 '[21,20]' 0 3
trial "$linked" exit 3 '[21,21]' 3 3

# A driver with the bug: it unloads its kernels, and drops its streams, while they are in use.
for end in return panic; do
	for how in plain off guarded; do
		rm -rf machine
		mkdir machine
		SIMGPU_BUG=underflow "$sim/simgpu-kernel" machine >/dev/null || exit 1
		fresh
		case $how in
		plain) command=() ;;
		off) command=("$taffrail" run --set drain.before_unload=off --) ;;
		*) command=("$taffrail" run --) ;;
		esac
		SIMGPU_LATENCY_US=100000 raw $how "${command[@]}" "$loaded" $end
		check "underflow, $end, $how" "panics" "$([ $how = guarded ] && echo 0 || echo 1)" \
			"$("$sim/simgpu-kernel" --await machine)"
	done
	check "underflow, $end" "what it prints" "loaded 3145728 bytes,10 tokens,loaded 3145728 bytes,10 tokens" \
		"$(paste -sd, guarded.out)"
done
tally 66
