# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what it sets is for the sourcing script
# lib.sh -- what the matrices share. Sourced, never run.
#
# A case runs a program twice, plain and with libtaffrail.so preloaded, and
# compares what can be seen from outside: stdout, stderr, the raw wait status.
# Each shimmed run has a state directory of its own, $state, whose records
# `crumbs` prints.  $work is the current folder and goes away at the end.
. "${SRC:?the source folder}/tests/integration/lib_base.sh"

BUILD=${BUILD:?the build folder}
tests=$BUILD/tests
shim=$BUILD/libtaffrail.so
needs perl jq
[ -e "$shim" ] || {
	echo "$shim was not built"
	exit 1
}

# shellcheck disable=SC2154 # comes from lib_base.sh
mkdir -m 700 "$work/run"
export XDG_RUNTIME_DIR=$work/run XDG_CONFIG_HOME=$work/config HOME=$work
state=$work/state

# In a build with sanitizers the guests are instrumented, and their own reports
# would be compared: plain ones are made here instead. They need no object of ours.
plain_guests() { # NAME...
	local name
	grep -q __asan_init "$tests/$1" || grep -q __tsan_init "$tests/$1" || return
	mkdir -p guests
	cp "$tests"/libfake_*.so guests/
	for name; do
		"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o "guests/$name" "$SRC/tests/integration/$name.c" \
			-ldl -lpthread || exit 1
	done
	tests=$work/guests
}

fresh() {
	rm -rf "$state" "$work/run/taffrail"
	rm -f "$work"/*.log
}

check() { # CASE WHAT WANTED GOT
	if [ "$3" = "$4" ]; then
		pass
	else
		fail "$1: $2"
		printf '  wanted: %s\n  got:    %s\n' "$3" "$4" | head -n 20
	fi
}

# The raw wait status of a command goes to FILE.status as "exit N" or "signal N",
# its output to FILE.out and FILE.err.
raw() { # FILE COMMAND...
	perl -e 'my $f = shift; my $r = system { $ARGV[0] } @ARGV; open(F, ">", $f) or die;
		print F $r == -1 ? "not started" : $r & 127 ? "signal " . ($r & 127) : "exit " . ($r >> 8);
		close F' "$1.status" "${@:2}" </dev/null >"$1.out" 2>"$1.err"
}

without_shim() { # COMMAND...
	raw plain env -u LD_PRELOAD "$@"
}

# More preloads and settings may stand in front: with_shim A=b COMMAND...
with_shim() { # COMMAND...
	fresh
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" "$@"
}

# Runs COMMAND both ways and compares.
same() { # CASE COMMAND...
	local case=$1 part
	shift
	rm -f ./*.log
	without_shim "$@"
	with_shim "$@"
	for part in status out err; do
		check "$case" "$part" "$(cat plain.$part)" "$(cat shim.$part)"
	done
}

# All records of the state directory, in the order of their time.
crumbs() {
	cat "$state"/crumbs/*.jsonl 2>/dev/null | grep -av '^$' | jq -cs 'sort_by(.mono_ns, .seq) | .[]' 2>/dev/null
}

# How many records fulfil a jq condition.
count() { # CONDITION
	crumbs | jq -c "select($1)" | wc -l
}

has() { # CASE WHAT CONDITION
	if [ "$(count "$3")" -gt 0 ]; then
		pass
	else
		fail "$1: no record of $2 ($3)"
		crumbs | jq -c '{pid,ev,ph,call,rc,msg,rule}' | tail -n 25 | sed 's/^/  /'
	fi
}

has_not() { # CASE WHAT CONDITION
	if [ "$(count "$3")" -eq 0 ]; then
		pass
	else
		fail "$1: $2 ($3)"
		crumbs | jq -c "select($3) | {pid,ev,ph,call,rc,msg,rule}" | head -n 5 | sed 's/^/  /'
	fi
}
