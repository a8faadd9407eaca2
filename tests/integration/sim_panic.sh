#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_panic.sh -- programs that take a simulated machine down, and do not under the guard.
#
# A simulation (tests/simgpu/machine.h); `make bench-panic` is the long form.  Without
# the guard at least one of the runs of each program panics; with examples/guarded.json
# none does.
#
# time-limit: 180
# shellcheck disable=SC2154 # names set by the libs that are sourced below
. "${SRC:?}/tests/integration/lib.sh"
. "${SRC:?}/tests/simgpu/lib_panic.sh"

RUNS=${RUNS:-2}

runs() { # WORKLOAD HOW
	for ((n = 0; n < RUNS; n++)); do
		run_racy "$1" "$2"
		panics >count
	done
	cat count
}

for workload in "${racy[@]}"; do
	machine underflow
	check "$workload, bare" "there were panics" yes "$([ "$(runs "$workload" bare)" -gt 0 ] && echo yes)"
	check "$workload, bare" "the report is that of a panic" iogpu_prepare_count_underflow \
		"$("$BUILD/taffrail" classify --json <machine/panic-1.panic | jq -r .class.name)"
	# What the program does is its own affair as long as it takes nobody down.
	machine underflow
	check "$workload, guarded.json" "panics" 0 "$(runs "$workload" guarded)"
	has "$workload, guarded.json" "a drain that was carried out" '.ev == "drain" and .ph == "end" and .rc == 0'
	[ "$workload" = term ] || check "$workload, guarded.json" "its last word" "done" "$(cat racy.out)"
done
tally 24
