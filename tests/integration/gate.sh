#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gate.sh -- what happened before holds GPU work: through the command, as a user sees it.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?the source folder}/tests/integration/lib.sh"

bin=$BUILD/taffrail
export TAFFRAIL_STATE=$state
root=$work/root # the machine whose evidence is read
export TAFFRAIL_EVIDENCE_ROOT=$root
reports=$root/Library/Logs/DiagnosticReports

eq() { # NAME WANTED GOT
	if [ "$2" = "$3" ]; then
		pass
	else
		fail "$1: wanted '$2', got '$3'"
	fi
}

shows() { # NAME PATTERN FILE
	if grep -qE "$2" "$3"; then
		pass
	else
		fail "$1: no '$2' in: $(cat "$3")"
	fi
}

# A report of macOS: panicked that many seconds ago. Without the id of its boot: what
# happened in an earlier boot is never younger than this one.
panic() { # AGE NUMBER
	mkdir -p "$reports"
	printf 'panic(cpu 3 caller 0x1): "completeMemory() prepare count underflow" @IOGPUMemory.cpp:550\nCalendar: 0x%x 0x0\nPanicked task 0x1: 1 pages, 1 threads: pid %d: python3\n' \
		$(($(date +%s) - $1)) $((1000 + $2)) >"$reports/panic-full-$2.panic"
}

nothing() {
	# What is waited for must be of this run, not of the one before.
	rm -rf "$state" "$root" run.err run.out
	install -d -m 700 "$root" "$state"
}

gate() { # STATUS REASON [OPTION...]
	local wanted=$1 reason=$2 status
	shift 2
	"$bin" gate --json "$@" >gate.out 2>gate.err
	status=$?
	eq "gate $* status" "$wanted" $status
	eq "gate $* reason" "$reason" "$(jq -r .reason gate.out)"
}

empty() {
	nothing
	gate 0 none
	eq verdict go "$(jq -r .verdict gate.out)"
	eq keys 'verdict reason until panics_24h panics_72h suspected_24h aborts_24h rule class device breaker_open blind' \
		"$(jq -r 'keys_unsorted | join(" ")' gate.out)"
	rm -rf "$state"
	gate 0 none
	[ ! -e "$state" ] && pass || fail "gate made $state for nothing"
	eq "quiet" "" "$("$bin" gate --quiet 2>&1)"
	"$bin" gate --no-such >/dev/null 2>gate.err
	eq "wrong option" 64 $?
	shows "wrong option" '^taffrail: gate: there is no option "--no-such"' gate.err
}

staircase() {
	nothing
	panic 1800 1
	gate 75 cooldown
	eq "panics" "1 1" "$(jq -r '"\(.panics_24h) \(.panics_72h)"' gate.out)"
	eq "rule" cooldown.stage1 "$(jq -r .rule gate.out)"
	"$bin" gate >says.out 2>/dev/null
	shows "what happened" '^held: cooldown: 1 panic in 24 h, 1 in 72 h; the last: iogpu_prepare_count_underflow 30m [0-9]+s ago$' says.out
	shows "until when" '^until 20[0-9-]+T[0-9:]+Z, in 1h [23][0-9]m$' says.out
	shows "what to do" '^to do: ' says.out
	# The copy that macOS makes is the same panic.
	mkdir -p "$reports/Retired"
	cp "$reports/panic-full-1.panic" "$reports/Retired/other.panic"
	gate 75 cooldown
	"$bin" ack >says.out
	shows "what still holds" '^still held: cooldown' says.out
	panic 7200 2
	panic 9000 3
	gate 0 ack
	"$bin" ack --clear >/dev/null
	gate 75 lockout
	eq "no end in sight" null "$(jq -r .until gate.out)"
	"$bin" ack >/dev/null
	gate 0 ack
	panic -1 4 # after the acknowledgement
	gate 75 lockout
	gate 0 kill_switch --set cooldown.mode=off
	eq "counted all the same" 4 "$(jq .panics_24h gate.out)"
	eq "events" 4 "$("$bin" events --json | jq '.events | length')"
	eq "since" 2 "$("$bin" events --since 1h --json | jq '.events | length')"
	"$bin" events >says.out
	shows "event" '^20[0-9-]+T[0-9:]+Z  panic +iogpu_prepare_count_underflow \(pid 1003\); told by panic_file$' says.out
}

breaker() {
	nothing
	"$bin" breaker >says.out
	eq "closed" 0 $?
	shows "closed" '^closed: 0 of 2 ' says.out
	panic 60 1
	panic 120 2
	"$bin" breaker --json >says.out
	eq "open" 75 $?
	eq "open" "true 2" "$(jq -r '"\(.open) \(.panics)"' says.out)"
	"$bin" run --set cooldown.mode=off --set breaker.on_open=refuse -- true 2>run.err
	eq "run refuses" 75 $?
	shows "run names the rule" '^taffrail: true is not started: breaker.threshold: 2 of 2, .*passes in ' run.err
	"$bin" breaker --clear >says.out
	eq "cleared" 0 $?
	"$bin" run --set cooldown.mode=off --set breaker.on_open=refuse -- true 2>run.err
	eq "run goes" 0 $?
}

by_hand() {
	nothing
	"$bin" hold >says.out
	eq "no hold" "0 no hold by hand" "$? $(cat says.out)"
	"$bin" hold --for 2h --why 'the "fan" is loud' >/dev/null
	eq "set" 0 $?
	"$bin" hold --json >says.out
	eq "there" 75 $?
	eq "why" 'the "fan" is loud' "$(jq -r .why says.out)"
	gate 75 sentinel
	"$bin" run -- sh -c 'echo ran' >run.out 2>run.err
	eq "the built-in policy warns" "0 ran" "$? $(cat run.out)"
	shows "and says it" '^taffrail: sh is started all the same: .*the "fan" is loud' run.err
	"$bin" run --set mode=observe --set cooldown.on_hold=refuse -- true
	eq "observe acts on nothing" 0 $?
	TAFFRAIL=off "$bin" run --set cooldown.on_hold=refuse -- true
	eq "off is off" 0 $?
	for word in refuse exit; do
		"$bin" run --set cooldown.on_hold=$word -- sh -c 'echo ran' >run.out 2>run.err
		eq "$word" 75 $?
		eq "$word does not start it" "" "$(cat run.out)"
		eq "$word says it in one line" 1 "$(grep -c 'is not started' run.err)"
	done
	"$bin" run --set cooldown.on_hold=wait --set cooldown.max_wait=200ms -- true 2>run.err
	eq "a wait that is over" 75 $?
	shows "it says for what it waited" '^taffrail: waiting to start true: .*passes in ' run.err
	for wrong in '--for x' '--for 31d' '--for 0s' '--for 1h --clear' '--why x'; do
		# shellcheck disable=SC2086 # words
		"$bin" hold $wrong >/dev/null 2>&1
		eq "hold $wrong" 64 $?
	done
}

# Somebody lifts it while a run waits: it goes on without anybody's help.
refusals() { # of starts, in the log: of which program
	crumbs | jq -r 'select(.ev == "start" and .role == "run").exe | split("/") | last' | xargs
}

# A service manager that starts it again each second leaves one record an hour of a refusal.
again() {
	local n refused=(env TAFFRAIL_JOURNAL_SOCKET=/nowhere "$bin" run --set cooldown.on_hold=refuse)
	nothing
	plain_guests guest_steps
	"$bin" hold --for 2h >/dev/null
	for n in 1 2 3; do
		"${refused[@]}" -- true 2>run.err
		eq "again, status $n" 75 $?
		shows "again, said each time" 'true is not started: cooldown' run.err
		"${refused[@]}" -- ls 2>run.err
	done
	eq "again, of each program" "true ls" "$(refusals)"
	"${refused[@]}" --label other -- ls 2>run.err
	eq "again, another label" "true ls ls" "$(refusals)"
	touch -d "2 hours ago" "$state"/crumbs/*.jsonl
	"${refused[@]}" -- true 2>run.err
	eq "again, an hour later" "true ls ls true" "$(refusals)"
	"$bin" run -- "$tests/guest_steps" load=/models/a.gguf >run.out 2>&1
	"${refused[@]}" -- true 2>run.err
	"${refused[@]}" -- true 2>run.err
	eq "again, behind another run" 5 "$(crumbs | jq -r 'select(.ev == "refuse" and .rule != null).rule' | grep -c '^cooldown')"
}

live() { # COMMAND THAT LIFTS
	nothing
	"$bin" hold --for 2h >/dev/null
	"$bin" run --set cooldown.on_hold=wait --set cooldown.max_wait=60s -- sh -c 'echo ran' >run.out 2>run.err &
	local run=$!
	until grep -q 'waiting to start' run.err 2>/dev/null; do
		kill -0 $run || break
	done
	"$bin" "$@" >/dev/null
	wait $run
	eq "$* lets it go on" "0 ran" "$? $(cat run.out)"
}

stopped() {
	nothing
	"$bin" hold --for 2h >/dev/null
	"$bin" run --set cooldown.on_hold=wait -- true 2>run.err &
	local run=$!
	until grep -q 'waiting to start' run.err 2>/dev/null; do
		kill -0 $run || break
	done
	kill -TERM $run
	wait $run
	eq "a signal ends the wait" 143 $?
}

# The hold of metal-guard, where it is asked for.
other_guard() {
	nothing
	mkdir -p .cache/metal-guard
	date -d '+1 hour' '+{"cooldown_until": "%Y-%m-%dT%H:%M:%S", "created_at": "x"}' \
		>.cache/metal-guard/panic-sentinel.json
	gate 0 none
	gate 75 sentinel --set lock.also=metal-guard
	"$bin" run --set lock.also=metal-guard --set cooldown.on_hold=refuse -- true 2>run.err
	eq "run" 75 $?
	shows "run names it" 'lock.also: sentinel: metal-guard holds' run.err
	echo '[]' >.cache/metal-guard/panic-sentinel.json
	gate 0 none --set lock.also=metal-guard
	shows "told" 'panic-sentinel.json: ignored' gate.err
	rm -r .cache
}

blind() {
	nothing
	# What nobody can read, root neither.
	mkdir -p "$root/dev/kmsg"
	gate 0 none
	eq "not clean" true "$(jq '.blind | length > 0' gate.out)"
	eq "one line" 1 "$(grep -c '^taffrail: gate: blind: ' gate.err)"
	gate 69 none --strict
	eq "verdict" blind "$(jq -r .verdict gate.out)"
	gate 69 blind --set cooldown.blind=hold
}

broken() {
	nothing
	echo 'taffrail state 2' >"$state/state"
	"$bin" gate >gate.out 2>gate.err
	eq "a newer state" 70 $?
	shows "told" "^taffrail: $state/state: it was written by a newer taffrail" gate.err
	eq "left alone" 'taffrail state 2' "$(cat "$state/state")"
	"$bin" ack 2>gate.err
	eq "ack" 70 $?
	nothing
	panic 1800 1
	gate 75 cooldown
	printf 'rubbish\n' >>"$state/state"
	"$bin" gate >gate.out 2>gate.err
	eq "damage does not open it" 75 $?
	ls "$state"/state.damaged-* >/dev/null 2>&1 && pass || fail "the damaged state was not kept"
}

# One byte of a hold, or the whole file: what is lost opens no gate in silence.
lost() { # HOW
	nothing
	"$bin" hold --for 2h --why 'the fan is loud' >/dev/null
	case $1 in
	byte) sed -i 's/fan is loud/fan is load/' "$state/state" ;;
	empty) : >"$state/state" ;;
	cut) sed -i '/^hold/,$d' "$state/state" ;;
	esac
	"$bin" run -- true 2>run.err
	eq "$1: told once" 1 "$(grep -c 'a hold by hand may be lost' run.err)"
	shows "$1: where, what, and what to do" "^taffrail: $state/state:[0-9]+: .*taffrail ack.*kept as $state/state.damaged-[0-9]+$" run.err
	for verb in gate hold events breaker 'run -- true'; do
		# shellcheck disable=SC2086 # words
		"$bin" $verb >says.out 2>gate.err
		eq "$1: $verb says it" 1 "$(grep -c '^taffrail: the state was damaged (see state.damaged-' gate.err)"
	done
	gate 69 none --strict
	eq "$1: named" state "$(jq -r '.blind[-1].source' gate.out)"
	gate 69 blind --set cooldown.blind=hold
	"$bin" run --set cooldown.blind=hold --set cooldown.on_hold=refuse -- true 2>run.err
	eq "$1: run is held" 75 $?
	if [ "$1" = byte ]; then
		"$bin" ack >/dev/null 2>&1
	else
		"$bin" hold --clear >/dev/null 2>&1
	fi
	gate 0 none --set cooldown.blind=hold
	eq "$1: over" '' "$(cat gate.err)"
}

# The built-in rules are named where a file could not be used.
instead() {
	nothing
	for verb in gate hold lock; do
		"$bin" $verb --policy nosuch.json >/dev/null 2>gate.err
		eq "$verb: the mistake" 1 "$(grep -c 'there is no such file' gate.err)"
		eq "$verb: what is in force" 1 "$(grep -c 'the built-in policy is in force instead' gate.err)"
	done
	echo '{' >broken.json
	plain_guests guest_steps
	TAFFRAIL_POLICY=$work/broken.json LD_PRELOAD=$shim \
		"$tests/guest_steps" load=/models/a.gguf >/dev/null 2>&1
	eq "record" "built-in $work/broken.json 1" \
		"$(crumbs | jq -r 'select(.ev == "start").policy | "\(.origin) \(.path) \(.bad)"')"
	"$bin" report --json >says.out
	eq "report --json" "built-in $work/broken.json 1" \
		"$(jq -r '.. | .policy? // empty | "\(.origin) \(.path) \(.bad)"' says.out | head -n 1)"
	"$bin" report >says.out
	shows "report" "built-in: $work/broken.json could not be used" says.out
}

# What hold says is what the gate does.
agrees() {
	nothing
	"$bin" hold --for 30m >/dev/null
	gate 75 sentinel
	"$bin" ack >/dev/null
	gate 0 none
	eq "the hold is over, too" "no hold by hand: taffrail ack ended it" "$("$bin" hold)"
	"$bin" hold >/dev/null
	eq "and its status says so" 0 $?
	"$bin" hold --for 30m --why fan >/dev/null
	"$bin" gate >says.out
	shows "by hand" '^held: held by hand: fan; taffrail hold --clear$' says.out
}

# A guest that crashes, again and again.
storm() {
	local i
	nothing
	plain_guests guest_exit
	# shellcheck disable=SC2034 # counted only
	for i in 1 2 3; do
		raw guest "$bin" run -- "$tests/guest_exit" abort
	done
	gate 75 aborts
	"$bin" gate >says.out 2>/dev/null
	shows "its window" '^held: aborts: 3 crashes within aborts.window \(' says.out
	eq "crashes are no panics" "0 3" "$(jq -r '"\(.panics_72h) \(.aborts_24h)"' gate.out)"
	"$bin" ack >/dev/null
	gate 0 none
}

# The same with a call that failed in each: what a wrong request is told is no crash, nor is
# what a program has lived with until it left with status 0.
answers() { # RC EXIT STATUS REASON
	local i
	nothing
	plain_guests guest_steps
	# shellcheck disable=SC2034 # counted only
	for i in 1 2 3; do
		FAKE_DECODE_RC=$1 LD_PRELOAD=$shim "$tests/guest_steps" load=/models/a.gguf infer=1 "exit=$2" >/dev/null
	done
	has "rc $1" "the error" ".ev == \"error\" and .rc == $1"
	gate "$3" "$4"
}

# A guest that ends by SIGTERM where the test wants it; then the machine is started again.
ended_by_term() { # INSIDE WORD...
	local inside=$1 guest
	shift
	nothing
	plain_guests guest_steps
	FAKE_HANG_AT=$((4 - 3 * inside)) LD_PRELOAD=$shim "$tests/guest_steps" "$@" >guest.out &
	guest=$!
	# Its generation, and what the mark says then.
	until [ "$(count ".ev == \"infer\" and .inside == $inside")" -gt 0 ] &&
		[ "$(count '.ev == "infer" and .ph == "begin"')" -gt 0 ] &&
		{ [ "$inside" = 1 ] || grep -q 'infer: 3 of 3' guest.out; }; do
		kill -0 $guest || break
	done
	kill -TERM $guest
	wait $guest
	eq "ended" 143 $?
	eq "one mark" "$inside" "$(crumbs | jq -r 'select(has("inside")).inside')"
	has "$1" "no end" '.ev == "infer" and .ph == "begin"'
	has_not "$1" "an end" '.ev == "infer" and .ph == "end"'
}

# Runs COMMAND in what looks like the next boot of this machine.
next_boot() { # COMMAND...
	cat /proc/sys/kernel/random/uuid >boot_id
	unshare -m -r sh -c 'mount --bind boot_id /proc/sys/kernel/random/boot_id && exec "$@"' sh "$@"
}

surmises() {
	"$bin" events --json 2>/dev/null | jq '[.events[] | select(.class == "dirty_boot")] | length'
}

reboots() {
	if ! next_boot true 2>/dev/null; then
		untried 10 "reboots: the boot id cannot be replaced (unshare -m -r)"
		return
	fi
	# What it notes, and not for how long that holds: the boot that looks is as old as
	# the real one, and what came before is no younger.
	ended_by_term 0 load=/models/a.gguf infer=3 wait=60000
	next_boot "$bin" gate --quiet 2>/dev/null
	eq "an idle server is no suspect" 0 "$(surmises)"
	ended_by_term 1 load=/models/a.gguf infer=1
	next_boot "$bin" gate --quiet 2>/dev/null
	eq "one in the middle is" 1 "$(surmises)"
}

empty
staircase
breaker
by_hand
again
live ack
live hold --clear
stopped
other_guard
blind
broken
lost byte
lost empty
lost cut
agrees
instead
storm
answers -1 1 0 none
answers -3 1 75 aborts
answers -3 0 0 none
reboots
tally 110
