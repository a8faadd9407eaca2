#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mlx_names.sh -- names of MLX that no real engine on this machine has: of libc++, of
# old versions, of mlx-c; asked for by dlsym, as Python and Go do. All of the table are held
# against what compilers make of the declarations.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
# A machine that stands still in a generation does not end it.
export TAFFRAIL_SET=drain.idle_ms=10m

command -v python3 >/dev/null || {
	echo "needs python3"
	exit 77
}
python=$(python3 -c 'import sys; print(sys.executable)')

cat >names.py <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
size = ctypes.c_size_t
for call in sys.argv[2:]:
    name, *args = call.split(":")
    if name.startswith("mlx_set"):
        before = size()
        r = getattr(lib, name)(ctypes.byref(before), size(int(args[0])))
        print(name, r, before.value)
    elif name == "mlx_load_safetensors":
        print(name, lib.mlx_load_safetensors(None, None, args[0].encode(), None))
    else:
        f = getattr(lib, name)
        f.restype = size
        f(*[size(int(a)) for a in args])
        print(name)
END

names() { # CASE LIB CALL...
	same "$1" "$python" names.py "$tests/lib$2.so" "${@:3}"
}

core=_ZN3mlx4core
names cxx fake_mlx "${core}4evalENSt3__16vectorINS0_5arrayENS1_9allocatorIS3_EEEE:0" \
	"${core}10async_evalENSt3__16vectorINS0_5arrayENS1_9allocatorIS3_EEEE:0" "${core}5array4evalEv:0" \
	"${core}5metal15set_wired_limitEm:7" "${core}5metal15set_cache_limitEm:7" \
	"${core}5metal16set_memory_limitEmb:7:1" "${core}5metal11clear_cacheEv" "${core}11synchronizeEv" \
	"${core}5metal16get_cache_memoryEv" "${core}16get_memory_limitEv"
has cxx "a generation" '.ev == "infer" and .ph == "begin" and (.call | contains("NSt3__1"))'
has cxx "its end" '.ev == "infer" and .ph == "end" and .submits == 3'
for name in 15set_wired_limitEm 15set_cache_limitEm 16set_memory_limitEmb; do
	has cxx "$name" ".ev == \"limit\" and .ph == \"end\" and .rc == 0 and .bytes == 7 and .call == \"${core}5metal$name\""
done
has cxx "the cleared cache" ".ev == \"trim\" and .ph == \"end\" and .call == \"${core}5metal11clear_cacheEv\""

# mlx-c: a model's folder, a cache that is read back, one generation, its limits.
mkdir model
printf '\20\0\0\0\0\0\0\0{"__metadata__":{}}' >model/model.safetensors
echo '{"model_type": "llama"}' >model/config.json
cp model/model.safetensors kept.safetensors
calls=(mlx_set_wired_limit:1000 mlx_load_safetensors:model/model.safetensors mlx_eval:0
	mlx_load_safetensors:kept.safetensors mlx_async_eval:0 mlx_array_eval:0 mlx_async_eval:0
	mlx_array_eval:0 mlx_synchronize:0 mlx_clear_cache mlx_set_wired_limit:5 mlx_set_wired_limit:0
	mlx_set_cache_limit:4096 mlx_set_cache_limit:1)
names mlxc fake_mlxc "${calls[@]}"
has mlxc "the load" '.ev == "load" and .ph == "end" and .rc == 0 and .engine == "mlxc" and .model == "model"'
check mlxc "loads" 1 "$(count '.ev == "load" and .ph == "begin"')"
has mlxc "the cache" '.ev == "note" and (.msg // "" | startswith("a saved cache is read back"))'
check mlxc "generations" 1 "$(count '.ev == "infer" and .ph == "end" and .model == "model" and .tokens == 1 and .steps == 1 and .requests == null and .submits == 4')"
TAFFRAIL_STATE=$state "$BUILD/taffrail" report --all >text
check mlxc "what the report says of its tokens" 1 "$(grep -c '1 token or more' text)"
check mlxc "limits" 5 "$(count '.ev == "limit" and .ph == "end" and .rc == 0')"

# What is granted is another thing than what is answered.
without_shim "$python" names.py "$tests/libfake_mlxc.so" "${calls[@]}"
with_shim TAFFRAIL_SET="limits.wired=swallow;limits.cache=1024B" FAKE_LOG="$work/calls.log" \
	"$python" names.py "$tests/libfake_mlxc.so" "${calls[@]}"
check granted "answers" "$(cat plain.out)" "$(cat shim.out)"
check granted "swallowed" 0 "$(grep -c mlx_set_wired_limit "$work/calls.log")"
check granted "passed on" 2 "$(grep -c mlx_set_cache_limit "$work/calls.log")"
has granted "a word of it" '.ev == "limit" and .ph == "end" and .bytes == 1000 and (.msg // "" | startswith("asked 1000"))'

# A later spelling of a load is not seen, and that is said: once, and of nothing else.
cat >later.c <<'END'
#define NAMED(n, name) void f##n(void) __asm__(name); void f##n(void) {}
NAMED(1, "_ZN3mlx4core5array4evalEv")
NAMED(2, "_ZN3mlx4core9load_ggufERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEESt7variantIJSt9monostateNS0_6StreamENS0_6DeviceEEE")
NAMED(3, "_ZN3mlx4core9save_ggufENew")
#ifdef LATER
NAMED(4, "_ZN3mlx4core16load_safetensorsERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEENS0_3NewE")
NAMED(5, "_ZN3mlx4core10async_evalENS0_3NewE")
NAMED(6, "_ZN3mlx4core11synchronizeENS0_3NewE")
#else
NAMED(4, "_ZN3mlx4core4evalIJRNS0_5arrayEEvEEvDpOT_")
NAMED(5, "_ZN3mlx4core10async_evalESt6vectorINS0_5arrayESaIS2_EE")
NAMED(6, "_ZN3mlx4core16get_peak_memory2Ev")
#endif
END
for hash in gnu sysv; do
	for later in 0 1; do
		case="spelling, $hash $later"
		flags=(-shared -fPIC "-Wl,--hash-style=$hash")
		[ $later = 0 ] || flags+=(-DLATER)
		"${CC:-cc}" "${flags[@]}" -o libmlx.so later.c || fail "$case" "not made"
		with_shim "$python" names.py "$work/libmlx.so" "${core}5array4evalEv:0" "${core}5array4evalEv:0"
		check "$case" status "exit 0" "$(cat shim.status)"
		check "$case" "notes" "$later" "$(count '.ev == "note" and (.msg // "" | test("way to load"))')"
		check "$case" "notes of other calls" "$((2 * later))" "$(count '.ev == "note" and (.msg // "" | test("way to compute is not known|spelling is not known"))')"
		check "$case" "of those names" "$((2 * later))" "$(count '.call // "" | . == "_ZN3mlx4core10async_evalENS0_3NewE" or . == "_ZN3mlx4core11synchronizeENS0_3NewE"')"
		check "$case" "of that name" "$later" "$(count '(.call // "") == "_ZN3mlx4core16load_safetensorsERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEENS0_3NewE"')"
	done
done

# `run` says so of a library that a program of its own has loaded, whatever that calls: once,
# also where another process has one whose names are all known, and of no other.
mkdir known later
cat >mlx.hh <<'END'
#include <string>
#include <vector>
#ifdef LATER
#define MORE , int
#else
#define MORE
#endif
namespace mlx::core {
struct array {};
void eval(std::vector<array> MORE);
void async_eval(std::vector<array> MORE);
void clear_cache();
}
END
cat >mlx.cc <<'END'
#include "mlx.hh"
namespace mlx::core {
void eval(std::vector<array> MORE) {}
void async_eval(std::vector<array> MORE) {}
void clear_cache() {}
}
END
cat >mlx_guest.cc <<'END'
#include "mlx.hh"
#include <cstdio>
#include <unistd.h>
int main(int, char **argv)
{
	mlx::core::clear_cache();
	fclose(fopen(argv[1], "w"));
	while (access("seen", F_OK))
		usleep(20000);
	return 3;
}
END
# A library that only has the name of an engine, and no guard: that `run` has looked.
cat >bare.sh <<'END'
until [ -e up.known ] && [ -e up.off ]; do sleep 0.02; done
LD_PRELOAD=$PWD/libllama-test.so exec sh -c 'until [ -e seen ]; do sleep 0.02; done'
END
looks() { # CASE PATTERN STATUS COMMAND...: until it has said what it sees
	local pid
	rm -rf seen up.* run.err "$state"
	TAFFRAIL_STATE=$state "$BUILD/taffrail" run -- "${@:4}" >run.out 2>run.err </dev/null &
	pid=$!
	await 60 grep -q "^taffrail: " run.err
	: >seen
	wait $pid
	check "$1" status "$3" $?
	check "$1" "lines" 1 "$(grep -c '' run.err)"
	check "$1" "the line, of: $(cat run.err)" 1 "$(grep -cE "^taffrail: $2" run.err)"
}
if "${CXX:-g++}" -std=c++17 -w -shared -fPIC -o known/libmlx.so mlx.cc &&
	"${CXX:-g++}" -std=c++17 -w -shared -fPIC -DLATER -o later/libmlx.so mlx.cc &&
	"${CC:-cc}" -shared -fPIC -o libllama-test.so -x c /dev/null; then
	for lib in known later; do
		"${CXX:-g++}" -std=c++17 -w -o $lib/guest mlx_guest.cc -L$lib -lmlx "-Wl,-rpath,\$ORIGIN" ||
			fail "run, $lib" "not made"
	done
	line='guest \(pid [0-9]+\) has libmlx.so loaded, which spells mlx::core::(async_)?eval and others as no version does'
	looks "run, later" "$line" 3 later/guest up.later
	looks "run, both" "$line" 0 sh -c 'known/guest up.known & until [ -e up.known ]; do sleep 0.02; done; later/guest up.later & wait'
	looks "run, known, or off" "sh \(pid [0-9]+\) has libllama-test.so loaded but runs unguarded" 0 \
		sh -c 'known/guest up.known & TAFFRAIL=off later/guest up.off & sh bare.sh & wait'
else
	untried 9 "no C++ compiler here: what run says of a later spelling"
fi

# eval.chunk: arrays that do not lie as is known are evaluated as they are, and once that is said.
cat >odd.py <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
room = ctypes.create_string_buffer(64)
at = (ctypes.addressof(room) + 15) & ~15
for _ in range(2):
    lib._ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE((ctypes.c_void_p * 3)(at, at + 24, at + 24))
END
for n in 0 1; do
	with_shim TAFFRAIL_SET="eval.chunk=$n;drain.idle_ms=10m" "$python" odd.py "$tests/libfake_mlx.so"
	check "chunk $n" "status, evaluations" "exit 0 2" "$(cat shim.status) $(crumbs | jq 'select(.ev == "infer" and .ph == "end") | .submits')"
	check "chunk $n" "words of it" $n "$(count '.ev == "note" and .rule == "eval.chunk" and (.msg | startswith("not split: "))')"
done

# How each name is spelled, by compilers: of what a table of ours says no fake can tell.
grep -oE '_ZN3mlx4core[A-Za-z0-9_]+' "$SRC/hooks/mlx.def" | sort -u >table.txt
compilers=0
for compiler in g++ clang++; do
	[ "$(uname -sm)" = "Linux x86_64" ] && command -v "$compiler" nm >/dev/null || continue
	# Without headers of its own it says so here, and is none.
	echo '#include <variant>' | "$compiler" -std=c++17 -fsyntax-only -x c++ - 2>/dev/null || continue
	compilers=$((compilers + 1))
	for lib in "" -DLIBCXX; do
		for streams in 1 2 3; do
			"$compiler" -std=c++17 -w -DSTREAMS=$streams $lib -c -o names$lib$streams.o \
				"$SRC/tests/integration/mangled_mlx.cpp" || fail "$compiler" "it compiles nothing"
		done
	done
	check "$compiler" "names in the table, and spelled by it" "" "$(nm -g --defined-only names*.o |
		awk '$3 ~ /^_ZN3mlx4core/ { print $3 }' | sort -u | diff table.txt -)"
done
[ $compilers -gt 0 ] || untried 1 "no C++ compiler here: whether names are spelled right"

tally 48
