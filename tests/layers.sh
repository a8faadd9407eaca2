#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# layers.sh -- the direction of includes.
#
#	hooks -> shim -> policy      cli -> shim, policy, hooks/catalog.h
#
# Nothing includes hooks or cli besides them, and no libc header whose functions
# allocate, print or copy is seen below cli: shim and policy are linked into
# strangers' processes.  Fails when it examined nothing, and proves on damaged
# copies of the tree that it would have seen the damage (tests/layers.sh FOLDER
# checks that folder only, without the proof).
set -u

forbidden="string.h strings.h stdio.h stdlib.h malloc.h"
# FILE:HEADER pairs that may stay, each with its reason in that file.
excepted=""

# What a folder may include: whole folders, or single headers with their path.
allowed() { # FOLDER
	case $1 in
	policy) echo "policy" ;;
	shim) echo "shim policy" ;;
	hooks) echo "hooks shim policy" ;;
	cli) echo "cli shim policy hooks/catalog.h" ;;
	esac
}

# The path of an include as seen from the top, without "..".
resolve() { # FOLDER-OF-FILE INCLUDED
	local part out=()
	IFS=/ read -ra parts <<<"$1/$2"
	for part in "${parts[@]}"; do
		case $part in
		. | '') ;;
		..) [ ${#out[@]} -gt 0 ] && unset 'out[-1]' ;;
		*) out+=("$part") ;;
		esac
	done
	(
		IFS=/
		echo "${out[*]}"
	)
}

quoted() { # FILE INCLUDED
	local target
	target=$(resolve "$(dirname "$1")" "$2")
	for ok in $(allowed "${1%%/*}"); do
		case $target in
		"$ok" | "$ok"/*) return 0 ;;
		esac
	done
	echo "$1 includes $target: ${1%%/*} may include only $(allowed "${1%%/*}")"
	return 1
}

bracketed() { # FILE HEADER
	case ${1%%/*} in policy | shim) ;; *) return 0 ;; esac
	case " $forbidden " in *" $2 "*) ;; *) return 0 ;; esac
	case " $excepted " in *" $1:$2 "*) return 0 ;; esac
	echo "$1 includes <$2>: use policy/text.h and shim/sys.h"
	return 1
}

# FILE quoted|bracketed NAME, one line an include.
list_includes() {
	find policy shim hooks cli -type f \( -name '*.[chS]' -o -name '*.def' \) 2>/dev/null |
		sort | while read -r file; do
		sed -nE \
			-e "s|^[ \t]*#[ \t]*include[ \t]*\"([^\"]*)\".*|$file quoted \1|p" \
			-e "s|^[ \t]*#[ \t]*include[ \t]*<([^>]*)>.*|$file bracketed \1|p" "$file"
	done
}

# Prints the troubles of the tree; 0 none, 1 some, 2 nothing to examine.
examine() { # TOP
	local bad=0 seen=0 file what name
	cd "$1" || return 2
	while IFS=' ' read -r file what name; do
		seen=$((seen + 1))
		case $what in
		quoted) quoted "$file" "$name" || bad=1 ;;
		*) bracketed "$file" "$name" || bad=1 ;;
		esac
	done < <(list_includes)
	[ "$seen" -gt 0 ] || {
		echo "layers.sh: no include found under $1: nothing was examined"
		return 2
	}
	echo "$seen includes examined"
	return $bad
}

# Each damage must be seen: PATH and the line put at its end.
prove() { # TOP
	local path line out

	while IFS='|' read -r path line; do
		rm -rf "$copy/tree"
		mkdir -p "$copy/tree"
		cp -R "$1/policy" "$1/shim" "$1/hooks" "$1/cli" "$copy/tree/" || return 1
		mkdir -p "$(dirname "$copy/tree/$path")"
		printf '%s\n' "$line" >>"$copy/tree/$path"
		out=$(examine "$copy/tree")
		if [[ "$out" != *"$path includes"* ]]; then
			echo "layers.sh did not see '$line' in $path: $out"
			return 1
		fi
	done <<-'END'
		policy/planted.c|#include "../shim/sys.h"
		policy/planted.h|#  include <stdio.h>
		shim/planted.c|#include "../hooks/catalog.h"
		shim/planted.h|#include <string.h>
		shim/planted.c|#include "../policy/../cli/out.h"
		hooks/planted.def|#include "../cli/out.h"
		cli/planted.c|#include "../hooks/expand.h"
	END
	rm -rf "$copy/tree"
	mkdir -p "$copy/tree/policy" "$copy/tree/shim" "$copy/tree/hooks" "$copy/tree/cli"
	if examine "$copy/tree" >/dev/null; then
		echo "layers.sh is content with an empty tree"
		return 1
	fi
	echo "7 planted includes and an empty tree were seen"
}

if [ $# -gt 0 ]; then
	examine "$1"
	exit
fi
top=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
(examine "$top") || exit 1
copy=$(mktemp -d) || exit 1
trap 'rm -rf "$copy"' EXIT
prove "$top"
