#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib that is sourced below
# bench_panic.sh -- panics of a simulated machine, without taffrail and with it (make bench-panic).
#
# RUNS (200) runs of each of the five programs of tests/simgpu/lib_panic.sh (of those that
# RACY names), bare, with the built-in policy and with examples/guarded.json, on a machine
# with the bug; then a twentieth as many on one without, for the time that they take.  A
# simulation: it shows what taffrail does about a driver with this bug, not how often a
# real one panics.  Ends with 1 where over 90 % without and 0 with guarded.json is missed.
set -u

RUNS=${RUNS:-200}
. "${SRC:?}/tests/simgpu/lib_panic.sh"
unset TAFFRAIL LD_PRELOAD
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-panic.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
hows=(bare builtin guarded) missed=()

# The goals: more than nine runs of ten without the guard, none with guarded.json.
judge() { # WORKLOAD HOW PANICS
	case $2 in
	bare) [ $((10 * $3)) -gt $((9 * RUNS)) ] || missed+=("$1 without taffrail: $3 of $RUNS, not over 90 %") ;;
	guarded) [ "$3" = 0 ] || missed+=("$1 with guarded.json: $3 of $RUNS, not 0") ;;
	esac
}

# Tenths of a millisecond that a run of so many tokens takes: the median, since a pause
# of the machine is none of theirs.
time_of() { # WORKLOAD HOW TOKENS
	local begin
	for ((n = 0; n < (RUNS + 19) / 20; n++)); do
		begin=${EPOCHREALTIME/./}
		RACY_TOKENS=$3 run_racy "$1" "$2"
		echo $(((${EPOCHREALTIME/./} - begin) / 100))
	done | sort -n | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'
}

# Of a whole short run, and of one token more in a long one.
times_of() { # WORKLOAD HOW
	local short long
	machine none
	short=$(time_of "$1" "$2" 8)
	long=$(time_of "$1" "$2" 108)
	awk "BEGIN { printf \"%.1f %.2f\n\", $short / 10, ($long - $short) / 1000 }"
}

echo "### Panics of a simulated machine"
echo
echo "| program | panics in $RUNS runs | built-in policy | guarded.json | ms a short run | built-in policy | guarded.json | ms a token | built-in policy | guarded.json |"
echo "|---|---|---|---|---|---|---|---|---|---|"
for workload in "${racy[@]}"; do
	row="| $workload" runs='' tokens=''
	for how in "${hows[@]}"; do
		count=$(runs_that_panic "$RUNS" "$workload" "$how")
		judge "$workload" "$how" "$count"
		row="$row | $count"
		read -r run token < <(times_of "$workload" "$how")
		runs="$runs | $run"
		tokens="$tokens | $token"
	done
	echo "$row$runs$tokens |"
done
for goal in "${missed[@]}"; do
	echo "goal missed: $goal"
done
[ ${#missed[@]} -eq 0 ]
