#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib that is sourced below
# bench_panic.sh -- panics of a simulated machine, without taffrail and with it (make bench-panic).
#
# RUNS (200) runs of each of the five programs of tests/simgpu/lib_panic.sh, bare, with
# the built-in policy and with examples/guarded.json, on a machine with the bug; then
# a tenth as many on one without, for the time that they take.  A simulation: it shows
# what taffrail does about a driver with this bug, not how often a real one panics.
set -u

RUNS=${RUNS:-200}
. "${SRC:?}/tests/simgpu/lib_panic.sh"
unset TAFFRAIL LD_PRELOAD
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-panic.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
hows=(bare builtin guarded)

# Runs that brought the machine down, once or more often.
count_panics() { # WORKLOAD HOW
	local before=0 now bad=0
	machine underflow
	for ((n = 0; n < RUNS; n++)); do
		run_racy "$1" "$2"
		now=$(panics)
		bad=$((bad + (now > before)))
		before=$now
	done
	echo "$bad"
}

# Milliseconds a run: the median, since a pause of the machine is none of theirs.
time_of() { # WORKLOAD HOW
	local begin
	machine none
	for ((n = 0; n < (RUNS + 9) / 10; n++)); do
		begin=${EPOCHREALTIME/./}
		run_racy "$1" "$2"
		echo $(((${EPOCHREALTIME/./} - begin) / 100))
	done | sort -n | awk '{ t[NR] = $1 } END { printf "%.1f\n", t[int((NR + 1) / 2)] / 10 }'
}

echo "### Panics of a simulated machine"
echo
echo "| program | panics in $RUNS runs, without | built-in policy | guarded.json | ms a run, without | built-in policy | guarded.json |"
echo "|---|---|---|---|---|---|---|"
for workload in "${racy[@]}"; do
	row="| $workload"
	for how in "${hows[@]}"; do
		row="$row | $(count_panics "$workload" "$how")"
	done
	for how in "${hows[@]}"; do
		row="$row | $(time_of "$workload" "$how")"
	done
	echo "$row |"
done
