#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# router.sh -- llama-server as a router: one process a model, started when it is asked for.
#
# The router uses no engine and leaves no log. Its children are members of its run: each
# has a log of its own, and they share the lock with each other, not with strangers.
#
# time-limit: 300
. "${SRC:?}/tests/engines/server/lib.sh"

serve env -- --models-dir models
ask --clients 2 tiny other >plain.out
kill -TERM $runner
await_runner
plain_ended=$ended
check plain "answers" 4 "$(grep -c '\[[0-9, ]*\]$' plain.out)"

fresh
serve "$taffrail" run --set lock.on_conflict=refuse -- --models-dir models
ask --clients 2 tiny other >guarded.out
# A stranger, meanwhile.
raw stranger "$taffrail" run --set lock.on_conflict=refuse -- "${calls[@]}" tiny.gguf
check router "a stranger is refused" "exit 75" "$(cat stranger.status)"
kill -TERM "$(pgrep -P $runner)"
await_runner
check router "how it ended" "$plain_ended" "$ended"
check router "answers" "$(cat plain.out)" "$(cat guarded.out)"
check_whole router
children='select(.role == "guest" and (.argv | index("--alias")))'
check router "one child a model" "other tiny" "$(records | jq -rs "[.[] | $children | .hint] | sort | join(\" \")")"
check router "their profile and role" "llama-server-child worker" \
	"$(records | jq -rs "[.[] | $children | \"\(.profile) \(.guess)\"] | unique | join(\",\")")"
check router "members of one run" 1 "$(records | jq -rs "[.[] | $children | .run] | unique | length")"
check router "children that were refused" 0 "$(records | jq -s "([.[] | $children | .pid]) as \$c |
	map(select(.ev == \"refuse\" and (.pid | IN(\$c[])))) | length")"
check router "logs of the router itself" 0 "$(records | jq -s 'map(select(.role == "guest" and (.argv | index("--models-dir")))) | length')"
check router "generations of both" "other tiny" \
	"$(records | jq -rs '[.[] | select(.ev == "infer" and .ph == "end" and .tokens >= 16) | .model] | unique | join(" ")')"
check router "how the children ended" "clean clean" "$("$taffrail" report --all --json | jq -r \
	'[.sessions[] | select(.engines | length > 0) | select(.argv | index("--alias")) | .verdict] | join(" ")')"
tally 12
