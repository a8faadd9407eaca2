#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# demo.sh -- what `make demo-mlx` shows, with what is built already.
. "${SRC:?}/tests/engines/mlx/lib.sh"

NO_INSTALL=1 DEMO=$work/demo "$SRC/examples/demo-mlx.sh" >out 2>err
check demo "it ends" 0 $?
check demo "answers" 2 "$(grep -c "^\(first\|second\) 0 '" out)"
check demo "the swap" "load begin first
load end first
unload begin first
unload end first
load begin second
load end second" "$(sed -nE 's/.* (load|unload) +(begin|end) .* (first|second), .*/\1 \2 \3/p' out)"
# It had answered before it was ended.
for line in 'signal  *ended by SIGTERM .* (after it|after a generation by mlx::core::eval on second|while idle.*);' 'load  *first' 'load  *second' 'inference  *2 generations' 'unload  *1,'; do
	grep -qE "^  $line" out || fail demo "the report has no '$line'"
	pass
done
tally 8
