#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sim_exit.sh -- a program whose threads launch, copy, free and trim as it returns from main or calls
# _exit: what they have in flight is drained, what they give up meanwhile as well, and nothing
# comes behind. On the simulated GPU.
. "${SRC:?}/tests/integration/lib.sh"
# shellcheck disable=SC2034 # for lib_leave.sh
racy=racy_busy slow_us=20000 rounds=8
. "${SRC:?}/tests/simgpu/lib_leave.sh"

drained return
undrained return
export RACY_RAW=1
drained raw
undrained raw
tally 50
