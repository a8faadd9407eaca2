#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_panic.sh -- programs that take a simulated machine down, and do not under the guard.
#
# A simulation (tests/simgpu/machine.h); `make bench-panic` is the long form.  Of five runs
# of each program four and more panic without the guard, with examples/guarded.json none.
#
# time-limit: 180
# shellcheck disable=SC2154 # names set by the libs that are sourced below
. "${SRC:?}/tests/integration/lib.sh"
. "${SRC:?}/tests/simgpu/lib_panic.sh"

RUNS=${RUNS:-5}
# On a busy machine a short token is done before the program has left, or between it and the
# next one the signal comes.
export SIMGPU_LATENCY_US=10000 RACY_TOKENS=3

for workload in "${racy[@]}"; do
	bad=$(runs_that_panic "$RUNS" "$workload" bare)
	check "$workload, bare" "$bad of $RUNS runs panic, at least 4 of 5" yes \
		"$([ $((10 * bad)) -ge $((8 * RUNS)) ] && echo yes)"
	check "$workload, bare" "the report is that of a panic" iogpu_prepare_count_underflow \
		"$("$BUILD/taffrail" classify --json <machine/panic-1.panic | jq -r .class.name)"
	# What the program does is its own affair as long as it takes nobody down.
	check "$workload, guarded.json" "runs that panic" 0 "$(runs_that_panic "$RUNS" "$workload" guarded)"
	has "$workload, guarded.json" "a drain that was carried out" '.ev == "drain" and .ph == "end" and .rc == 0'
	[ "$workload" = term ] || check "$workload, guarded.json" "its last word" "done" "$(cat racy.out)"
done

# While the log is closed on a slow disk, nothing comes behind the drain.
if "${CC:-cc}" -std=c11 -D_GNU_SOURCE -g -O2 -o slow_disk "$SRC/tests/integration/parts/slow_disk.c" &&
	./slow_disk 1 true; then
	machine underflow
	fresh
	: >racy.out
	env TAFFRAIL_STATE="$state" TAFFRAIL_SET="exit.signals=TERM;exit.deadline=10m;drain.deadline=10m" \
		./slow_disk 600 env LD_PRELOAD="$shim" "$sim/racy_term" >racy.out 2>racy.err &
	await 60 grep -q generating racy.out
	kill -TERM $!
	{ wait $!; } 2>/dev/null
	check "slow disk" "how it ended" 143 $?
	check "slow disk" "panics" 0 "$(panics)"
	has "slow disk" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0'
else
	untried 3 "a slow disk: no filters with a listener"
fi

# The long form fails where a goal is missed: by a command that guards nothing, and by a
# program that does no harm.
mkdir -p built/tests
ln -s "$sim" built/tests/simgpu
# shellcheck disable=SC2016 # for the script
printf '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n' >built/taffrail
chmod 755 built/taffrail
bench() { # FOLDER
	BUILD=$work/$1 RUNS=1 RACY=exit "$SRC/tests/bench/bench_panic.sh" >bench.out 2>&1
	echo "$? $(grep '^goal missed' bench.out)"
}
check "bench-panic" "no guard" "1 goal missed: exit with guarded.json: 1 of 1, not 0" "$(bench built)"
mkdir -p harmless/tests/simgpu
ln -s "$sim"/* harmless/tests/simgpu
ln -sf "$(command -v true)" harmless/tests/simgpu/racy_exit
ln -s "$BUILD"/*taffrail* harmless
check "bench-panic" "no panic" "1 goal missed: exit without taffrail: 0 of 1, not over 90 %" "$(bench harmless)"
ln -s "$BUILD" real
check "bench-panic" "both" "0 " "$(bench real)"
tally 29
