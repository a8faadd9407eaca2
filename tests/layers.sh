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
allowed="policy:policy
shim:shim policy
hooks:hooks shim policy
cli:cli shim policy hooks/catalog.h"

# FILE quoted|bracketed NAME, one line an include.
list_includes() {
	find policy shim hooks cli -type f \( -name '*.[chS]' -o -name '*.def' \) -exec awk '
		match($0, /^[ \t]*#[ \t]*include[ \t]*["<]/) {
			name = substr($0, RSTART + RLENGTH)
			sub(/[">].*/, "", name)
			print FILENAME, substr($0, RSTART + RLENGTH - 1, 1) == "<" ? "bracketed" : "quoted", name
		}' {} + 2>/dev/null | sort
}

# Reads such lines, prints one line a trouble and the count; 1 trouble, 2 nothing read.
judge() {
	awk -v allowed="$allowed" -v forbidden=" $forbidden " -v excepted=" $excepted " '
	BEGIN {
		n = split(allowed, rows, "\n")
		for (i = 1; i <= n; i++) {
			split(rows[i], row, ":")
			may[row[1]] = row[2]
		}
	}
	# The path of an include as seen from the top, without "..".
	function resolve(file, name, parts, out, n, i, k) {
		sub(/[^\/]*$/, "", file)
		n = split(file name, parts, "/")
		for (i = 1; i <= n; i++) {
			if (parts[i] == "..")
				k -= k > 0
			else if (parts[i] != "." && parts[i] != "")
				out[++k] = parts[i]
		}
		file = out[1]
		for (i = 2; i <= k; i++)
			file = file "/" out[i]
		return file
	}
	function is_allowed(folder, target, list, n, i) {
		n = split(may[folder], list, " ")
		for (i = 1; i <= n; i++)
			if (target == list[i] || index(target, list[i] "/") == 1)
				return 1
		return 0
	}
	{
		seen++
		folder = $1
		sub(/\/.*/, "", folder)
	}
	$2 == "quoted" {
		target = resolve($1, $3)
		if (!is_allowed(folder, target)) {
			print $1 " includes " target ": " folder " may include only " may[folder]
			bad = 1
		}
	}
	$2 == "bracketed" && (folder == "policy" || folder == "shim") {
		if (index(forbidden, " " $3 " ") && !index(excepted, " " $1 ":" $3 " ")) {
			print $1 " includes <" $3 ">: use policy/text.h and shim/sys.h"
			bad = 1
		}
	}
	END {
		print seen + 0 " includes examined"
		exit seen ? bad : 2
	}'
}

examine() { # TOP
	(cd "$1" && list_includes | judge)
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
	echo "7 planted includes and an empty tree were refused"
}

if [ $# -gt 0 ]; then
	examine "$1"
	exit
fi
top=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
examine "$top" || exit 1
copy=$(mktemp -d) || exit 1
trap 'rm -rf "$copy"' EXIT
prove "$top"
