#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# foreign.sh -- the state of another user: one line that says whose it is, and nothing is written.
# shellcheck disable=SC2154 # lib_cli.sh sets bin, work, passed, failed
. "${SRC:?}/tests/integration/lib_cli.sh"
needs jq setpriv

other=65534
if [ "$(id -u)" != 0 ]; then
	echo "not root: there is no state of another user"
	exit 77
fi
as_other=(setpriv --reuid "$other" --regid "$other" --clear-groups env HOME=/nonexistent)
chmod 755 "$work"
cp "$bin" "${bin%/*}"/libtaffrail*.so .
bin=$work/taffrail
export HOME=$work XDG_CONFIG_HOME=$work/config

# The verb says one line, of this pattern, and ends with that status.
one_line() { # NAME STATUS PATTERN COMMAND...
	local name=$1 status=$2 pattern=$3
	shift 3
	"$@" >says.out 2>says.err
	same "$name: status" "$status" $?
	same "$name: lines" 1 "$(wc -l <says.err)"
	grep -qE "$pattern" says.err
	ok "$name: '$pattern' in '$(cat says.err)'" $?
}

# What is in the folder, and whose it is.
contents() { # FOLDER
	find "$1" -printf '%U %m %s %p\n' | sort
}

# Root looks at a folder of theirs, empty or used.
root_at_theirs() { # NAME
	local verb before
	export TAFFRAIL_STATE=$work/theirs
	before=$(contents theirs)
	for verb in gate events breaker hold 'hold --for 1h' 'hold --clear' ack 'breaker --clear'; do
		# shellcheck disable=SC2086 # words
		one_line "$1: $verb" 70 "^taffrail: ${verb%% *}: the state directory $work/theirs belongs to user $other, not to user 0; ask as that user, or name one of your own" "$bin" $verb
	done
	one_line "$1: gate --json" 70 'belongs to user' "$bin" gate --json
	same "$1: gate --json: verdict" broken "$(jq -r .verdict says.out)"
	same "$1: gate --quiet" '' "$("$bin" gate --quiet 2>&1)"
	one_line "$1: run" 0 "^taffrail: no crumbs: .*belongs to user $other, not to user 0; name one of your own" "$bin" run -- true
	one_line "$1: note" 70 "^taffrail: note: nothing is written: .*belongs to user $other" "$bin" note text
	"$bin" explain --model x >says.out 2>says.err
	same "$1: explain: no line" '' "$(cat says.err)"
	grep -q "^state  .*belongs to user $other" says.out
	ok "$1: explain says it" $?
	same "$1: nothing is written" "$before" "$(contents theirs)"
}

other_at_roots() {
	local verb
	export TAFFRAIL_STATE=$work/mine
	for verb in gate events breaker hold 'hold --for 1h' 'hold --clear' ack 'breaker --clear'; do
		# shellcheck disable=SC2086 # words
		one_line "at root's: $verb" 70 "^taffrail: ${verb%% *}: the state directory $work/mine belongs to user 0, not to user $other; ask as that user, or name one of your own" "${as_other[@]}" "$bin" $verb
	done
	for verb in report log orphans 'watch --once' 'log --session 1'; do
		# shellcheck disable=SC2086 # words
		one_line "at root's: $verb" 70 "^taffrail: ${verb%% *}: $work/mine/crumbs cannot be read: it belongs to user 0, not to user $other; ask as that user or as root" "${as_other[@]}" "$bin" $verb
	done
	one_line "at root's: run" 0 '^taffrail: no crumbs: .*belongs to user 0' "${as_other[@]}" "$bin" run -- true
	chmod 700 locked
	export TAFFRAIL_STATE=$work/locked/state
	one_line 'out of reach: gate' 70 "^taffrail: gate: the state directory $work/locked/state cannot be reached by user $other" "${as_other[@]}" "$bin" gate
}

install -d -m 700 -o $other theirs
install -d -m 700 mine
install -d -m 700 locked/state
root_at_theirs empty
TAFFRAIL_STATE=$work/theirs "${as_other[@]}" "$bin" note first
TAFFRAIL_STATE=$work/theirs "${as_other[@]}" "$bin" hold --for 1h >/dev/null
root_at_theirs used
TAFFRAIL_STATE=$work/theirs "${as_other[@]}" "$bin" hold >says.out
same 'theirs works on' 75 $?
# Those who only read the crumbs may.
export TAFFRAIL_STATE=$work/theirs
"$bin" log >says.out
grep -q first says.out
ok 'root reads their log' $?
TAFFRAIL_STATE=$work/mine "$bin" note first
other_at_roots
tally 123
