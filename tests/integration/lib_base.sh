# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what it sets is for the sourcing script
# lib_base.sh -- what all scripts share: a folder of their own, counts of checks, waiting.
#
# Sourced by lib.sh and lib_cli.sh.  $work is the current folder and goes away at
# the end.  Nothing that steers taffrail comes from outside.
set -u

SRC=${SRC:?the source folder}
# In these scripts TAFFRAIL names the command; for a guest it would be the off switch.
unset TAFFRAIL TAFFRAIL_RUN TAFFRAIL_SET TAFFRAIL_POLICY TAFFRAIL_STATE TAFFRAIL_STRICT LD_PRELOAD

needs() { # TOOL...
	local tool
	for tool; do
		command -v "$tool" >/dev/null || {
			echo "needs $tool"
			exit 77
		}
	done
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
ulimit -c 0
passed=0
failed=0
left_out=0

pass() {
	passed=$((passed + 1))
}

fail() { # CASE WHAT...
	failed=$((failed + 1))
	echo "FAIL $*"
}

# Checks that this machine cannot make; the runner shows the line of a script that passes.
untried() { # CHECKS WHAT-AND-WHY
	left_out=$((left_out + $1))
	echo "not tried: $2"
}

await() { # SECONDS COMMAND...: until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || {
			fail await "$*"
			return 1
		}
		sleep 0.02
	done
}

# The last lines of a script: at least so many checks were made, and none failed.
tally() { # AT-LEAST
	local more=
	[ "$left_out" = 0 ] || more=", $left_out not tried"
	echo "$passed checks passed, $failed failed$more"
	if [ $((passed + left_out)) -lt "$1" ]; then
		echo "only $passed checks, at least $1 were meant to be made"
		exit 1
	fi
	[ "$failed" -eq 0 ]
	exit
}
