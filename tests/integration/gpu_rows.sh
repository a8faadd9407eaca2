#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpu_rows.sh -- each row of the tables of GPU runtimes: passes once, keeps the value, is
# counted; and what it gives where the runtime is not there.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

# Rows that a program can call: all but what we call ourselves.
rows_of() { # TABLE
	cat "$SRC/hooks/$1.def" "$SRC/hooks/$1"_*.def 2>/dev/null |
		grep -cE '^(TAKES|GIVES|GIVES_LATER|GIVES_QUEUED|SUBMITS|COPIES|WAITS|HOOK|OWN|OWNV|ENQUEUES|BLOCKS|MAKES)\('
}

for table in cuda cudart hip level0 vulkan opencl; do
	for odd in "" 1; do
		with_shim ${odd:+FAKE_ODD=$odd} "$tests/guest_${table}_rows"
		check "$table values ${odd:-0}" status "exit 0" "$(cat shim.status)"
		[ "$(cat shim.status)" = "exit 0" ] || grep -v '^called' shim.out
		# Its device is named once, after its first use. Where all fails it has no name.
		case $table$odd in
		cuda* | vulkan | *1) ;; # report_gpu.sh, khronos_bad.sh
		*)
			check "$table" "the name of its device" "fake $table" \
				"$(crumbs | jq -r 'select(.class == "device_name" and .device == 0) | .name' | tr -d '"' | sed 's/ 0$//')"
			has "$table" "its memory" '.class == "device_name" and .total >= 1048576'
			;;
		esac
	done
	check "$table" "rows called" "$(rows_of "$table")" "$(grep -c '^called' shim.out)"
	has "$table" "a generation" ".ev == \"infer\" and .ph == \"end\" and .engine == \"$table\""

	# Without the runtime: not initialised, and nothing begins.
	with_shim "$tests/guest_${table}_rows" missing
	check "$table missing" status "exit 0" "$(cat shim.status)"
	[ "$(cat shim.status)" = "exit 0" ] || grep -v '^called' shim.out
	check "$table missing" "rows called" "$(rows_of "$table")" "$(grep -c '^called' shim.out)"
done
tally 42
