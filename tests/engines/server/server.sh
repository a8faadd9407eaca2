#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# server.sh -- an unmodified llama-server: its answers, its log, and under a policy that waits.
#
# It loads its model twice, the first time to see what fits (--fit, on by default).
# That is no load: a policy with times between loads must not make it wait for itself.
#
# time-limit: 300
. "${SRC:?}/tests/engines/server/lib.sh"

serve env -- -m tiny.gguf --alias nice
ask --clients 3 >plain.out
kill -TERM $runner
await_runner
plain_ended=$ended
check plain "answers" 3 "$(grep -c '\[[0-9, ]*\]$' plain.out)"

# A machine that stands still in a generation does not end it.
fresh
serve "$taffrail" run --set drain.idle_ms=10m -- -m tiny.gguf --alias nice
ask --clients 3 >guarded.out
until_true has_records 1 '.ev == "infer" and .ph == "begin"'
guest=$(guest_pid)
kill -TERM "$guest"
await_runner
check server "how it ended" "$plain_ended" "$ended"
check server "answers" "$(cat plain.out)" "$(cat guarded.out)"
check server "a word of run itself" "" "$(grep '^taffrail: ' bg.err)"
check_whole server
check server "loads" "0 estimate
0 whole" "$(records | jq -r 'select(.ev == "load" and .ph == "end") | "\(.rc) \(if .msg | startswith("an estimate") then "estimate" else "whole" end)"')"
check server "warnings of times between loads" 0 "$(number_of '(.rule // "") | startswith("cadence.")')"
check server "what argv says" "nice server llama-server 256 2 true" "$(records | jq -r 'select(.role == "guest") |
	"\(.hint) \(.guess) \(.profile) \(.asked.context) \(.asked.parallel) \(.boundaries == "exact")"')"
check server "drained after a generation, as its profile says" true \
	"$(records | jq -s 'map(select(.ev == "drain" and .ph == "end" and .rule == "drain.post_sync" and .rc == 0)) | length >= 1')"
"$taffrail" report --last >text
grep -q '^  profile    llama-server$' text
check server "the profile in the report" 0 $?
grep -q '^  asks for   256 tokens of context, 2 sequences$' text
check server "what it asks for in the report" 0 $?
check server "generations, with all their tokens" true \
	"$(records | jq -s 'map(select(.ev == "infer" and .ph == "end")) | length >= 1 and (map(.tokens) | add) >= 3 * 8')"
check server "requests, as its batches show them" true "$(records | jq -s 'map(select(.ev == "infer" and .ph == "end")) |
	(map(.requests) | add) as $n | $n >= 1 and $n <= 3 and (map(.sequences) | max) <= 2')"
check server "drains" true "$(records | jq -s 'map(select(.ev == "drain" and .ph == "end")) | length >= 1 and all(.rc == 0)')"
check server "the report" "clean tiny llama" \
	"$(report '.[0] | "\(.verdict) \(.model) \(.engines | join(","))"')"

# Times between loads that a test would not live to see, were it made to wait.
fresh
serve "$taffrail" run --set cadence.on_violation=wait --set cadence.same_model=1h --set cadence.max_wait=1d \
	--set drain.settle_after_unload=10m -- -m tiny.gguf
ask >guarded.out
kill -TERM "$(guest_pid)"
await_runner
check waits "how it ended" "$plain_ended" "$ended"
check waits "answers" "$(sed -n 's/^nice/ /; 1p' plain.out)" "$(cat guarded.out)"
check waits "holds" 0 "$(number_of '.ev == "hold"')"

# The second one in that hour is a load, and waits: an estimate must not have been all that is known.
serve "$taffrail" run --set cadence.on_violation=refuse --set cadence.same_model=1h -- -m tiny.gguf
await_runner
check again "it is refused" "exit 1" "$ended"
check again "by the rule" true "$(records | jq -s 'map(select(.ev == "refuse" and .rule == "cadence.same_model")) | length >= 1')"

# Two requests that overlap for sure: each is as long as its sequence.
fresh
serve "$taffrail" run --set drain.idle_ms=10m -- -m tiny.gguf
ask --wait-only
ask --clients 2 --tokens 200 >/dev/null
kill -TERM "$(guest_pid)"
await_runner
check two "requests and sequences" "2 2" "$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end")) |
	"\(map(.requests) | add) \(map(.sequences) | max)"')"
"$taffrail" report --last >text
grep -q 'for 2 requests or more, at most 2 at once$' text
check two "the report" 0 $?

# The profile gives way to everything that somebody wrote.
fresh
echo '{ "drain": { "post_sync": false } }' >policy.json
serve "$taffrail" run --policy policy.json -- -m tiny.gguf
ask >/dev/null
kill -TERM "$(guest_pid)"
await_runner
check file "drains after a generation" 0 "$(number_of '.rule == "drain.post_sync"')"
check file "it is known all the same" llama-server "$(records | jq -r 'select(.role == "guest").profile')"
fresh
TAFFRAIL_SET=recognize=off LD_PRELOAD=$shim serve env -- -m tiny.gguf
ask >/dev/null
kill -TERM $runner
await_runner
check off "drains after a generation" 0 "$(number_of '.rule == "drain.post_sync"')"
check off "no profile" null "$(records | jq -r 'select(.role == "guest").profile')"
tally 27
