#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lock.sh -- the GPU lock through the command: `run` that waits or is refused, `taffrail
# lock`, and taking it over.
#
# Nothing here measures time. What is waited for is a state that others can see:
# a file that a guest made, a line in `taffrail lock --json`.
#
# time-limit: 200
# Single quotes hold programs for the guests' shells.
# shellcheck disable=SC2016,SC2154 # lib.sh sets work, state
taffrail=${TAFFRAIL:?}
. "${SRC:?}/tests/integration/lib.sh"

if [ -d /run/taffrail ]; then
	echo "this machine has a lock of all its users, /run/taffrail: no test may take it"
	exit 77
fi
export TAFFRAIL_STATE=$state
# A policy file as an operator would write it.
cat >policy.json <<'END'
{ "lock": { "on_conflict": "wait", "max_wait": "60s" } }
END
guard=("$taffrail" run --policy "$work/policy.json")

lock() { # JQ-CONDITION
	"$taffrail" lock --policy policy.json --json | jq -e "$1" >/dev/null
}

is_gone() { # PID
	! kill -0 "$1" 2>/dev/null
}

# A guest that says that it runs, until it is told to end or the file `go` is there.
cat >holder.sh <<'END'
#!/bin/sh
trap 'exit 3' TERM
: >"up.$1"
while [ ! -e go ] && [ -e holder.sh ]; do sleep 0.02; done
rm -f "up.$1"
END
chmod +x holder.sh

# ---- one after the other ----

"${guard[@]}" --label web -- ./holder.sh one &
holder=$!
await 60 test -e up.one
lock '.slots == [.slots[0]] and .slots[0].state == "held" and .slots[0].label == "web"'
check show "the slot" 0 $?
lock ".slots[0].pid == $holder and .slots[0].holders[0].pid == $holder"
check show "who holds it" 0 $?
"$taffrail" lock --policy policy.json >show.txt
check show status 0 $?
grep -q 'slot 1  held by holder.sh one (pid [0-9]*, web, for ' show.txt
check show "line for people" 0 $?

"$taffrail" run --policy policy.json --set lock.on_conflict=refuse -- touch never 2>refused.err
check refuse status 75 $?
check refuse "one line" 1 "$(grep -c '' refused.err)"
grep -q "^taffrail: touch is not started, because lock.on_conflict is refuse and the GPU lock is held by holder.sh one (pid $holder, web, for .*); see: taffrail lock$" refused.err
check refuse line 0 $?
"$taffrail" run --policy policy.json --set lock.max_wait=300ms -- touch never 2>late.err
check max_wait status 75 $?
grep -q 'lock.max_wait is over after' late.err
check max_wait line 0 $?
[ -e never ]
check refuse "the guest was not started" 1 $?
# Both are in the log, and shown. On a busy machine it has waited longer.
span='([3-9][0-9][0-9]ms|[1-9][0-9]*[.][0-9]s)'
recent() { # JQ-FILTER
	"$taffrail" lock --policy policy.json --json | jq -r ".recent | $1"
}
has refuse "the record" '.ev == "refuse" and .call == "run" and .rule == "lock.on_conflict" and .msg == "held by holder.sh one (pid '$holder', web)"'
has max_wait "the wait" '.ev == "hold" and .ph == "end" and .call == "run" and .rule == "lock.on_conflict" and .ms >= 300'
has max_wait "the record" '.ev == "refuse" and .rule == "lock.max_wait" and (.msg | test("^held by holder.sh one \\(pid '$holder', web\\); waited '$span'$"))'
check refuse "what lock shows" "touch refused holder.sh one (pid $holder, web)" "$(recent '.[1] | "\(.exe | sub(".*/"; "")) \(.outcome) \(.held_by)"')"
check max_wait "what lock shows" true "$(recent '.[0] | .outcome == "refused" and .waited_ms >= 300')"
check max_wait "for people" 1 "$("$taffrail" lock --policy policy.json | grep -cE "^20.*Z  touch \(pid [0-9]+\) was refused the GPU lock after $span, held by holder.sh one \(pid $holder, web\)$")"
check max_wait "what report says" 1 "$("$taffrail" report | grep -c 'refused by lock.max_wait, then ended with status 75')"
# The built-in policy waits for nobody.
"$taffrail" run -- true
check builtin status 0 $?

"${guard[@]}" -- ./holder.sh two 2>two.err &
second=$!
await 60 lock '.waiting | length == 1'
check wait "one line on a pipe" 1 "$(grep -c '^taffrail: waiting for the GPU lock, held by holder.sh one (pid .*; .* left$' two.err)"
[ -e up.two ]
check wait "the second one is not started" 1 $?
check wait "what lock shows" "holder.sh" "$("$taffrail" lock --policy policy.json --json | jq -r '.waiting[0].exe | sub(".*/"; "")')"
check wait "what report says" 1 "$("$taffrail" report | grep -c "running, waiting because of lock.on_conflict: held by holder.sh one (pid $holder, web); for ")"
"$taffrail" watch --once >watch.txt
check wait "what watch says" "1 1" "$(grep -cE "Z holder.sh \(pid $second\) has waited .* for the GPU lock, held by holder.sh one \(pid $holder, web\)$" watch.txt) $(grep -c 'for the GPU lock' watch.txt)"
"$taffrail" watch --interval 100ms >watch.txt &
watcher=$!
await 60 grep -q "pid $second) has waited" watch.txt
# Signals act at once on who waits.
for sig in TERM HUP KILL; do
	"${guard[@]}" -- ./holder.sh three 2>/dev/null &
	third=$!
	await 60 lock '.waiting | length == 2'
	kill -$sig $third
	wait $third
	ended=$?
	check "signal $sig" status "$((128 + $(kill -l $sig)))" $ended
	await 60 lock '.waiting | length == 1'
done
check signals "what lock shows" "left left left" "$(recent '[.[].outcome][:3] | join(" ")')"
kill -KILL $holder
wait $holder 2>/dev/null
await 60 test -e up.two
check killed "what lock shows" got "$(recent "map(select(.pid == $second))[0].outcome")"
await 60 grep -qE "pid $second\) waited .* for the GPU lock, held by holder.sh one \(pid $holder, web\), then went on$" watch.txt
kill $watcher
wait $watcher
lock ".slots[0].pid == $second and (.waiting | length) == 0"
check killed "the next one has it" 0 $?

# A nested run is the same run: it does not wait for itself.
touch go
wait $second
rm -f go up.*
timeout 100 "${guard[@]}" -- "$taffrail" run --policy "$work/policy.json" -- sh -c 'exit 7'
check nested status 7 $?
lock '.slots[0].state == "free"'
check free "after all" 0 $?

# --exec only waits: nobody stays to keep it.
"${guard[@]}" --exec -- sh -c 'exit 5'
check exec status 5 $?

# ---- many at once: no two ever run together ----

cat >alone.sh <<'END'
#!/bin/sh
mkdir inside || echo overlap >>overlaps
sleep 0.05
rmdir inside
echo "$1" >>done.log
END
chmod +x alone.sh
for i in 1 2 3 4 5 6 7 8; do
	"${guard[@]}" -- ./alone.sh $i 2>/dev/null &
done
wait
check eight "all had their turn" 8 "$(wc -l <done.log)"
[ -e overlaps ]
check eight "never two at once" 1 $?

# ---- a program that waited before its start tells it with its own story ----

"${guard[@]}" -- ./holder.sh five 2>/dev/null &
holder=$!
await 60 test -e up.five
"${guard[@]}" -- "$tests/guest_steps" load=/models/a.gguf infer=1 >/dev/null 2>&1 &
second=$!
await 60 lock '.waiting | length == 1'
touch go
wait $holder $second
rm -f go up.*
"$taffrail" report >report.txt
check start "in its report" 1 "$(grep -cE '^  start      waited .* for the GPU lock, held by holder.sh five \(pid [0-9]+\), then went on$' report.txt)"
check start json "got holder.sh" "$("$taffrail" report --json | jq -r '.sessions[0].start_wait | "\(.outcome) \(.held_by | split(" ")[0])"')"
# What comes later and uses nothing is told of all the same, while it waits and afterwards.
"${guard[@]}" -- ./holder.sh six 2>/dev/null &
holder=$!
await 60 test -e up.six
"${guard[@]}" -- true 2>/dev/null &
second=$!
await 60 lock '.waiting | length == 1'
"$taffrail" report >report.txt
check later "waiting" 1 "$(grep -cE '^A later start, of .*/true at .*Z, has waited .* for the GPU lock, held by holder.sh six \(pid [0-9]+\)$' report.txt)"
touch go
wait $holder $second
rm -f go up.*
"$taffrail" report >report.txt
check later "afterwards" 1 "$(grep -cE '^A later start, of .*/true at .*Z, waited .* for the GPU lock, held by .*, then went on and has used no engine$' report.txt)"
check later json got "$("$taffrail" report --json | jq -r .held_start.outcome)"

# ---- taking it over ----

"${guard[@]}" -- ./holder.sh four &
holder=$!
await 60 test -e up.four
"${guard[@]}" -- touch after 2>/dev/null &
waiter=$!
await 60 lock '.waiting | length == 1'
"$taffrail" lock --policy policy.json --take --settle 100ms >take.txt
check take status 0 $?
grep -q '^slot 1 was taken from holder.sh four (pid ' take.txt
check take line 0 $?
wait $holder
check take "the holder ended by its own handler" 3 $?
wait $waiter
check take "the waiter went on" "0 yes" "$? $([ -e after ] && echo yes)"
"$taffrail" lock --policy policy.json --take >take.txt
check take "nothing to take" "0 nothing is held: there is nothing to take" "$? $(cat take.txt)"

# Who is stopped gets what it was sent only when it goes on.
is_stopped() { # PID
	grep -q '^State:[[:space:]]*T' "/proc/$1/status"
}
"${guard[@]}" -- ./holder.sh six &
holder=$!
await 60 test -e up.six
kill -STOP $holder
for pid in $("$taffrail" lock --json | jq '.slots[0].holders[].pid'); do
	kill -STOP "$pid" 2>/dev/null
done
await 60 is_stopped $holder
"$taffrail" lock --policy policy.json --take --settle 100ms >take.txt 2>take.err
check stopped status 0 $?
grep -q "taffrail (pid $holder) was stopped; it was sent SIGCONT as well" take.err
check stopped line 0 $?
wait $holder
check stopped "the holder ended by its own handler" 3 $?

# Who does not end is left alone.
"${guard[@]}" -- sh -c 'trap "" TERM; : >up.stubborn; while [ ! -e go ]; do sleep 0.02; done' &
holder=$!
await 60 test -e up.stubborn
"$taffrail" lock --policy policy.json --take --wait 300ms 2>stubborn.err
check stubborn status 1 $?
grep -q "slot 1 is still held after 300ms by taffrail (pid $holder); nobody is killed" stubborn.err
check stubborn line 0 $?
kill -0 $holder
check stubborn alive 0 $?
lock '.waiting == []'
check stubborn "nobody is left in the queue" 0 $?

# From inside the run that holds it.
touch go
wait $holder
rm -f go
"${guard[@]}" -- "$taffrail" lock --policy "$work/policy.json" --take 2>self.err
check self status 1 $?
grep -q 'in which this very command runs' self.err
check self line 0 $?

# Two who take over at once: one tells, the other waits, and both find it free.
"${guard[@]}" -- ./holder.sh five &
holder=$!
await 60 test -e up.five
pids=()
for i in a b; do
	"$taffrail" lock --policy policy.json --take --settle 300ms >take.$i 2>&1 &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid"
	check two-takers status 0 $?
done
wait $holder
check two-takers "the holder's own status" 3 $?
lock '.slots[0].state == "free"'
check two-takers free 0 $?

# The second one is kept from looking who holds it until the first one does: it waits for that one.
cat >late.c <<'END'
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
DIR *opendir(const char *name)
{
	DIR *(*theirs)(const char *) = (DIR *(*)(const char *))dlsym(RTLD_NEXT, "opendir");
	static int n;

	if (!strcmp(name, "/proc") && ++n == 2) {
		close(open("late", O_CREAT | O_WRONLY, 0600));
		while (access("go.late", F_OK))
			usleep(1000);
	}
	return theirs(name);
}
END
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o late.so late.c -ldl || exit 1
"${guard[@]}" -- ./holder.sh seven &
holder=$!
await 60 test -e up.seven
LD_PRELOAD=$work/late.so "$taffrail" lock --policy policy.json --take --settle 100ms >take.late 2>&1 &
late=$!
await 60 test -e late
"$taffrail" lock --policy policy.json --take --settle 3s >take.first 2>&1 &
first=$!
is_taking() {
	lock '.slots[0].holders | any(.pid == '$first')'
}
await 60 is_taking
: >go.late
wait $first
check late-taker "status of the first" "0 1" "$? $(grep -c '^slot 1 was taken from holder.sh seven' take.first)"
wait $late
check late-taker "status of the second" 0 $?
wait $holder
check late-taker "the holder's own status" 3 $?

# A text that names a stranger's number: the slot is free, and the stranger is left alone.
sleep 1000 &
stranger=$!
text=$(find "$work/run" -name slot-1.json)
jq -c ".pid = $stranger" "$text" >forged && cat forged >"$text"
"$taffrail" lock --policy policy.json --take >forged.txt
check recycled "nothing is held" "0 nothing is held: there is nothing to take" "$? $(cat forged.txt)"
# The same while a foreign program holds it: the text is not who is told.
exec 7<>"$work/run/taffrail/lock/slot-1"
flock -n 7
check recycled "the file is ours" 0 $?
"$taffrail" lock --policy policy.json --take --wait 100ms 2>foreign.err >/dev/null
check recycled status 1 $?
exec 7>&-
kill -0 $stranger
check recycled "the stranger lives" 0 $?
kill $stranger

# Nothing of ours is made in somebody else's folder.
if [ "$(id -u)" = 0 ]; then
	install -d -m 777 alien/state/crumbs alien/run
	chown -R 65534 alien
	XDG_RUNTIME_DIR=$work/alien/run TAFFRAIL_STATE=$work/alien/state "$taffrail" run \
		--set lock.on_conflict=wait -- true >/dev/null 2>&1
	check alien "no lock folder of ours" "" "$(find alien -name lock -o -name '*.ring')"
fi

# Another user's holder: it is named, and nobody is told anything.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 711 "$work"
	mkdir -m 1777 shared
	mkdir -m 777 theirs
	set="--set lock.scope=path --set lock.path=$work/shared/gpu"
	# shellcheck disable=SC2086 # words
	"${guard[@]}" $set -- sh -c ': >up.shared; while [ ! -e go ]; do sleep 0.02; done' &
	holder=$!
	await 60 test -e up.shared
	other() { env HOME=/ setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
	if other test -x "$taffrail"; then
		# shellcheck disable=SC2086
		other "$taffrail" lock $set --json | jq -e '.slots[0].state == "held"' >/dev/null
		check other-user "sees it" 0 $?
		# shellcheck disable=SC2086
		other "$taffrail" lock $set --take 2>other.err
		check other-user status 1 $?
		grep -q 'may not be told to end: Operation not permitted; nobody was told anything' other.err
		check other-user line 0 $?
		# And is kept out by it.
		(cd theirs && XDG_RUNTIME_DIR='' TAFFRAIL_STATE=$work/theirs/state other "$taffrail" run \
			--set lock.on_conflict=refuse --set lock.scope=path \
			--set "lock.path=$work/shared/gpu" -- true) 2>/dev/null
		check other-user "is kept out" 75 $?
	else
		untried 4 "another user: it cannot reach $taffrail"
	fi
	touch go
	wait $holder
	rm -f go
fi

# ---- mistakes ----

for args in "--slot 0" "--slot x" "--wait 5" "--wait 2h" "--frob" "--take --json" "--slot 9 --take"; do
	# shellcheck disable=SC2086 # words
	"$taffrail" lock $args >/dev/null 2>usage.err
	check "lock $args" status 64 $?
	check "lock $args" "one line" 1 "$(grep -c '' usage.err)"
done
"$taffrail" run --policy policy.json --set lock.scope=path -- true 2>nopath.err
check no-path status 0 $?
grep -q 'lock.path must name a file' nopath.err
check no-path line 0 $?

# ---- all users of a machine: /run/taffrail as systemd-tmpfiles makes it ----

line=$(grep -v '^#' "$SRC/examples/taffrail.tmpfiles.conf" | tr -s ' ')
check tmpfiles "one line that makes the folder" "d /run/taffrail 1777 root root -" "$line"
if command -v systemd-tmpfiles >/dev/null; then
	mkdir -p root/run root/etc
	cp /etc/passwd /etc/group root/etc/
	systemd-tmpfiles --root="$work/root" --create "$SRC/examples/taffrail.tmpfiles.conf"
	check tmpfiles "is understood" 1777 "$(stat -c %a root/run/taffrail)"
fi
if unshare -m true 2>/dev/null; then
	export taffrail
	unshare -m sh -c '
		mount -t tmpfs none /run && mkdir -m 1777 /run/taffrail || exit 77
		umask 077
		"$taffrail" run --set lock.on_conflict=wait -- true || exit 1
		"$taffrail" lock --json | jq -e ".dir == \"/run/taffrail\" and (.is_per_user | not)" || exit 2
		test "$(stat -c %a /run/taffrail/slot-1 /run/taffrail/guard | sort -u)" = 666 || exit 3
		chmod 0777 /run/taffrail
		"$taffrail" lock --json | jq -e .is_per_user || exit 4
	' >/dev/null
	check shared "folder and files of all users" 0 $?
else
	untried 1 "the shared folder: no mount namespace"
fi

tally 88
