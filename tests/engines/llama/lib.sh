# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# lib.sh -- what the tests of the real llama.cpp share. Sourced, never run.
#
# On top of tests/integration/lib.sh: the node, the engine and a tiny model,
# `plain` and `guarded` runs of a guest, and waits that end when something is
# so, never after a time.  Ends the test with 77 where the engine cannot be had.
. "${SRC:?}/tests/integration/lib.sh"

here=$SRC/tests/engines/llama
taffrail=$BUILD/taffrail
export TAFFRAIL_STATE=$state

node=$("$SRC/tests/engines/node.sh") || exit $?
"$here/fetch.sh" >/dev/null || exit $?
# The program itself: a wrapper that some managers put in front is one more process.
python=$(python3 -c 'import sys; print(sys.executable)') || {
	echo "needs python3"
	exit 77
}

model() { # FILE OPTION...
	"$tests/mkgguf" "${@:2}" "$1" >/dev/null || exit 1
}
model tiny.gguf
serve=("$node" "$here/serve.mjs")
calls=("$python" "$here/ctypes_caller.py")

# Neither leaves anything in the state of the other.
plain() { # COMMAND...
	raw plain "$@"
}

# guarded OPTION... -- COMMAND...
guarded() {
	fresh
	raw guarded "$taffrail" run "$@"
	# The one line of `run` itself is no word of the guest.
	grep '^taffrail: ' guarded.err >guarded.own
	sed -i '/^taffrail: /d' guarded.err
}

# What the guest showed and how it ended is what `plain` saw.
check_same() { # CASE
	local part
	for part in status out err; do
		check "$1" "$part" "$(cat plain.$part)" "$(cat guarded.$part)"
	done
}

# The records of guests, merged and in order, one a line.
records() {
	"$taffrail" log --json
}

# How many of them fulfil a jq condition.
number_of() { # CONDITION
	records | jq -c "select($1)" | wc -l
}

# A jq program over the report of the newest run, guests only.
report() { # PROGRAM
	"$taffrail" report --last --json | jq -r "[.sessions[] | select(.engines | length > 0)] | $1"
}

# No line of any log is damaged, none was lost, no number was given twice.
check_whole() { # CASE
	check "$1" "damaged records" "" "$("$taffrail" report --all --json | jq -r '.sessions[].damaged | select(. != 0)')"
	check "$1" "numbers in each log" "" "$(crumbs | jq -rs 'group_by([.pid, .start])[] | map(.seq) | sort |
		select(. != [range(1; length + 1)]) | tostring')"
}

# Waits until a command succeeds; the time limit of the runner is the only other end.
until_true() { # COMMAND...
	until "$@" >/dev/null 2>&1; do
		sleep 0.05
	done
}

is_gone() { # PID
	[ ! -d "/proc/$1" ] || grep -q '^State:[[:space:]]*[ZX]' "/proc/$1/status"
}

# A guest in the background, guarded, with its output in bg.out; $! of `run` goes to runner.
start_guarded() { # OPTION... -- COMMAND...
	fresh
	rm -f bg.out bg.err
	"$taffrail" run "$@" </dev/null >bg.out 2>bg.err &
	runner=$!
}

# The process of the guest, as its start record tells.
guest_pid() {
	crumbs | jq -rs 'map(select(.ev == "start" and .role == "guest"))[0].pid // empty'
}

has_records() { # AT-LEAST CONDITION
	[ "$(count "$2")" -ge "$1" ]
}

# The guest is between the first decode and the last of a generation that does not end.
until_generating() {
	until_true grep -q hanging bg.out
	until_true has_submits 40
	guest=$(guest_pid)
}

has_submits() { # AT-LEAST
	[ "$(report '[.[].submits] | add // 0')" -ge "$1" ]
}

# Waits for the `run` of start_guarded; how it ended goes to ended, as `raw` writes it.
await_runner() {
	{ wait "$runner"; } 2>/dev/null
	ended=$?
	if [ $ended -gt 128 ]; then
		ended="signal $((ended - 128))"
	else
		ended="exit $ended"
	fi
}
