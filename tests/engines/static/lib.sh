# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# lib.sh -- what the tests of engines inside programs share. Sourced, never run.
bin=${TAFFRAIL:?the path of the taffrail binary}
. "${SRC:?}/tests/integration/lib.sh"

parts=$SRC/tests/engines/static/parts
export TAFFRAIL_STATE=$state
# No pause of a busy machine ends a generation.
export TAFFRAIL_SET=drain.idle_ms=10m
head -c 5000 /dev/zero >model.bin

# The guest: COMPILER and flags as the words say, the engine as hidden as they say.
build() { # PROGRAM COMPILER FLAG...
	"$2" -std=c11 -D_GNU_SOURCE -fvisibility=hidden -Wl,--build-id -o "$1" "${@:3}" \
		"$parts/serve.c" "$parts/engine.c" -pthread 2>compiler.log
}

# Runs COMMAND under `run`; the one line that `run` may say goes to guarded.own.
guarded() { # COMMAND...
	fresh
	raw guarded "$bin" run -- "$@"
	grep '^taffrail: ' guarded.err >guarded.own
	sed -i '/^taffrail: /d' guarded.err
}

# With and without the guard the guest shows the same.
alike() { # CASE COMMAND...
	local part
	without_shim "${@:2}"
	guarded "${@:2}"
	for part in status out err; do
		check "$1" "$part" "$(cat plain.$part)" "$(cat guarded.$part)"
	done
}

# Records of guests, not of `run` itself.
number_of() { # CONDITION
	count "(.role // \"guest\") == \"guest\" and ($1)"
}

# A sum over records.
sum() { # CONDITION FIELD
	crumbs | jq -s "[.[] | select($1) | $2 // 0] | add // 0"
}
