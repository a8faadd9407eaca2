#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lock_guests.sh -- the GPU lock inside guests: servers that load one after the other,
# workers of one server, turns, holders that are killed.
#
# Nothing here measures time: a guest is told to go on when the file `go` is there,
# and others wait for what it leaves or for a record in the log.
#
# time-limit: 200
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

if [ -d /run/taffrail ]; then
	echo "this machine has a lock of all its users, /run/taffrail: no test may take it"
	exit 77
fi
plain_guests guest_lock
rule='.rule == "lock.on_conflict"'

begin() {
	fresh
	rm -rf go start up.* inside overlap ./*.out
}

# Another run each time: no TAFFRAIL_RUN is handed on.
guest() { # SETTINGS WAY NAME
	exec env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$1" \
		"$tests/guest_lock" "$2" "$3" >"$3.out"
}

records() { # N CONDITION: at least so many
	[ "$(count "$2")" -ge "$1" ]
}

# ---- one server after the other ----

begin
guest lock.on_conflict=wait hold a &
first=$!
await 60 test -e up.a
pids=()
for name in b c d e f g h; do
	guest lock.on_conflict=wait hold $name &
	pids+=($!)
done
await 60 records 7 ".ev == \"hold\" and .ph == \"begin\" and $rule"
check eight "who is in" "up.a" "$(echo up.*)"
touch go
wait $first
check eight "status of the first" 3 $?
for pid in "${pids[@]}"; do
	wait "$pid"
	check eight status 3 $?
done
[ -e overlap ]
check eight "never two at once" 1 $?
check eight "holds that ended" 7 "$(count ".ev == \"hold\" and .ph == \"end\" and $rule")"
has eight "the holder's name" ".ev == \"hold\" and .ph == \"begin\" and (.msg | test(\"^1 of 1, guest_lock hold a \\\\(pid $first, for \"))"
has_not eight "a refusal" '.ev == "refuse"'

# ---- refused, warned, observed ----

begin
guest "" hold a &
first=$!
await 60 test -e up.a
for way in refuse warn; do
	(guest "lock.on_conflict=$way" load $way)
	check $way status 0 $?
done
(guest "lock.on_conflict=wait;lock.max_wait=300ms" load late)
(guest "lock.on_conflict=refuse;mode=observe" load observe)
(guest "lock.on_conflict=refuse;lock.slots=2" load slots)
check answers "of their loads" "refused loaded refused loaded loaded" \
	"$(cat refuse.out warn.out late.out observe.out slots.out | xargs)"
has refuse "a refusal" ".ev == \"refuse\" and $rule and .model == \"refuse\" and .unit == \"count\" and .need == 1"
has warn "a note" ".ev == \"note\" and $rule and .model == \"warn\""
has late "a refusal" ".ev == \"refuse\" and $rule and .model == \"late\""
has late "its hold" ".ev == \"hold\" and .ph == \"end\" and $rule and .model == \"late\" and .ms >= 300"
has observe "what would have been" ".ev == \"would\" and $rule and .model == \"observe\" and (.msg | test(\"^would refuse: \"))"
has_not slots "an objection" "$rule and .model == \"slots\""
# Killed, it keeps nobody.
guest lock.on_conflict=wait load next &
next=$!
await 60 records 1 ".ev == \"hold\" and .ph == \"begin\" and .model == \"next\""
kill -KILL $first
wait $next
check killed "the next one" "0 loaded" "$? $(cat next.out)"
wait $first 2>/dev/null

# ---- workers of one server ----

begin
guest lock.on_conflict=refuse workers w &
server=$!
await 60 test -e up.workers
check workers "all of them" "4 of 4 workers loaded" "$(cat w.out)"
(guest lock.on_conflict=refuse load outside)
check workers "another server" refused "$(cat outside.out)"
touch go
wait $server
check workers status 3 $?
has_not workers "a worker that was refused" '.ev == "refuse" and .model == "w"'
(guest lock.on_conflict=refuse load outside)
check workers "another server afterwards" loaded "$(cat outside.out)"

# ---- hold = inference ----

inference="lock.hold=inference;lock.on_conflict=wait;drain.idle_ms=20ms"
begin
for name in one two three; do
	guest "$inference" turns $name &
	eval "pid_$name=\$!"
done
await 60 test -e up.one -a -e up.two -a -e up.three
touch start
for name in one two three; do
	pid=pid_$name
	wait "${!pid}"
	check turns "status of $name" 3 $?
	check turns "decodes of $name" "0 failed, synchronized" "$(cat $name.out)"
done
[ -e overlap ]
check turns "never two at once" 1 $?
check turns "decodes that were counted" 450 "$(crumbs | jq -s '[.[] | select(.ev == "infer" and .ph == "end") | .tokens] | add')"
has_not turns "a crumb for each turn" ".ev == \"refuse\" or (.ev == \"hold\" and $rule)"

# Who idles keeps nobody; who holds for its whole run does.
begin
guest "$inference" idle lazy &
lazy=$!
await 60 test -e up.lazy
touch start
(guest "$inference" turns busy)
check idle "the busy one" 3 $?
kill -0 $lazy
check idle "the lazy one lives" 0 $?
guest "" hold whole &
whole=$!
await 60 test -e up.whole
(guest "lock.hold=inference;lock.on_conflict=refuse" turns late)
check idle "a turn is refused" 5 $?
has idle "the refusal" ".ev == \"refuse\" and $rule and .model == \"late\""
# The first part of a wait is quiet, and counts: nothing is left of it here.
(guest "$inference;lock.max_wait=10ms" turns kept)
check idle "a wait that ended" 5 $?
has idle "its refusal" ".ev == \"refuse\" and $rule and .model == \"kept\""
has_not idle "a second wait" ".ev == \"hold\" and .model == \"kept\""
touch go
wait $lazy $whole
check idle "the end" 3 $?

# A decode that was left by an exception or a jump keeps neither its own process nor others.
for way in left left-same; do
	begin
	guest "$inference;lock.max_wait=15s" turns one &
	one=$!
	await 60 test -e up.one
	FAKE_FN_FIRST=1 guest "$inference;lock.max_wait=15s;drain.deadline=100ms" "$way" two &
	two=$!
	await 60 test -e up.two
	touch start
	wait $one
	check $way "status of the other" "3 0 failed, synchronized" "$? $(cat one.out)"
	await 60 test -s two.out
	(guest "$inference;lock.max_wait=15s" turns three)
	check $way "another one, while it only waits" "3 0 failed, synchronized" "$? $(cat three.out)"
	touch go
	wait $two
	check $way "its own status" "3 0 failed" "$? $(cat two.out)"
	[ -e overlap ]
	check $way "never two at once" 1 $?
	has_not $way "a wait that is worth a record" ".ev == \"refuse\" or (.ev == \"hold\" and $rule)"
done

begin
FAKE_FN_FIRST=1 guest "$inference" left-alone alone &
alone=$!
await 60 test -e up.alone
touch start
(guest "$inference;lock.max_wait=200ms" turns other)
check left-alone "status of the other" "3 0 failed, synchronized" "$? $(cat other.out)"
touch go
wait $alone
check left-alone "its own status" 3 $?

# ---- where it cannot work ----

begin
(guest "lock.on_conflict=refuse;lock.scope=path;lock.path=/proc/no/such/lock" load blind)
check blind "nobody is kept" loaded "$(cat blind.out)"
check blind "it is said once" 1 "$(count '.ev == "note" and .rule == "lock.scope"')"

tally 59
