#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# journal.sh -- crumbs.journal: what matters reaches the system's journal, here a socket of
# the test's own, and the program is the same whether anybody listens or not.
#
# time-limit: 60
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim, BUILD
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps
guest=("$tests/guest_steps" load=tiny.gguf infer=1 load=fail.gguf free exit=3)
export TAFFRAIL_JOURNAL_SOCKET=$work/journal FAKE_SYNC_MS=0
box=

# A box for datagrams: what comes is in the file got, an empty line behind each.
listen() {
	rm -f journal got
	perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
		open(my $f, ">", $ARGV[1]) or die; $f->autoflush(1);
		while (defined(recv($s, my $d, 65536, 0))) { print $f $d, "\n"; last if $d eq "stop"; }' -MIO::Handle \
		"$work/journal" "$work/got" &
	box=$!
	until [ -S journal ] && [ -e got ]; do sleep 0.02; done
}

# Everything that was sent before is there when the last word is.
stop() {
	perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_DGRAM, 0); send($s, "stop", 0, sockaddr_un($ARGV[0])) or die' "$work/journal"
	wait "$box"
}

field() { # NAME
	sed -n "s/^$1=//p" got
}

without_shim "${guest[@]}"
listen
with_shim TAFFRAIL_SET=crumbs.journal=on "${guest[@]}"
stop
for part in status out err; do
	check journal "$part" "$(cat plain.$part)" "$(cat shim.$part)"
done
check journal "what it got" "start mark
load begin tiny
load end tiny
note mark fail
load begin fail
load end fail
unload end tiny
unload end tiny
exit end" "$(paste -d ' ' <(field TAFFRAIL_EV) <(field TAFFRAIL_PH) <(awk 'BEGIN { RS = "" } { m = ""; for (i = 1; i <= NF; i++)
	if ($i ~ /^TAFFRAIL_MODEL=/) m = substr($i, 16); print m }' got | head -n 9) | sed 's/ *$//')"
check journal "who" 9 "$(field SYSLOG_IDENTIFIER | grep -c '^taffrail$')"
check journal "a rule that warns, a load that failed, and what is as it should be" "6 6 6 5 6 4 6 6 6" "$(field PRIORITY | xargs)"
check journal "the run" 1 "$(field TAFFRAIL_RUN | sort -u | wc -l)"
check journal "records of the log" "$(crumbs | jq -r 'select((.ev == "load" and .model == "fail") or (.ev == "note" and .rule != null) or (.ev == "exit" and .ph == "end")).seq' | xargs)" \
	"$(awk 'BEGIN { RS = ""; FS = "\n" } /TAFFRAIL_MODEL=fail/ || /TAFFRAIL_EV=exit/ { for (i = 1; i <= NF; i++)
		if ($i ~ /^TAFFRAIL_SEQ=/) print substr($i, 14) }' got | xargs)"
check journal "where the log is" 1 "$(field MESSAGE | grep -c "^start: guest_steps, its log is in $state/crumbs$")"
check journal "the exit" 1 "$(field MESSAGE | grep -c '^exit end .*rc 3')"

# What `run` itself has to say.
listen
rm -rf "$state"
raw shim env TAFFRAIL_STATE="$state" "$BUILD/taffrail" run --set crumbs.journal=on -- "$tests/guest_steps" load=tiny.gguf exit=3
stop
check run "how its program ended" 1 "$(field MESSAGE | grep -c '^exit .*run, rc 3')"

# A program that it does not start.
listen
TAFFRAIL_STATE=$state "$BUILD/taffrail" hold --for 1h >hold.out
raw shim env TAFFRAIL_STATE="$state" "$BUILD/taffrail" run --set crumbs.journal=on --set cooldown.on_hold=refuse -- "$tests/guest_steps" exit=3
stop
check refused status "exit 75" "$(cat shim.status)"
check refused "that it did not start it, and why" "start mark
refuse mark
exit mark" "$(paste -d ' ' <(field TAFFRAIL_EV) <(field TAFFRAIL_PH))"

# Off, and without anybody who listens: once said, in the log.
listen
with_shim "${guest[@]}"
stop
check off "what it got" stop "$(cat got)"
rm -f journal
with_shim TAFFRAIL_SET=crumbs.journal=on "${guest[@]}"
for part in status out err; do
	check nobody "$part" "$(cat plain.$part)" "$(cat shim.$part)"
done
check nobody "it is said" 1 "$(count '.rule == "crumbs.journal" and .ev == "note" and .rc < 0')"
tally 18
