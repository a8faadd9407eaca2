#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh -- runs test programs and scripts.
#
#	tests/run.sh [-j JOBS] [-t SECONDS] ITEM...
#
# An item passes with exit status 0, is skipped with 77 (the last line that it
# printed is the reason), and fails with any other, by a signal or by its time
# limit.  A script may ask for more time with a line "# time-limit: SECONDS".
# It is given three times that: a machine may be shared, and stall, and a limit is
# there for what hangs.
# An item named fuzz_* is a libFuzzer target: it runs for FUZZ_SECONDS over a
# copy of tests/fuzz/corpus/<name>.
#
# What an item that passed has left out, it says in lines "not tried: WHAT: WHY";
# they stand behind its name.
#
# Each item has a folder of its own as working folder, TMPDIR, state directory
# and XDG folders, is in a process group of its own, and what it left running
# is killed.  Its output is shown only when it fails.  With KEEP=1 the folders stay.
#
# Never touches the state, policy or rings of the user who runs it.  The last
# line is "N passed, N failed, N skipped"; the exit status is 1 when something
# failed or when nothing was given.
set -u

jobs=2
limit=400
while getopts j:t: opt; do
	case $opt in
	j) jobs=$OPTARG ;;
	t) limit=$OPTARG ;;
	*) exit 64 ;;
	esac
done
shift $((OPTIND - 1))

SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
export SRC
fuzz_seconds=${FUZZ_SECONDS:-5}
[ -n "${TAF_LONG:-}" ] && limit=$((limit * 10))

work=$(mktemp -d "${TMPDIR:-/tmp}/taffrail-tests.XXXXXX") || exit 1
chmod 711 "$work" # a test that becomes another user must still reach its own folder
mkdir "$work/groups"

finish() {
	local group
	for group in "$work"/groups/*; do
		[ -e "$group" ] && kill -KILL -- "-${group##*/}" 2>/dev/null
	done
	if [ -n "${KEEP:-}" ]; then
		echo "The folders are kept in $work" >&2
	else
		rm -rf "$work"
	fi
}
trap finish EXIT
trap 'exit 130' INT TERM

# What the caller's own guard left in the environment must not reach a test.
for name in $(compgen -e | grep -E '^TAFFRAIL_' | grep -v '^TAFFRAIL_CACHE$'); do
	unset "$name"
done
unset LD_PRELOAD NO_COLOR MAKEFLAGS MFLAGS MAKELEVEL

time_limit() { # ITEM
	local asked=
	case $1 in
	*.sh) asked=$(sed -n 's/^# time-limit: \([0-9][0-9]*\)$/\1/p' "$1" | head -n 1) ;;
	*/fuzz_*) asked=$((fuzz_seconds + 60)) ;;
	esac
	[ -n "$asked" ] && [ -n "${TAF_LONG:-}" ] && [ "${1##*.}" = sh ] && asked=$((asked * 10))
	asked=$((3 * ${asked:-0}))
	echo $((asked > limit ? asked : limit))
}

# Sets the array command; fails with a reason when there is nothing to run.
command_of() { # ITEM FOLDER
	local name=${1##*/}
	case $name in
	fuzz_*)
		if [ ! -x "$1" ]; then
			echo "no libFuzzer with this clang (Debian: libclang-rt-14-dev)"
			return 77
		fi
		mkdir -p "$2/corpus"
		[ -d "$SRC/tests/fuzz/corpus/$name" ] &&
			cp -R "$SRC/tests/fuzz/corpus/$name/." "$2/corpus/"
		command=("$1" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=1024
			-print_final_stats=0 -artifact_prefix="$2/" "$2/corpus")
		;;
	*.sh) command=(bash "$1") ;;
	*) command=("$1") ;;
	esac
	[ -e "$1" ] && return 0
	echo "was not built"
	return 1
}

run_item() { # NUMBER ITEM
	local item=$2 dir=$work/$1 pid seconds rc begin end command=()

	[ "${item#/}" = "$item" ] && item=$PWD/$item
	mkdir -p "$dir/tmp" "$dir/xdg/run" "$dir/xdg/state" "$dir/xdg/config"
	chmod -R 700 "$dir"
	chmod 711 "$dir" "$dir/tmp"
	seconds=$(time_limit "$item")
	begin=${EPOCHREALTIME/./}
	if command_of "$item" "$dir" >"$dir/out"; then
		cd "$dir/tmp" || exit 1
		TMPDIR=$dir/tmp TAFFRAIL_STATE=$dir/state XDG_RUNTIME_DIR=$dir/xdg/run \
			XDG_STATE_HOME=$dir/xdg/state XDG_CONFIG_HOME=$dir/xdg/config \
			setsid -w timeout --foreground -k 5 "$seconds" "${command[@]}" \
			</dev/null >"$dir/out" 2>&1 &
		pid=$!
		: >"$work/groups/$pid"
		# Bash would report a signal on our own stderr.
		{ wait "$pid"; } 2>/dev/null
		rc=$?
		kill -KILL -- "-$pid" 2>/dev/null
		rm -f "$work/groups/$pid"
	else
		rc=$?
	fi
	end=${EPOCHREALTIME/./}
	tell "$1" "$2" "$rc" $(((end - begin) / 1000)) "$seconds"
}

# One line an item, and the output of a failure, whole under a lock.
tell() { # NUMBER ITEM RC MS LIMIT
	local dir=$work/$1 name=${2##*/} word reason=
	case $3 in
	0)
		word=pass
		reason=$(sed -n 's/^not tried: //p' "$dir/out" | cut -c 1-120 | paste -sd ';' | sed 's/;/; /g')
		reason=${reason:+; not tried: $reason}
		;;
	77)
		word=skip
		reason=": $(grep -v '^[[:space:]]*$' "$dir/out" | tail -n 1 | cut -c 1-200)"
		[ "$reason" = ": " ] && reason=": it gave no reason"
		;;
	124 | 137) word=FAIL reason=": exit status $3 (time limit $5 s)" ;;
	*) word=FAIL reason=": exit status $3" ;;
	esac
	echo "$word" >"$dir/result"
	{
		flock 9
		printf '%-4s %3d.%03d s  %s%s\n' "$word" $(($4 / 1000)) $(($4 % 1000)) "$name" "$reason"
		if [ "$word" = FAIL ]; then
			tail -n 200 "$dir/out" | sed 's/^/     | /'
		fi
	} 9>"$work/lock"
	[ "$word" = FAIL ] || [ -n "${KEEP:-}" ] || rm -rf "$dir/tmp" "$dir/corpus"
}

number=0
for item in "$@"; do
	while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	number=$((number + 1))
	run_item "$number" "$item" &
done
wait

count() { # WORD
	cat "$work"/[0-9]*/result 2>/dev/null | grep -c "^$1\$"
}
passed=$(count pass)
skipped=$(count skip)
# An item without a result counts as failed: a runner that lost one must not look well.
failed=$((number - passed - skipped))
[ "$number" -eq 0 ] && echo "run.sh: nothing to run"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$number" -gt 0 ]
