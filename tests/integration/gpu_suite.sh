#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpu_suite.sh -- the suite of `make check-gpu`, on the simulated GPU: that its programs and
# its script work before somebody with a GPU runs them.
# shellcheck disable=SC2154 # lib.sh sets work
. "${SRC:?}/tests/integration/lib.sh"

suite=$SRC/tests/gpu/run.sh
"$BASH" "$suite" --simulated report.txt >out.txt 2>&1
check simulated status 0 $?
grep -E '^FAIL' out.txt
check simulated "is said first" "SIMULATED: no kernel ran, nothing here was seen on a GPU" "$(head -n 1 out.txt)"
check simulated "and last" "42 passed, 0 failed, 13 skipped (SIMULATED)" "$(tail -n 1 out.txt)"
check simulated "the report" "$(cat out.txt)" "$(cat report.txt)"

# Nothing is called passed where there is no GPU, or no simulation.
mkdir bin
printf '#!/bin/sh\nexit 9\n' >bin/nvidia-smi
chmod +x bin/nvidia-smi
PATH=$work/bin:$PATH "$BASH" "$suite" >out.txt 2>&1
check "no GPU" status 77 $?
check "no GPU" "one line" "no NVIDIA GPU on this machine: nothing was checked" "$(cat out.txt)"
BUILD=$work "$BASH" "$suite" --simulated >out.txt 2>&1
check "not built" status 77 $?
tally 7
