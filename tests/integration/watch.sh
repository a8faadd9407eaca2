#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# watch.sh -- what hangs, seen from outside: `taffrail watch`, `taffrail orphans`, `run` itself.
# shellcheck disable=SC2154 # lib.sh sets them
bin=${TAFFRAIL:?the path of the taffrail binary}
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_watched
guest=$tests/guest_watched
export TAFFRAIL_STATE=$state

# A guest of this test alone, in the background; $pid.
hangs() { # WORD...
	fresh
	rm -f ready
	FAKE_HANG_AT=3 LD_PRELOAD=$shim timeout -s KILL 200 "$guest" load infer=1 "$@" ready=ready hang \
		>/dev/null 2>&1 &
	timer=$!
	await 60 test -e ready
	pid=$(ps -o pid= --ppid $timer | tr -d ' ')
}

stalled() { # OPTION...: until a look sees it
	"$bin" watch --once --set watch.orphan_after=1s "$@" >watch.out 2>watch.err
	[ $? -eq 1 ]
}

# 1. A call that hangs is told; what lives on is not touched by log and stack.
hangs
check young status 0 "$("$bin" watch --once >watch.out 2>&1; echo $?)"
check young text "1 guest, nothing stalled" "$(cat watch.out)"
await 60 stalled
check log "one line" 1 "$(grep -c "guest_watched (pid $pid) has been in llama_decode on tiny .*watch.orphan_after 1.0s" watch.out)"
check log "no captures" "" "$(ls "$state/stacks" 2>/dev/null)"
stalled --json
check json event "stalled $pid llama_decode tiny watch.orphan_after" \
	"$(jq -r '"\(.event) \(.pid) \(.call) \(.model) \(.rule)"' watch.out)"
stalled --set watch.action=stack
file=$(ls "$state"/stacks/*.txt)
check stack "a thread" 1 "$(grep -c "^== thread $pid guest_watched" "$file")"
check stack "its system call" 1 "$(grep -c '^syscall: [0-9-]' "$file")"
check stack "the maps" 1 "$(grep -c '^== maps' "$file")"
check stack "the engine in them" yes "$(grep -q libfake_llama "$file" && echo yes)"
check stack "nobody else's to read" 600 "$(stat -c %a "$file")"
check stack "the guest lives" yes "$(kill -0 "$pid" && echo yes)"
has stack "a note" '.ev == "note" and .class == "stalled" and .pid_of_guest == '"$pid"

# 2. orphans says the same by the crumbs, and names a pid only while it is that process.
check orphans "not yet" 0 "$("$bin" orphans >orphans.out; echo $?)"
check orphans "in words" "no orphans: 1 under way, none without progress for 1m 30s" "$(cat orphans.out)"
check orphans status 1 "$("$bin" orphans --after 1s >orphans.out; echo $?)"
check orphans "what to end" 1 "$(grep -c "infer llama_decode on tiny, .*to end it: kill $pid\$" orphans.out)"
check orphans json "$pid true infer" \
	"$("$bin" orphans --after 1s --json | jq -r '.live_orphans[] | "\(.pid) \(.is_sure) \(.kind)"')"

# 3. observe only tells.
stalled --set mode=observe --set watch.action=kill
check observe "the guest lives" yes "$(kill -0 "$pid" && echo yes)"
has observe "a would" '.ev == "would" and .rule == "watch.orphan_after"'

# 4. terminate: SIGTERM, and --once ends when it has.
stalled --set watch.action=terminate
check terminate "three lines" "stalled terminated ended" \
	"$(sed 's/.* has been in .*/stalled/; s/.* was sent SIGTERM$/terminated/; s/.* has ended$/ended/' watch.out | xargs)"
wait $timer
check terminate "lost, not live" 0 "$("$bin" orphans --after 1s >orphans.out; echo $?)"
check terminate "in words" "none of them is still there" "$(tail -n 1 orphans.out)"
check terminate "told as gone" 1 "$(grep -c "(pid $pid, gone)" orphans.out)"
check terminate "no pid to end" 0 "$(grep -c "to end it" orphans.out)"

# 5. A deaf one: TERM leaves it alive, KILL after the deadline does not.
hangs deaf
await 60 stalled
stalled --set watch.action=terminate --set watch.deadline=200ms
check deaf "lives on" 1 "$(grep -c 'lives on .* after SIGTERM; watch.action=kill would end it' watch.out)"
check deaf "the guest lives" yes "$(kill -0 "$pid" && echo yes)"
stalled --set watch.action=kill --set watch.deadline=200ms
check deaf killed 1 "$(grep -c 'was sent SIGKILL$' watch.out)"
wait $timer
check deaf gone no "$(kill -0 "$pid" 2>/dev/null || echo no)"

# 6. A pid that is another process now gets nothing: the session says another start.
sleep 60 &
stranger=$!
for f in "$state"/crumbs/*-"$pid"-*.jsonl; do
	mv "$f" "$(sed "s/-$pid-/-$stranger-/" <<<"$f")"
done
check reused status 0 "$("$bin" watch --once --set watch.orphan_after=1s --set watch.action=kill >watch.out; echo $?)"
check reused "the stranger lives" yes "$(kill -0 $stranger && echo yes)"
kill $stranger

# 7. A wait that a rule asks for is no hang.
fresh
LD_PRELOAD=$shim TAFFRAIL_SET="cadence.on_violation=wait;cadence.same_model=1h;cadence.max_wait=1h" \
	timeout -s KILL 100 "$guest" load load >guest.out 2>&1 &
timer=$!
held() {
	[ "$(count '.ev == "hold" and .ph == "begin"')" -gt 0 ]
}
await 60 held
sleep 1.3
check held status 0 "$("$bin" watch --once --set watch.load_after=1s --set watch.orphan_after=1s >watch.out; echo $?)"
check held "no orphan" 0 "$("$bin" orphans --after 1s >orphans.out; echo $?)"
kill "$(ps -o pid= --ppid $timer | tr -d ' ')"
wait $timer

# 8. metal-guard's log: both forms, its place, a file that is not there.
mkdir -p "$work/.harper/logs"
old=$(date -d '-10 minutes' '+%Y-%m-%d %H:%M:%S')
printf '[%s] SUBPROCESS_WORKER: m ready, pid=%s\n[%s] SUBPROC_PRE: m | ctx=1\n' "$old" $$ "$old" \
	>"$work/.harper/logs/metal_breadcrumb.log"
fresh
up=$(cut -d. -f1 /proc/uptime)
if [ "$up" -gt 700 ]; then
	check metal-guard status 1 "$("$bin" orphans >orphans.out; echo $?)"
	check metal-guard "for display only" 1 "$(grep -c "metal-guard: m, .* pid $$, which may be another process now" orphans.out)"
else
	check metal-guard "older than the boot" 0 "$("$bin" orphans >orphans.out; echo $?)"
fi
check metal-guard "not there" 70 "$("$bin" orphans --metal-guard nowhere.log >orphans.out 2>&1; echo $?)"
check metal-guard "one line" 1 "$(grep -c '^taffrail: orphans: nowhere.log cannot be read' orphans.out)"
# Nothing of it: said, and the crumbs alone decide. Empty, or with other lines of its own: nothing is said.
printf 'Nov 25 10:00:00 host kernel: fine\n[notes] SUBPROC_PRE: m\n' >other.log
"$bin" orphans --metal-guard other.log >orphans.out 2>orphans.err
check metal-guard "another file" "0 no orphans" "$? $(cat orphans.out)"
check metal-guard "another file: said" 1 "$(grep -c '^taffrail: orphans: other.log: nothing in it is of metal-guard; ' orphans.err)"
: >empty.log
printf '[2026-11-25 10:00:00] LOAD_DONE: m\n' >some.log
check metal-guard "its own" "" "$("$bin" orphans --metal-guard empty.log 2>&1 >/dev/null; "$bin" orphans --metal-guard some.log 2>&1 >/dev/null)"
rm -rf "$work/.harper"

# 9. `run` looks after its own: a hang is told, and by policy ended.
fresh
FAKE_HANG_AT=3 timeout -s KILL 100 "$bin" run --set watch.orphan_after=1s --set watch.action=kill \
	--set watch.deadline=300ms -- "$guest" load infer=1 deaf hang >run.out 2>run.err
check run "its status" 137 $?
check run "it says" "stalled SIGTERM SIGKILL" \
	"$(sed -n 's/.* has been in .*/stalled/p; s/.* was sent \(SIG[A-Z]*\)$/\1/p' run.err | xargs)"

# 10. A guest that watches itself, with nobody outside: told, captured, ended.
alone() { # CASE SETTINGS WORD...
	local case=$1 set=$2
	shift 2
	with_shim FAKE_HANG_AT=3 TAFFRAIL_SET="watch.in_process=on;watch.orphan_after=1s;$set" \
		timeout -s KILL 100 "$guest" load infer=1 "$@" hang
	has "$case" "the stall" '.ev == "note" and .class == "stalled" and .rule == "watch.orphan_after" and .call == "llama_decode"'
}
alone in_process watch.action=terminate
check in_process status "signal 15" "$(sed 's/exit 143/signal 15/' shim.status)"
check in_process "a capture" 1 "$(grep -l '^== thread' "$state"/stacks/*.txt | wc -l)"
has in_process "what it sent" '.ev == "signal" and .call == "SIGTERM" and .rule == "watch.action"'
alone "in_process, deaf" "watch.action=kill;watch.deadline=200ms" deaf
check "in_process, deaf" status "signal 9" "$(sed 's/exit 137/signal 9/' shim.status)"
# It stays after all, where the program to become is not there.
FAKE_SYNC_MS=700 alone "in_process, exec failed" "watch.action=terminate;drain.at_exit=on" exec
check "in_process, exec failed" status "signal 15" "$(sed 's/exit 143/signal 15/' shim.status)"
# Off, there is one thread.
threads() { # SETTINGS
	fresh
	rm -f ready
	LD_PRELOAD=$shim TAFFRAIL_SET=$1 "$guest" load infer=1 ready=ready sleep >/dev/null 2>&1 &
	await 60 test -e ready
	find "/proc/$!/task" -mindepth 1 -maxdepth 1 | wc -l
	kill $!
	wait $! 2>/dev/null
}
check threads off 1 "$(threads mode=enforce)"
check threads on 2 "$(threads watch.in_process=on)"

# 11. drain.every: no thread; before the next generation, when it has been so long.
with_shim TAFFRAIL_SET="drain.every=1ms;drain.idle_ms=5ms" "$guest" load infer=3
# Not necessarily the first one: its context has just been made.
check drain.every drains yes \
	"$([ "$(count '.ev == "drain" and .ph == "begin" and .rule == "drain.every"')" -ge 2 ] && echo yes)"
with_shim TAFFRAIL_SET="drain.every=1h;drain.idle_ms=5ms" "$guest" load infer=3
check drain.every "none so soon" 0 "$(count '.ev == "drain" and .ph == "begin" and .rule == "drain.every"')"

# 12. Wrong arguments; a state that is not there.
check usage interval 64 "$("$bin" watch --interval 5 2>/dev/null; echo $?)"
check usage after 64 "$("$bin" orphans --after soon 2>/dev/null; echo $?)"
# A file of rules would be kept compiled beside the state.
echo '{"version": 1, "watch": {"action": "log"}}' >policy.json
for verb in "watch --once" orphans report log events gate hold breaker "explain --model a"; do
	# shellcheck disable=SC2086 # words
	check empty "$verb" 64 "$(TAFFRAIL_POLICY=$work/policy.json "$bin" $verb --state "$work/none/x" 2>look.err >look.out; echo $?)"
	grep -q -- "--state .*/none/x: No such file" look.err && pass || fail "empty $verb: $(cat look.err)"
	# shellcheck disable=SC2086
	TAFFRAIL_POLICY=$work/policy.json TAFFRAIL_STATE=$work/none "$bin" $verb >look.out 2>&1
	check empty "$verb makes nothing" no "$(test -e "$work/none" || echo no)"
done
TAFFRAIL_POLICY=$work/policy.json TAFFRAIL_STATE=$work/none "$bin" lock >look.out 2>&1
check empty "lock makes nothing" no "$(test -e "$work/none" || echo no)"
# Of root the place does not depend on HOME.
nobody() {
	if [ "$(id -u)" != 0 ]; then
		"$@"
	else
		perl -e '$) = "65534 65534"; $( = 65534; ($<, $>) = (65534, 65534); exec @ARGV or exit 127' "$@"
	fi
}
for verb in "watch --once" orphans; do
	nobody "$bin" --version >/dev/null 2>&1 || continue
	# shellcheck disable=SC2086
	nobody env -u HOME -u XDG_STATE_HOME -u XDG_RUNTIME_DIR -u TAFFRAIL_STATE "$bin" $verb >look.out 2>look.err
	check homeless "$verb" 70 $?
	grep -q "set HOME or TAFFRAIL_STATE" look.err && pass || fail "homeless $verb: $(cat look.err)"
done
for verb in watch orphans gate ack lock; do
	"$bin" $verb extra 2>look.err
	check words "$verb" 64 $?
	grep -q 'unexpected word "extra"' look.err && pass || fail "words $verb: $(cat look.err)"
done

tally 54
