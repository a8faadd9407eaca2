#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# held.sh -- a wait inside the guest is shown by its `run`, and by `report`.
# shellcheck disable=SC2154 # lib.sh sets them
bin=${TAFFRAIL:?the path of the taffrail binary}
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps
steps=$tests/guest_steps
A=/models/alpha.gguf
export TAFFRAIL_STATE=$state

# 1. One line when it waits, one when that is over; the guest's own output is as ever.
fresh
rm -f seen
raw run timeout -s KILL 100 "$bin" run --set cadence.on_violation=wait --set cadence.same_model=7s -- \
	"$steps" load=$A free load=$A until=seen &
await 60 grep -q 'waits no longer' run.err
touch seen
wait $!
check wait status "exit 0" "$(cat run.status)"
check wait output "load $A: ok free load $A: ok" "$(xargs <run.out)"
check wait "who waits, why, how long still" 1 \
	"$(grep -cE '^taffrail: guest_steps \(pid [0-9]+\) waits because of cadence\.same_model: .* of 7\.0s.*; [0-9].* left$' run.err)"
# What has passed and what is left make up what is asked for, whenever the line was shown.
check wait "both from one moment" 7 "$(sed -n 's/^taffrail: .* waits because of cadence\.same_model: \([0-9.]*\)s of 7\.0s, .*; \([0-9.]*\)s left$/\1 \2/p' run.err | awk '{ printf "%.0f", $1 + $2 }')"
check wait "no left-over of the record's text" 0 "$(grep -c 'waits because.*passes in' run.err)"
check wait "that it is over" 1 \
	"$(grep -cE '^taffrail: guest_steps \(pid [0-9]+\) waits no longer because of cadence\.same_model, after about [0-9]' run.err)"
check wait "the last line tells of it" 1 \
	"$(grep -cE 'was held 1 time by the policy: cadence\.same_model, ' run.err)"
check wait "a wait that is over has no time left" 0 "$(grep 'was held' run.err | grep -c 'passes in')"

# 2. report says so while it waits, and when it was ended in the middle of that.
fresh
"$bin" run --set cadence.on_violation=wait --set cadence.same_model=50s -- \
	"$steps" load=$A free load=$A >run.out 2>run.err &
runner=$!
waits() {
	"$bin" report --last >report.out 2>&1
	grep -q "running, waiting because of cadence.same_model: .* of 50\.0s.*; for " report.out
}
await 60 waits
check report "while it waits" 1 "$(grep -c 'running, waiting because of cadence.same_model' report.out)"
await 60 grep -q 'waits because of cadence.same_model' run.err
kill -TERM "$runner"
wait "$runner"
"$bin" report --last >report.out
check report "ended in the middle" 1 \
	"$(grep -c 'ended by SIGTERM while it waited because of cadence.same_model: .*; for ' report.out)"
check report "nobody waits on" 0 "$(grep -c 'waits no longer' run.err)"

tally 11
