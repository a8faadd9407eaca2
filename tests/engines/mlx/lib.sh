# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# lib.sh -- what the tests of the real MLX share. Sourced, never run.
#
# On top of tests/integration/lib.sh: MLX for the processor under Python, tiny
# models of random weights, `plain` and `guarded` runs, and waits that end when
# something is so.  Ends the test with 77 where MLX cannot be had.
. "${SRC:?}/tests/integration/lib.sh"

here=$SRC/tests/engines/mlx
taffrail=$BUILD/taffrail
newest=0.32.4
export TAFFRAIL_STATE=$state HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error TOKENIZERS_PARALLELISM=false

use() { # VERSION
	python=$("$here/fetch.sh" "$1") || exit $?
}
use $newest

model() { # FOLDER OPTION...
	"$python" "$here/mkmodel.py" "$@" || exit 1
}

# Neither leaves anything in the state of the other.
plain() { # COMMAND...
	raw plain "$@"
}

# guarded OPTION... -- COMMAND...
guarded() {
	fresh
	raw guarded "$taffrail" run "$@"
	grep '^taffrail: ' guarded.err >guarded.own
	sed -i '/^taffrail: /d' guarded.err
}

check_same() { # CASE
	local part
	for part in status out; do
		check "$1" "$part" "$(cat plain.$part)" "$(cat guarded.$part)"
	done
}

# The records of guests, merged and in order, one a line.
records() {
	"$taffrail" log --json
}

number_of() { # CONDITION
	records | jq -c "select($1)" | wc -l
}

one() { # CASE WHAT CONDITION
	check "$1" "$2" 1 "$(number_of "$3")"
}

# Kind, phase and model of what MLX did, one record a line.
story() {
	records | jq -r 'select(.engine == "mlx" and .ph != "mark" and .ev != "trim") |
		[.ev, .ph, .model // empty, .rule // empty] | join(" ")'
}

# No line of any log is damaged, none was lost, every end has its begin.
check_whole() { # CASE
	check "$1" "damaged records" "" "$("$taffrail" report --all --json | jq -r '.sessions[].damaged | select(. != 0)')"
	check "$1" "numbers in each log" "" "$(crumbs | jq -rs 'group_by([.pid, .start])[] | map(.seq) | sort |
		select(. != [range(1; length + 1)]) | tostring')"
}

until_true() { # COMMAND...
	until "$@" >/dev/null 2>&1; do
		sleep 0.05
	done
}

has_records() { # AT-LEAST CONDITION
	[ "$(count "$2")" -ge "$1" ]
}
