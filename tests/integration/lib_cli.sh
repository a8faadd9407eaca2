# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what it sets is for the sourcing script
# lib_cli.sh -- what the scripts share that ask the command alone. Sourced, never run.
#
# $bin is the command.  The state directory lies in $work and is not made here.
bin=${TAFFRAIL:?the path of the taffrail binary}
. "${SRC:?the source folder}/tests/integration/lib_base.sh"
# shellcheck disable=SC2154 # comes from lib_base.sh
export TAFFRAIL_STATE=$work/state

ok() { # NAME STATUS
	if [ "$2" -eq 0 ]; then
		pass
	else
		fail "$1"
	fi
}

same() { # NAME WANTED GOT
	[ "$2" = "$3" ]
	ok "$1" $?
	[ "$2" = "$3" ] || printf '  wanted: %s\n  got:    %s\n' "$2" "$3" | head -n 20
}
