#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# vlm.sh -- mlx_vlm.server, unmodified, whose batches evaluate in an order of their own: requests in
# turn and in one batch, and TERM in the midst of a generation.
#
# time-limit: 150
. "${SRC:?}/tests/engines/mlx-servers/lib.sh"
use_package mlx-vlm

model a
name=./a
asks=(--chat)
server=("$python" -m mlx_vlm.server --model ./a)

by_itself
# As long as a thread has computed within the last drain.idle_ms who leaves waits for it.
guarded_with true --set drain.deadline=200ms
check_requests
check server "begins" 9 "$(number_of '.ev == "infer" and .ph == "begin"')"
one server "the profile" '.ev == "start" and .role == "guest" and .profile == "mlx-server"'
tally 13
