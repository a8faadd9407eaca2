#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lock.sh -- the real llama.cpp and the GPU lock: taken by turns it computes as it did,
# and while somebody else has it the load returns nothing, which the program
# reports in its own words.
#
# time-limit: 300
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/engines/llama/lib.sh"

if [ -d /run/taffrail ]; then
	echo "this machine has a lock of all its users, /run/taffrail: no test may take it"
	exit 77
fi
plain "${serve[@]}" tiny.gguf
check plain "the program works" "exit 0" "$(cat plain.status)"

guarded --set lock.on_conflict=wait -- "${serve[@]}" tiny.gguf
check_same run
check_whole run
check run "objections" 0 "$(number_of '.rule == "lock.on_conflict"')"

guarded --set lock.on_conflict=wait --set lock.hold=inference -- "${serve[@]}" tiny.gguf
check_same turns
check_whole turns
check turns "objections" 0 "$(number_of '.rule == "lock.on_conflict"')"
check turns "whose the last turn was" inference "$(jq -r .hold "$work/run/taffrail/lock/slot-1.json")"

# Somebody has the slot. Without `run` the guest itself meets it, at its load.
(umask 077 && mkdir -p "$work/run/taffrail/lock")
exec 7<>"$work/run/taffrail/lock/slot-1"
flock -n 7
rm -rf "$state"
raw guarded env LD_PRELOAD="$shim" TAFFRAIL_SET=lock.on_conflict=refuse "${serve[@]}" tiny.gguf 7>&-
check refuse "its own way to end after a failed load" "exit 1" "$(cat guarded.status)"
check refuse "its own words" 1 "$(grep -ci 'error: .*failed to load model' guarded.err)"
check refuse "the record" 1 "$(number_of '.ev == "refuse" and .rule == "lock.on_conflict" and .model == "tiny"')"
check refuse "loads that began" 0 "$(number_of '.ev == "load" and .ph == "begin"')"
exec 7>&-

tally 16
