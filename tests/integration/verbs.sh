#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# verbs.sh -- what the verbs say of themselves, and what they refuse.
# shellcheck disable=SC2154 # lib_cli.sh sets bin
. "${SRC:?}/tests/integration/lib_cli.sh"

# The numbers of the exit statuses, one a line: of a help text, of a manual page.
statuses() { # FILE
	sed -n '/^Exit status:/,/^$/p' "$1" | grep -oE '\b(0|1|[67][0-9]|12[67])\b' | sort -un
}

page_statuses() { # PAGE
	sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/s/^\.It \([0-9]*\)$/\1/p' "$1" | sort -un
}

pages() {
	local verb
	for verb in run check explain report log doctor hooks classify models gate events ack hold breaker note; do
		"$bin" help $verb >says.out
		same "statuses of $verb: text and page" "$(page_statuses "$SRC/docs/man/taffrail-$verb.1")" \
			"$(statuses says.out)"
	done
}

# A state that was named and is not there: 64, and the page says so.
no_state() {
	local verb
	for verb in gate events breaker hold report log orphans 'explain --model x' 'watch --once'; do
		# shellcheck disable=SC2086 # words
		"$bin" $verb --state "$work/nowhere" >/dev/null 2>says.err
		same "$verb: no state: status" 64 $?
		same "$verb: no state" "taffrail: ${verb%% *}: --state $work/nowhere: No such file or directory" \
			"$(cat says.err)"
		sed -n '/^\.It 64$/,/^\.It 7/p' "$SRC/docs/man/taffrail-${verb%% *}.1" | grep -q '^\.Fl -state$'
		ok "$verb: no state: the page" $?
		"$bin" help "${verb%% *}" | tr '\n' ' ' | grep -qE '64 wrong arguments[^7]* DIR'
		ok "$verb: no state: the text" $?
	done
}

# Wrong arguments of the verbs that read the log.
readers() {
	local verb run runs digit
	refuses() { # STATUS PATTERN ARGUMENT...
		local wanted=$1 pattern=$2
		shift 2
		"$bin" "$@" >says.out 2>says.err
		same "$*: status" "$wanted" $?
		grep -qE "^taffrail: $pattern" says.err
		ok "$*: $pattern" $?
	}
	# 17 runs, of which two begin with the same digit.
	for _ in {1..17}; do
		"$bin" note first
	done
	runs=$(grep -aho '"run":"[0-9a-f]*"' "$TAFFRAIL_STATE"/crumbs/*.jsonl | cut -d '"' -f 4 | sort -u)
	digit=$(cut -c 1 <<<"$runs" | uniq -d | head -n 1)
	run=$(grep -m 1 "^$digit" <<<"$runs")
	refuses 1 'note: nothing is written: there is no run 0123456789abcdef in ' \
		note --run 0123456789abcdef third
	"$bin" note --run "$run" second
	same 'note --run: one that is there' 0 $?
	same 'report: notes alone' 'There are 18 notes from outside; see: taffrail log' \
		"$("$bin" report | tail -n 1)"
	refuses 64 'note: after TEXT comes KEY=VALUE, not "bad key=1"' note text 'bad key=1'
	for verb in report log; do
		refuses 64 "$verb: there is no option \"--nonsense\"" $verb --nonsense
		refuses 64 "$verb: \"4711\" is one word too many; .*--session 4711" $verb 4711
		refuses 64 "$verb: no run \"zz\" in .*; see: taffrail report --all" $verb --run zz
		refuses 64 "$verb: no session \"4711\" in " $verb --session 4711
	done
	refuses 64 'log: more than one run begins with "'"$digit"'": ' log --run "$digit"
	"$bin" log --run "$run" >says.out
	same 'log --run: status' 0 $?
	same 'log --run: only that run' '1 1' "$(grep -c first says.out) $(grep -c second says.out)"
	for verb in '--last --all' '--all --last' '--run aa --session 4711' '--last --run aa'; do
		# shellcheck disable=SC2086
		refuses 64 'report: --last, --all, --run and --session exclude each other' report $verb
	done
}

verbs() {
	local verb engine
	for verb in run check explain report log doctor hooks classify gate events ack hold breaker note help; do
		"$bin" help $verb >says.out 2>says.err
		same "help $verb: status" 0 $?
		same "$verb --help" "$(cat says.out)" "$("$bin" $verb --help)"
		for word in "Usage: taffrail $verb" 'Exit status:' 'Example:'; do
			grep -q "^$word" says.out
			ok "help $verb: $word" $?
		done
	done
	for engine in $("$bin" hooks | awk 'NR > 1 && /^[a-z]/ { print $1 }' | sort -u); do
		"$bin" hooks --help | tail -n +6 | grep -qw "$engine"
		ok "hooks --help: $engine" $?
	done
	same 'overview' 8 "$("$bin" help | grep -cE '^  (run|check|report|log|doctor|hooks|note|help) ')"
	"$bin" --version | grep -qE '^taffrail [0-9]+\.[0-9]+\.[0-9]+$'
	ok '--version' $?
	"$bin" reprot 2>says.err
	same 'unknown verb: status' 64 $?
	same 'unknown verb' 'taffrail: there is no verb "reprot"; did you mean "report"? See: taffrail help' \
		"$(cat says.err)"
	"$bin" status 2>says.err
	same 'a verb of other tools' 'taffrail: there is no verb "status"; did you mean "report"? See: taffrail help' \
		"$(cat says.err)"
	"$bin" 2>/dev/null
	same 'no verb' 64 $?
	"$bin" help >/dev/full 2>says.err
	same 'a full disk is told' 70 $?
}

# A segment that may not be read is said, and the others are shown. Root reads all.
unreadable() {
	local as=() file
	cp "$bin" reader
	mkdir -p theirs
	if [ "$(id -u)" = 0 ]; then
		command -v setpriv >/dev/null || return 0
		as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		chown 65534:65534 theirs
		chmod 755 . reader
	fi
	export TAFFRAIL_STATE=$work/theirs
	"${as[@]}" ./reader note first
	file=$(find theirs/crumbs -name '*-000.jsonl' | head -n 1)
	"${as[@]}" ./reader note second
	chmod 000 "$file"
	"${as[@]}" ./reader log >says.out 2>says.err
	same 'unreadable: status' 0 $?
	same 'unreadable: the others' '0 1' "$(grep -c first says.out) $(grep -c second says.out)"
	same 'unreadable: said' "taffrail: log: ${file##*/} cannot be read: Permission denied" \
		"$(cat says.err)"
}

verbs
pages
no_state
readers
unreadable
tally 120
