#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cases.sh -- runs every file of tests/unit/cases, and shows that the runner can fail.
set -u

BUILD=${BUILD:?the build folder}
SRC=${SRC:?the source folder}
cases=$BUILD/tests/cases
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

# One case must end with that status and say so: NAME STATUS WORDS JSON
one() {
	local out status
	printf '%s\n' "$4" >"$work/one.json"
	out=$("$cases" "$work/one.json")
	status=$?
	if [ "$status" -ne "$2" ] || [[ "$out" != *"$3"* ]]; then
		echo "FAIL $1: wanted status $2 and '$3', got $status: $out"
		bad=1
	fi
}

# A file with one case.
of() { # AREA INPUT EXPECT
	printf '{"area": "%s", "cases": [{"id": "x", "input": %s, "expect": %s}]}' "$@"
}

seven='{"model_name": "Llama-7B-Instruct"}'
one right 0 '1 passed, 0 failed' "$(of size "$seven" '{"gb": 14}')"
one near 0 '1 passed' "$(of size "$seven" '{"gb": 14.000001}')"
one wrong 1 'x: differs in gb' "$(of size "$seven" '{"gb": 14.1}')"
one bounds 0 '1 passed' "$(of size "$seven" '{"gb_min": 14, "gb_max": 15}')"
one above 1 'differs in gb_max' "$(of size "$seven" '{"gb_max": 13}')"
one below 1 'differs in gb_min' "$(of size "$seven" '{"gb_min": 15}')"
one 'null allowed' 0 '1 passed' "$(of size '{"model_name": ""}' '{"gb_min": 1, "null_allowed": true}')"
one 'null not allowed' 1 'differs' "$(of size '{"model_name": ""}' '{"gb_min": 0, "null_allowed": false}')"
one 'unknown area' 1 'unknown area' "$(of sizes "$seven" '{"gb": 14}')"
one 'unknown input' 1 'unknown field model' "$(of size '{"model": "a"}' '{"gb": 14}')"
one 'unknown inner input' 1 'unknown field size' \
	"$(of size '{"opened_files": [{"size": 1}]}' '{"gb": 14}')"
one 'unknown expect' 1 'unknown field gib' "$(of size "$seven" '{"gib": 14}')"
one 'nothing expected' 1 'is not empty' "$(of size "$seven" '{}')"
one 'no cases' 1 'no file of cases' '{"area": "size", "cases": []}'
one 'no JSON' 1 'no file of cases' 'size'

"$cases" "$SRC"/tests/unit/cases/*.json || bad=1
exit $bad
