#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# linkers.sh -- names that are local to a program: made so by a linker, and guarded, or
# by a compiler that may have changed how they are called, and left alone.
# shellcheck disable=SC2154 # lib.sh sets them
. "${SRC:?}/tests/engines/static/lib.sh"

# A function of the program's own, named like an entry point, whose first argument nobody
# reads: clang drops it and keeps the name.
cat >own.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#ifndef LINKAGE
#define LINKAGE
#endif
LINKAGE long llama_encode(long unused, long *p, int n);
__attribute__((noinline)) LINKAGE long llama_encode(long unused, long *p, int n)
{
	(void)unused;
	for (int i = 0; i < n; i++)
		if (!getenv("NEVER_SET"))
			*p += 1000;
	return *p + n;
}
__attribute__((constructor)) static void begin(void)
{
	long sum = 1;
	int n = getenv("PATH") ? 3 : 2;

	printf("%ld", llama_encode(n * 7, &sum, n) + llama_encode(n * 9, &sum, n + 1));
	printf(" %ld\n", sum);
}
C

says() { # CASE PATTERN
	local found=no
	grep -Eq "$2" guarded.own && found=yes
	[ $found = yes ] || sed 's/^/  /' guarded.own
	check "$1" "run says: $2" yes $found
}

# What a linker hid is guarded; the debugger's names may be there or not.
is_guarded() { # CASE PROGRAM
	alike "$1" "$2" model.bin leave
	check "$1" "run says nothing" "" "$(cat guarded.own)"
	has "$1" "the load" '.ev == "load" and .ph == "end"'
	has "$1" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit"'
}

is_left() { # CASE PROGRAM WHY: "" where that may be nothing
	alike "$1" "$2" model.bin leave
	[ -z "$3" ] || says "$1" "$3"
	check "$1" "nothing is seen" 0 "$(number_of '.ev == "load" or .ev == "infer" or .ev == "drain"')"
	alike "$1, once" "$2" model.bin once
}

# COMPILER FLAG...: built, or so many checks untried.
built() { # CHECKS PROGRAM COMPILER FLAG...
	build "${@:2}" && return
	untried "$1" "${*:3}: $(grep -m 1 . compiler.log)"
	return 1
}

linker() { # NAME: the flag that asks for it, or nothing where it is not here
	[ "$1" = lld ] && command -v ld.lld >/dev/null && echo -fuse-ld=lld
	[ "$1" != lld ] && command -v "ld.$1" >/dev/null && echo "-fuse-ld=$1"
}

whole='it was optimised as a whole|llama_[a-z_]* is local to one source'

for ld in bfd gold lld; do
	flag=$(linker $ld)
	[ -n "$flag" ] || {
		untried 52 "ld.$ld is not here"
		continue
	}
	built 6 guest "${CC:-cc}" -O2 "$flag" && is_guarded "$ld" ./guest
	for compiler in gcc clang; do
		if ! command -v $compiler >/dev/null; then
			untried 15 "$compiler is not here"
		elif built 15 whole $compiler -O2 -flto -DNO_ASM "$flag" own.c; then
			is_left "$compiler -flto, $ld" ./whole "$whole"
			strip -g -o whole_stripped whole
			# Of what gcc changed no entry point's name is left: it has nothing to say.
			is_left "$compiler -flto, $ld, strip -g" ./whole_stripped ""
		fi
	done
	# Its sources stay apart and names global, but calls may be inlined across them.
	if ! command -v clang >/dev/null; then
		untried 6 "clang is not here"
	elif built 6 thin clang -O2 -flto=thin -DNO_ASM "$flag" own.c; then
		alike "thin, $ld" ./thin model.bin leave
		alike "thin, $ld, once" ./thin model.bin once
	fi
	# gold and lld keep the visibility; what ld tells goes with the names of sources.
	strip -g -o stripped guest
	if [ $ld = bfd ]; then
		is_left "$ld, strip -g" ./stripped "is local to one source"
	else
		is_guarded "$ld, strip -g" ./stripped
		untried 2 "$ld needs no names of sources"
	fi
done

# A compiler's own: one function of a program, and a program in one source.
for compiler in gcc clang; do
	command -v $compiler >/dev/null || {
		untried 16 "$compiler is not here"
		continue
	}
	# gcc gives what it changed another name, so that this one is left out alone.
	if ! built 8 own $compiler -O2 own.c -DLINKAGE=static; then
		continue
	elif [ $compiler = clang ]; then
		is_left "$compiler, static" ./own "llama_encode is local to one source"
	else
		alike "$compiler, static" ./own model.bin leave
		untried 5 "$compiler, static: nothing to say"
	fi
	printf '#include "%s"\n' "$parts/engine.c" "$parts/serve.c" >one.c
	flags=(-O2 -DNO_ASM)
	[ $compiler = gcc ] && flags+=(-fwhole-program)
	if "$compiler" -std=c11 -D_GNU_SOURCE -fvisibility=hidden -Wl,--build-id "${flags[@]}" \
		-o one one.c -pthread 2>compiler.log; then
		alike "$compiler, one source" ./one model.bin leave
		alike "$compiler, one source, once" ./one model.bin once
		check "$compiler, one source" "no drain" 0 "$(number_of '.ev == "drain"')"
	else
		untried 7 "$compiler ${flags[*]}: $(grep -m 1 . compiler.log)"
	fi
done

# Two functions that a linker found to be the same.
cat >twin.c <<'C'
#include <stdlib.h>
void drop_other(void *p);
void drop_other(void *p)
{
	free(p);
}
C
flag=$(linker gold)
if [ -z "$flag" ]; then
	untried 8 "ld.gold is not here"
elif built 8 twin "${CC:-cc}" -O2 -ffunction-sections "$flag" -Wl,--icf=all \
	-Wl,-u,drop_other twin.c; then
	is_left "gold --icf=all" ./twin "is the same function as another name"
fi
tally 150
