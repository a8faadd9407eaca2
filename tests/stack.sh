#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stack.sh -- how much stack a single function of the preloaded object takes.
#
# Hooked calls run on threads of the program, which may have 16 KiB in all.  The
# compiler writes beside each object what its functions take (-fstack-usage);
# here no line may be above the limit.  What is bigger belongs into
# shim/scratch.h.  tests/integration/strangers.sh runs whole calls.
# The forms of exec are at the limit: in a vfork child they may take it from nowhere else.
set -u

SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
BUILD=${BUILD:-$SRC/build}
most=2304

# Without optimization, and with checks in between, frames are others.
if grep -Eq -- '-fsanitize|-O0' "$BUILD/flags" || ! grep -q -- '-O[12s]' "$BUILD/flags"; then
	echo "skipped: the limit is that of an optimized build without sanitizers"
	exit 77
fi
usage=()
for source in "$SRC"/shim/*.c "$SRC"/hooks/*.c "$SRC"/policy/*.c; do
	object=$BUILD/obj/shim/${source#"$SRC"/}
	object=${object%.c}.o
	# What has no object is no part of the shim (hooks/catalog.c).
	[ -e "$object" ] || continue
	# Of what has no function (tables, the other system) clang writes nothing.
	[ -e "${object%.o}.su" ] || readelf -sW "$object" | grep -q ' FUNC ' || continue
	usage+=("${object%.o}.su")
done
[ "${#usage[@]}" -gt 150 ] || {
	echo "only ${#usage[@]} objects of the shim in $BUILD"
	exit 1
}
for file in "${usage[@]}"; do
	[ -e "$file" ] || {
		echo "skipped: there is no $file: the object is of an older build (make clean)"
		exit 77
	}
done

# FILE:LINE:COLUMN:FUNCTION<tab>BYTES<tab>static
judge() { # FILE...
	awk -F '\t' -v most=$most '
	{
		n++
		if ($2 > worst)
			worst = $2
		if ($2 > most) {
			print $1 " takes " $2 " bytes of stack, at most " most " are allowed"
			bad = 1
		}
	}
	END {
		print n + 0 " functions, the biggest takes " worst + 0 " bytes"
		exit n > 800 ? bad : 2
	}' "$@"
}

judge "${usage[@]}" || exit 1
planted=$(printf 'planted.c:1:1:planted\t%d\tstatic\n' $((most + 1)) | judge "${usage[@]}" -)
[[ $planted == *"planted takes"* ]] || {
	echo "stack.sh did not see a function that takes too much"
	exit 1
}
