#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# docs.sh -- the manual: a page for every verb, all pages well formed, tables up to date.
#
# A part of a page that comes from a table stands between two comment lines,
# the first of which says how it is made: by a pass over a table, or by a verb.
#
#	.\" BEGIN pass policy/rules.man.h policy/rules.def
#	.\" BEGIN taffrail hooks --man
#	.\" END
#
# `tests/docs.sh --update` (make docs) writes these parts again.
set -u

SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
taffrail=${TAFFRAIL:-$SRC/build/taffrail}
cd "$SRC" || exit 1
man=docs/man
bad=0

wrong() {
	echo "$*"
	bad=1
}

# What a BEGIN line asks for, on standard output.
make_part() { # KIND ARGUMENT...
	local kind=$1
	shift
	case $kind in
	pass) "${CC:-cc}" -E -P -include "$1" -x c "$2" | grep . ;;
	taffrail) "$taffrail" "$@" </dev/null ;;
	*)
		echo "docs.sh: no way to make '$kind'" >&2
		return 1
		;;
	esac
}

# The page with its generated parts made anew, on standard output.
renew() { # PAGE
	local line skipping=
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'.\" BEGIN '*)
			printf '%s\n' "$line"
			# shellcheck disable=SC2086 # the arguments are words
			make_part ${line#'.\" BEGIN '} || return 1
			skipping=1
			;;
		'.\" END')
			printf '%s\n' "$line"
			skipping=
			;;
		*) [ -n "$skipping" ] || printf '%s\n' "$line" ;;
		esac
	done <"$1"
	[ -z "$skipping" ] || {
		echo "$1: a BEGIN without its END" >&2
		return 1
	}
}

has_tables() { # PAGE
	grep -qs '^\.\\" BEGIN ' "$1"
}

update() {
	local page
	for page in "$man"/*.[1578]; do
		has_tables "$page" || continue
		if ! renew "$page" >"$page.new"; then
			rm -f "$page.new"
			return 1
		fi
		mv -f "$page.new" "$page"
	done
}

if [ "${1:-}" = --update ]; then
	update
	exit
fi

command -v mandoc >/dev/null || {
	echo "mandoc is missing: tests/deps.sh lint"
	exit 77
}

verbs=$(sed -n 's/^\tVERB(\([a-z]*\),.*/\1/p' cli/verbs.h)
[ -n "$verbs" ] || wrong "cli/verbs.h names no verb"
for page in taffrail.1 taffrail-policy.5 taffrail-crumbs.5 taffrail-state.5 taffrail-registry.5 taffrail-hooks.7; do
	[ -s "$man/$page" ] || wrong "$man/$page is missing"
done
for verb in $verbs; do
	[ -s "$man/taffrail-$verb.1" ] ||
		grep -Eq "^\.(Ss|SS|It|Sh|SH|TP|Nm|B).*\b$verb\b" "$man/taffrail.1" 2>/dev/null ||
		wrong "no manual page for 'taffrail $verb': $man/taffrail-$verb.1, or a part of taffrail.1"
done

seen=0
for page in "$man"/*.[1578]; do
	[ -e "$page" ] || continue
	seen=$((seen + 1))
	mandoc -T lint -W error "$page" || wrong "$page: mandoc finds errors"
	has_tables "$page" || continue
	renew "$page" | diff -u "$page" - || wrong "$page is not up to date: make docs"
done

# Every table of hooks has its part in the page of hooks.
tables=0
while read -r table; do
	tables=$((tables + 1))
	grep -Fqx '.\" BEGIN pass hooks/manual.h hooks/'"$table" "$man/taffrail-hooks.7" ||
		wrong "$man/taffrail-hooks.7: no part for hooks/$table"
done < <(sed -n 's/^#include "\(.*\.def\)"$/\1/p' hooks/catalog.c)
[ "$tables" -gt 0 ] || wrong "hooks/catalog.c names no table"

# A link in a Markdown page to a file of ours must lead somewhere.
for page in README.md docs/*.md; do
	while read -r link; do
		[ -e "$(dirname "$page")/$link" ] || wrong "$page: the link to $link leads nowhere"
	done < <(grep -oE '\]\([^)#:]+[)#]' "$page" | sed 's/^](//; s/[)#]$//')
done

echo "$seen pages examined"
[ "$seen" -gt 0 ] && [ "$bad" -eq 0 ]
