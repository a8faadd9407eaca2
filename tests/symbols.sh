#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# symbols.sh -- what the preloaded object asks of a process and gives to it.
#
# It needs libc alone, exports the rows of the tables and our own two names and
# nothing else, initialises first and stays, is read-only after relocation, has
# one page that the loader writes before main, takes at most 128 bytes of thread
# storage, keeps the variables of shim/hot.h together, and imports only what
# tests/imports.allow lists.  The second object exports its own table and needs
# no more than libc either.  Reads the files with readelf; never runs them.
set -u

SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
BUILD=${BUILD:-$SRC/build}
lib=$BUILD/libtaffrail.so
bad=0

wrong() {
	echo "${lib##*/}: $*"
	bad=1
}

# Lines only in the first or only in the second list, each with its meaning.
compare() { # HAVE WANT TEXT-ONLY-HAVE TEXT-ONLY-WANT
	local name
	for name in $(comm -23 <(sort -u <<<"$1") <(sort -u <<<"$2")); do
		wrong "$name $3"
	done
	[ -z "$4" ] && return
	for name in $(comm -13 <(sort -u <<<"$1") <(sort -u <<<"$2")); do
		wrong "$name $4"
	done
}

# Names without their version: exported ones carry none, imported ones one of libc's.
exported() { nm -D --defined-only "$lib" | awk '{ print $3 }'; }

rows_of() { # MAP
	tr ' {};' '\n' <"$BUILD/$1" | grep -Ev '^(global:|local:|\*|)$' || wrong "$1 names nothing" >&2
}

for file in "$lib" "$BUILD/exports.map" "$SRC/tests/imports.allow"; do
	[ -s "$file" ] || {
		echo "$file is missing or empty: build first"
		exit 1
	}
done

dynamic=$(readelf -dW "$lib")
needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic" | tr '\n' ' ')
[ "$needed" = "libc.so.6 " ] || wrong "needs '$needed' instead of libc.so.6 alone"
for flag in INITFIRST NODELETE NOW; do
	grep -Eq "FLAGS_1.*[ :]$flag( |\$)" <<<"$dynamic" || wrong "the flag $flag is not set"
done
grep -q TEXTREL <<<"$dynamic" && wrong "has text relocations"

segments=$(readelf -lW "$lib")
written=$(awk '$1 == "LOAD" && $7 == "RW" { print $5 }' <<<"$segments")
sealed=$(awk '$1 == "GNU_RELRO" { print $5 }' <<<"$segments")
[ -n "$sealed" ] || wrong "has no RELRO segment"
[ $((written)) -le 4096 ] || wrong "the loader writes $((written)) bytes of it into every process," \
	"at most 4096 are allowed: tables hold arrays, not pointers (shim/table.h)"
[ "$written" = "$sealed" ] || wrong "has variables that begin as other than zero: a page more to write"
grep -q 'GNU_STACK.*RWE' <<<"$segments" && wrong "asks for an executable stack"
tls=$(awk '$1 == "TLS" { print $6 }' <<<"$segments")
hot=$(readelf -SW "$lib" | sed -n 's/.* \.sbss *NOBITS//p' | awk '{ print $3, $NF }')
read -r hot_bytes hot_align <<<"${hot:-0 0}"
hot_bytes=$((0x$hot_bytes))
[ "$hot_bytes" -gt 0 ] && [ "$hot_bytes" -le 128 ] && [ "$hot_align" -ge 64 ] ||
	wrong "the variables of hot.h take $hot_bytes bytes aligned to $hot_align: two lines of 64 are meant"
[ $((${tls:-0})) -le 128 ] || wrong "takes $((tls)) bytes of thread storage, at most 128 are allowed"

exports=$(exported)
compare "$exports" "$(rows_of exports.map)" "is exported but is no row of hooks/*.def" \
	"is a row of hooks/*.def but is not exported"

imports=$(nm -D --undefined-only "$lib" | awk '{ print $NF }' | sed 's/@.*//')
allow=$(sed 's/#.*//' "$SRC/tests/imports.allow" | tr -d ' \t' | grep .)
compare "$imports" "$allow" "is imported but not in tests/imports.allow" ""

# The first and the last of START_SRC (Makefile) that are code.
start=$(nm "$lib" | awk '$3 == "taf___libc_start_main" || $3 == "taf_is_other_process" { print "0x" $1 }')
# shellcheck disable=SC2086
set -- $start
distance=$((${1:-0} - ${2:-0}))
[ $# = 2 ] || wrong "the code of a start is not found by its names"
[ "${distance#-}" -le 65536 ] || wrong "the code that every process runs does not lie side by side"

echo "$(wc -w <<<"$exports") exported, $(wc -w <<<"$imports") imported," \
	"$((${tls:-0})) bytes of thread storage, $((written)) written by the loader"

lib=$BUILD/libtaffrail-alloc.so
if [ -e "$lib" ]; then
	needed=$(readelf -dW "$lib" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^libc\.so\.6$')
	[ -z "$needed" ] || wrong "needs $needed, allowed is libc.so.6 alone"
	compare "$(exported)" "$(rows_of alloc.map)" "is exported but is no row of hooks/alloc.def" \
		"is a row of hooks/alloc.def but is not exported"
fi
exit $bad
