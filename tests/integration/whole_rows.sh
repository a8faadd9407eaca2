#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# whole_rows.sh -- each row of whisper.cpp and of stable-diffusion.cpp: is entered once, reaches
# theirs once, gives its value back, and is in the log as its kind says. What whole.sh says of
# them needs engines that behave; here the engine is made of the rows, so that a new row is
# tested the day it is written; it is asked for by dlsym, as Python does.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

needs python3
python=$(python3 -c 'import sys; print(sys.executable)')
head -c 4096 /dev/zero >model.gguf

# NAME|KIND|what it gives|the parameters of each row that is watched.
rows() { # ENGINE
	"${CC:-cc}" -E -P -x c - <<-END | tr ';' '\n' | sed -n 's/^ *ROW //p'
		#include "$SRC/hooks/none.h"
		#undef OWN
		#undef OWNV
		#define OWN(ret, name, params, args, kind, refuse, doc) ROW name|kind|ret|args;
		#define OWNV(name, params, args, kind, doc) ROW name|kind|void|args;
		#define GENERATES(name, doc) ROW name|SUBMIT|void *|whole;
		#define COMPUTES(name, params, args, on, is_over, doc) ROW name|SUBMIT|int|is_over on;
		#include "$SRC/hooks/$1.def"
	END
}

# An engine: the row of number N gives the Nth cell, or 0 where it computes.
engine() { # ROWS
	echo 'int calls; char cells[100][16];'
	awk -F'|' '
		/\|void \*\|/ { print "void *" $1 "(void) { calls++; return cells[" NR "]; }" }
		/\|int\|/ { print "int " $1 "(void) { calls++; return 0; }" }
		/\|void\|/ { print "void " $1 "(void) { calls++; }" }' "$1"
}

cat >rows.py <<'PYTHON'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
calls = ctypes.c_int.in_dll(lib, "calls")
cells = ctypes.addressof(ctypes.c_char.in_dll(lib, "cells"))
made = {}
rows = [line.rstrip("\n").split("|") for line in open("rows.txt")]
# What frees a state comes before what frees the model, and both last.
for name, kind, gives, args in sorted(rows, key=lambda r: (r[1] == "UNLOAD", r[1] == "UNLOAD" and "state" not in r[0])):
    f = getattr(lib, name)
    f.restype = {"void *": ctypes.c_void_p, "int": ctypes.c_int, "void": None}[gives]
    first = ctypes.c_char_p(b"model.gguf")
    if kind == "NOTE" or kind == "SUBMIT":
        first = ctypes.c_void_p(made["ctx"])
    elif kind == "UNLOAD":
        first = ctypes.c_void_p(made["state" if "state" in name else "up" if "upscaler" in name else "ctx"])
    second = ctypes.c_void_p(made.get("state")) if "state" in name else ctypes.c_void_p(0)
    before = calls.value
    got = f(first, second, *[ctypes.c_void_p(0)] * 3)
    if kind == "LOAD" and "no_state" not in name:  # such a one computes by states alone
        made["up" if "upscaler" in name else "ctx"] = got
    elif kind == "NOTE":
        made["state"] = got
    print(name, calls.value - before, (got - cells) // 16 if gives == "void *" else got, flush=True)
PYTHON

for engine in whisper sd; do
	rows $engine >rows.txt
	check $engine "rows found" "$(grep -cE '^(OWN|OWNV|BRINGS|BRINGS_BARE|COMPUTES|GENERATES)\(' "$SRC/hooks/$engine.def")" "$(wc -l <rows.txt)"
	engine rows.txt >engine.c
	"${CC:-cc}" -shared -fPIC -o lib$engine.so engine.c || fail $engine "the engine is not made"
	same $engine "$python" rows.py "$work/lib$engine.so"
	check $engine status "exit 0" "$(cat shim.status)"
	check $engine "calls of theirs, and values" "$(awk -F'|' '{ print $1, 1, /\|void \*\|/ ? NR : /\|int\|/ ? 0 : "None" }' rows.txt | sort)" "$(sort shim.out)"
	crumbs >all.json
	while IFS='|' read -r name kind _; do
		[ "$kind" = SUBMIT ] && continue
		check "$name" "begins and ends" "1 1" "$(for phase in begin end; do
			jq -c "select(.engine == \"$engine\" and .call == \"$name\" and .ev == \"${kind,,}\" and .ph == \"$phase\" and (.rc // 0) == 0)" all.json | wc -l
		done | xargs)"
	done <rows.txt
	# Each that is a whole generation has one of its own; steps belong to one of what they are on.
	while IFS='|' read -r name _ _ how; do
		case $how in
		whole | true*) check "$name" "its generation" 1 "$(jq -c "select(.call == \"$name\" and .ev == \"infer\" and .ph == \"begin\")" all.json | wc -l)" ;;
		esac
	done < <(grep '|SUBMIT|' rows.txt)
	check $engine "what is computed" "$(grep -c '|SUBMIT|' rows.txt)" "$(jq 'select(.ev == "infer" and .ph == "end") | .submits' all.json | awk '{ n += $1 } END { print n }')"
	check $engine errors 0 "$(count '.ev == "error"')"
done
tally 43
