#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_leave.sh -- a program whose threads launch returns from main or calls _exit while another
# thread captures, or its exec fails again and again: all is drained. On the simulated GPU.
. "${SRC:?}/tests/integration/lib.sh"
# shellcheck disable=SC2034 # for lib_leave.sh
racy=racy_leave slow_us=5000 rounds=4
. "${SRC:?}/tests/simgpu/lib_leave.sh"

for RACY_BESIDE in capture exec; do
	export RACY_BESIDE
	drained $RACY_BESIDE
	undrained $RACY_BESIDE
	RACY_RAW=1 drained $RACY_BESIDE.raw
done
tally 50
