#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mlx_streams.sh -- loads of MLX that are given an open file instead of a path: what they are
# named by, and that it is never another model.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

needs python3
[ "$(uname -m)" = x86_64 ] || {
	echo "where the result of a load goes is known here of x86-64 alone"
	exit 77
}
python=$(python3 -c 'import sys; print(sys.executable)')

# It reads nothing: what the words open stands for what an engine would open.
core=_ZN3mlx4core device=St7variantIJSt9monostateNS0_6StreamENS0_6DeviceEEE
cat >libmlx.c <<END
#define NAMED(n, name) void f##n(void) __asm__(name); void f##n(void) {}
NAMED(1, "${core}16load_safetensorsERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE$device")
NAMED(2, "${core}16load_safetensorsB5cxx11ESt10shared_ptrINS0_2io6ReaderEE$device")
NAMED(3, "${core}5array4evalEv")
END
"${CC:-cc}" -shared -fPIC -o libmlx.so libmlx.c || exit 1
cat >streams.py <<'END'
import ctypes, os, sys
lib = ctypes.CDLL(sys.argv[1])
core = "_ZN3mlx4core"
device = "St7variantIJSt9monostateNS0_6StreamENS0_6DeviceEEE"
by_path = lib[core + "16load_safetensorsERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE" + device]
by_stream = lib[core + "16load_safetensorsB5cxx11ESt10shared_ptrINS0_2io6ReaderEE" + device]
compute = lib[core + "5array4evalEv"]
room = ctypes.create_string_buffer(256)
files = {}
for word in sys.argv[2:]:
    verb, _, path = word.partition("=")
    if verb == "open":
        files[path] = open(path, "rb")
    elif verb == "cd":
        os.chdir(path)
    elif verb == "close":
        files.pop(path).close()
    elif verb == "path":
        files["read " + path] = open(path, "rb")
        text = ctypes.create_string_buffer(path.encode())
        by_path(room, (ctypes.c_void_p * 4)(ctypes.addressof(text), len(path), len(path), 0), None)
    elif verb == "read":
        files.pop("read " + path).close()
    elif verb == "stream":
        by_stream(room, None, None)
    elif verb == "eval":
        compute(None)
END

model() { # FOLDER BYTES
	mkdir -p "$1"
	{ printf '\20\0\0\0\0\0\0\0{"__metadata__":{}}' && head -c "$2" /dev/zero; } >"$1/model.safetensors"
	echo '{"model_type": "llama"}' >"$1/config.json"
}
model big 9000
model small 10
mkdir kept
cp small/model.safetensors kept/cache.safetensors
b=big/model.safetensors s=small/model.safetensors k=kept/cache.safetensors

loads() { # CASE WANTED WORD...: names of all loads that ended, in order
	local case=$1 wanted=$2
	shift 2
	fresh
	with_shim "$python" streams.py "$work/libmlx.so" "$@"
	check "$case" status "exit 0" "$(cat shim.status)"
	check "$case" "loads" "$wanted" "$(crumbs | jq -rs '[sort_by(.seq)[] | select(.ev == "load" and .ph == "end") |
		.model // "unnamed"] | join(" ")')"
	check "$case" "caches that were read back" "${caches:-0}" "$(count '.ev == "note" and (.msg // "" | startswith("a saved cache is read back"))')"
}

loads "one file" small open=$s stream eval
loads "behind a load" "big small" path=$b read=$b eval open=$s stream eval
loads "behind one that is not evaluated" "big small" path=$b open=$s stream eval
loads "behind one whose files stay open" "big small" path=$b eval open=$s stream eval
loads "two, one behind the other" "big small" open=$b stream eval close=$b open=$s stream eval
loads "the same once more" "small small" open=$s stream eval close=$s open=$s stream eval
loads "of the load that is open" big path=$b stream eval
n=model.safetensors
loads "behind one of the folder that it is in" "model small" cd=big open=../$s path=$n read=$n eval stream eval
loads "behind one of that folder, not evaluated" "model small" cd=big open=../$s path=$n read=$n stream eval
loads "one of that folder, behind an unnamed load" "unnamed model" open=$b open=$s stream cd=big path=$n eval
loads "of the load of that folder that is open" model cd=big path=$n stream eval
loads "two files at once" unnamed open=$b open=$s stream eval
loads "read into memory" unnamed open=$s close=$s stream eval
caches=1
loads "a cache" "" eval open=$k stream eval
loads "a cache, behind a load" big path=$b read=$b eval open=$k stream eval
loads "a cache, into a load" big path=$b open=$k stream eval
loads "a cache from memory, behind a load" big path=$b read=$b eval stream eval
loads "a cache from memory, behind an unnamed load" unnamed open=$b open=$s stream eval close=$b close=$s stream eval

# By a link, as folders of caches have them: the descriptor is at what it leads to.
caches=0
mkdir -p blobs linked
mv small/model.safetensors blobs/0123
ln -s ../blobs/0123 linked/model.safetensors
cp small/config.json linked
loads "a link" "big linked" path=$b read=$b eval open=linked/model.safetensors stream eval
tally 57
