#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mlx_rows.sh -- each row of the tables of MLX and of mlx-c: reaches theirs once, gives its value
# back, and is in the log as its kind says. What every_row.sh is for llama.cpp and ggml.
#
# The rows, what they take and their kinds are read from the tables, so that a new row is
# tested the day it is written; it is asked for by dlsym, as Python and Go do.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

needs python3
[ "$(uname -m)" = x86_64 ] || {
	echo "where the result of a load goes is known here of x86-64 alone"
	exit 77
}
python=$(python3 -c 'import sys; print(sys.executable)')

# NAME|KIND|ARGUMENTS of each row of an engine; of NOTIFY, NAME alone.
rows() { # ENGINE
	"${CC:-cc}" -E -P -x c - <<-END | tr ';' '\n' | sed -n 's/^ *ROW //p'
		#include "$SRC/hooks/none.h"
		#undef HOOK
		#undef HOOKV
		#undef OWN
		#undef OWNV
		#undef NOTIFY
		#undef CALL
		#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) ROW name|kind|args;
		#define HOOKV(name, params, args, kind, bytes, doc) ROW name|kind|args;
		#define OWN(ret, name, params, args, kind, refuse, doc) ROW name|kind|args;
		#define OWNV(name, params, args, kind, doc) ROW name|kind|args;
		#define NOTIFY(name, kind, doc) ROW name;
		#define CALL(ret, name, params, doc)
		#include "$SRC/hooks/$1.def"
	END
}

written() { # ENGINE ROW...: how many the table has
	grep -cE "^($2)\(" "$SRC/hooks/$1.def"
}

cat >rows.py <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
before = ctypes.c_size_t(0)
values = {"path": b"model/model.safetensors", "limit": ctypes.c_size_t(1 << 20), "before": ctypes.byref(before)}
for line in sys.stdin:
    name, kind, args = line.strip().split("|")
    given = [values.get(a.strip(), 0) for a in args.strip("() ").split(",") if a.strip()]
    f = getattr(lib, name)
    lib.fake_reset()
    f(*given)
    print(name, lib.fake_count(name.encode()), before.value, flush=True)
END

# What computes, synchronizes, sets and clears: with the fakes.
"$python" "$SRC/tests/engines/mlx/mkmodel.py" model --layers 1 --width 8 || exit 1
# raw has no input to give.
printf '#!/bin/sh\nexec "$@" <"%s/rows.txt"\n' "$work" >fed
chmod 755 fed
for engine in mlx mlxc; do
	rows $engine | grep '|' >rows.txt
	check $engine "rows found" "$(written $engine "HOOK|HOOKV|OWN|OWNV|EVALS|ASYNCS|LIMITS|MAKES")" "$(wc -l <rows.txt)"
	same "$engine" ./fed "$python" rows.py "$tests/libfake_$engine.so"
	check "$engine" status "exit 0" "$(cat shim.status)"
	check "$engine" "not called, or not once" "" "$(awk '$2 != 1' shim.out)"
	check "$engine" "rows called" "$(wc -l <rows.txt)" "$(wc -l <shim.out)"
	crumbs >all.json
	while IFS='|' read -r name kind _; do
		begins=$(jq -c "select(.call == \"$name\" and .ph == \"begin\" and .ev == \"${kind,,}\")" all.json | wc -l)
		ends=$(jq -c "select(.call == \"$name\" and .ph == \"end\" and .ev == \"${kind,,}\" and .of and .rc == 0)" all.json | wc -l)
		case $kind in
		LIMIT | TRIM) check "$name" "begins and ends" "1 1" "$begins $ends" ;;
		# The three of mlx-c are one load, which the first of them began.
		LOAD) has "$name" "the load" ".ev == \"load\" and .ph == \"begin\" and .engine == \"mlxc\" and .model == \"model\"" ;;
		*) check "$name" "records in the log" 0 "$begins" ;;
		esac
	done <rows.txt
	check $engine "evaluations" "$(grep -c '|SUBMIT|' rows.txt)" "$(jq 'select(.ev == "infer" and .ph == "end") | .submits' all.json | awk '{ n += $1 } END { print n }')"
done

# Before 0.1.0: no function says whether it went well, and what is read comes back, by a pointer.
cat >old.py <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
for name in "mlx_load_safetensors", "mlx_eval", "mlx_array_eval", "mlx_async_eval", "mlx_synchronize", "mlx_metal_clear_cache":
    f = getattr(lib, name)
    f.restype = ctypes.c_uint64 if "load" in name else None
    print(name, f(ctypes.c_void_p(0x11), ctypes.c_void_p(0x22)))
END
same old "$python" old.py "$tests/libfake_mlxc_old.so"
check old "what was read" "mlx_load_safetensors $((0x7eed00000033))" "$(head -n 1 shim.out)"
check old "what it computed" 3 "$(crumbs | jq 'select(.ev == "infer" and .ph == "end") | .submits' | awk '{ n += $1 } END { print n }')"
has old "the trim" '.ev == "trim" and .ph == "end" and .call == "mlx_metal_clear_cache" and .rc == 0'
has_not old "failures that nobody told of" '.ev == "error" or (.ph == "end" and .call and .rc != 0)'

# What reads: no fake has it, as what comes back is an object. Here nothing does, and where the
# path is, in a string of either library, is told by what is loaded.
rows mlx | grep -v '|' >names.txt
check reads "rows found" "$(written mlx "READS|STREAMS|NOTIFY")" "$(wc -l <names.txt)"
{
	echo 'void evaluate(void) __asm__("_ZN3mlx4core5array4evalEv"); void evaluate(void) {} int calls;'
	awk '{ print "void f" NR "(void) __asm__(\"" $1 "\"); void f" NR "(void) { calls++; }" }' names.txt
} >reads.c
"${CC:-cc}" -shared -fPIC -o libmlx.so reads.c || fail reads "the engine is not made"
cat >reads.py <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
calls = ctypes.c_int.in_dll(lib, "calls")
room = ctypes.create_string_buffer(256)
for n, name in enumerate(open("names.txt").read().split()):
    path = f"m{n}/model.safetensors".encode()
    at = ctypes.cast(ctypes.c_char_p(path), ctypes.c_void_p).value
    long = (65, len(path), at) if "NSt3__1" in name else (at, len(path), len(path))
    kept = open(path, "rb")
    getattr(lib, name)(room, 0 if "io6Reader" in name else (ctypes.c_uint64 * 4)(*long, 0))
    print(name, calls.value, flush=True)
    lib._ZN3mlx4core5array4evalEv(0)
    lib._ZN3mlx4core5array4evalEv(0)  # a generation: what is opened from now on is another model's
END
for n in $(seq 0 $(($(wc -l <names.txt) - 1))); do
	cp -r model m"$n"
done
same reads "$python" reads.py "$work/libmlx.so"
check reads status "exit 0" "$(cat shim.status)"
n=0
while read -r name; do
	check "$name" "it loads, and reaches theirs" "1 $((n + 1))" \
		"$(count ".call == \"$name\" and .ev == \"load\" and .ph == \"end\" and .rc == 0 and .model == \"m$n\"") $(sed -n "s/^$name //p" shim.out)"
	n=$((n + 1))
done <names.txt
tally 67
