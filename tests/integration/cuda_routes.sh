#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cuda_routes.sh -- every way in which a call can reach CUDA's driver and runtime.
#
# Each program prints the same with and without the shim.  By whatever route, and however
# many layers it went through, three pieces, five launches and one wait are counted once
# and on device 1: what is left is 9192 bytes in two pieces, and nothing in flight.  A
# route that is missed says so in the table: one that begins to be seen must be noted too.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

parts=$SRC/tests/integration/parts
read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2 -Wl,-rpath,$work"

declare -A eleven=([11]=-DELEVEN)

library() { # NAME SOURCE FLAGS...
	"${cc[@]}" -fPIC -shared -Wl,-soname,"$1" -o "$1" "${@:2}" || exit 1
}

build() {
	local n file
	library libcuda.so.1 "$SRC/tests/fake/fake_cuda.c" -Wl,-Bsymbolic
	# A symbol's version is the name of its file.
	for n in 11 12 13; do
		file=libcudart.so.${n/11/11.0}
		echo "$file { global: *; };" >map
		library "$file" "$SRC/tests/fake/fake_cudart.c" -DGENERATION=$n -Wl,-Bsymbolic \
			-Wl,--version-script=map -ldl
		library libuser_$n.so "$parts/cuda_linked.c" ${eleven[$n]:+"${eleven[$n]}"} "./$file"
		"${cc[@]}" -DOWN -o own_$n "$parts/cuda_route.c" "$parts/cuda_linked.c" ${eleven[$n]:+"${eleven[$n]}"} "./$file" -ldl || exit 1
	done
	library libuser_noplt.so "$parts/cuda_linked.c" -fno-plt ./libcudart.so.13
	library libuser_driver.so "$parts/cuda_linked.c" -DDRIVER ./libcuda.so.1
	# A static runtime's own names are hidden; of the loader it uses dlopen and dlsym.
	for n in 11030 12000 13000; do
		library libstatic_$n.so "$parts/cuda_static.c" -DVERSION=$n -ldl
		library libstatic_${n}_ptsz.so "$parts/cuda_static.c" -DVERSION=$n -DFLAGS=2 -ldl
	done
	"${cc[@]}" -o plain "$parts/cuda_route.c" -ldl || exit 1
	for n in "" -fno-plt -DADDRESSES -fno-pie; do
		"${cc[@]}" -DOWN $n ${n:+$([ "$n" = -fno-pie ] && echo -no-pie)} -o "own$n" "$parts/cuda_route.c" "$parts/cuda_linked.c" \
			./libcudart.so.13 -ldl || exit 1
	done
	"${cc[@]}" -DOWN -DDRIVER -o own_driver "$parts/cuda_route.c" "$parts/cuda_linked.c" ./libcuda.so.1 -ldl || exit 1
	"${cc[@]}" -DOWN -DVERSION=13000 -o own_static "$parts/cuda_route.c" "$parts/cuda_static.c" -ldl || exit 1
}

# SEEN PROGRAM ARGUMENTS: yes, or missed.
table='
yes    own own
yes    own-fno-plt own
yes    own-DADDRESSES own
yes    own-fno-pie own
yes    own_11 own
yes    own_12 own
yes    own_driver own
yes    own_static own
yes    plain handle
yes    plain version
yes    plain handle libcudart.so.11.0
yes    plain version libcudart.so.11.0
yes    plain version libcudart.so.12
yes    plain driver
yes    plain local libuser_11.so
yes    plain local libuser_12.so
yes    plain local libuser_13.so
yes    plain local libuser_noplt.so
yes    plain local libuser_driver.so
yes    plain deep libuser_13.so
yes    plain deep_lazy libuser_13.so
yes    plain deep libuser_11.so
yes    plain deep libuser_12.so
yes    plain deep libuser_noplt.so
yes    plain deep libuser_driver.so
yes    plain space libuser_13.so
yes    plain space libuser_11.so
yes    plain space libuser_12.so
yes    plain space libuser_noplt.so
yes    plain space libuser_driver.so
yes    plain local libstatic_11030.so
yes    plain local libstatic_12000.so
yes    plain local libstatic_13000.so
yes    plain local libstatic_11030_ptsz.so
yes    plain local libstatic_12000_ptsz.so
yes    plain local libstatic_13000_ptsz.so
yes    plain deep libstatic_11030.so
yes    plain deep libstatic_12000.so
yes    plain deep libstatic_13000.so
yes    plain space libstatic_11030.so
yes    plain space libstatic_12000.so
yes    plain space libstatic_13000.so
yes    plain space libstatic_13000_ptsz.so
'

build
export LD_LIBRARY_PATH=$work
while read -r seen program arguments; do
	[ -n "$seen" ] || continue
	for driver in "" 1; do
		case $driver:$program:$arguments in
		1:*driver*:* | 1:*:*driver* | 1:*static*:* | 1:*:*static*) continue ;;
		esac
		case=$program:$arguments${driver:+:through the driver}
		# shellcheck disable=SC2086 # words
		same "$case" ${driver:+FAKE_DRIVER=1} "./$program" $arguments
		check "$case" status "exit 0" "$(cat shim.status)"
		check "$case" "right" "give 0" "$(grep give shim.out)"
		want="5 0 1 9192 2 13288"
		[ "$seen" = yes ] || want="0 0 0 0 0 0"
		got=$(crumbs | jq -s '[(map(select(.ev == "infer" and .ph == "end")) | map(.submits) | add // 0),
			(map(select(.ev == "infer" and .ph == "end")) | map(.in_flight // 0) | add // 0),
			(map(select(.class == "device")) | (map(.device) | add // 0), (map(.bytes) | add // 0),
				(map(.pieces) | add // 0), (map(.peak_bytes) | add // 0))] | map(tostring) | join(" ")' -r)
		check "$case" "submits, in flight; device, bytes, pieces, peak" "$want" "$got"
	done
done <<<"$table"

# Two runtimes in one process: each caller reaches its own; together twice the work.
for pair in "libuser_12.so libuser_13.so" "libuser_13.so libuser_12.so" "libuser_11.so libuser_12.so"; do
	# shellcheck disable=SC2086 # words
	same "two: $pair" ./plain two $pair
	want=$(tr ' ' '\n' <<<"$pair" | sed 's/libuser_\(.*\).so/runtime \1/')
	check "two: $pair" "each its own" "$want" "$(grep runtime shim.out)"
	check "two: $pair" launches 10 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')"
done

# Closed and opened again, with what lay there before gone.
same reopen ./plain reopen libuser_13.so
check reopen launches 15 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')"
same reopen-static ./plain reopen libstatic_13000.so
check reopen-static launches 15 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')"

# Weak references without a driver; and a driver that does not know what is asked for.
same weak ./plain weak
same older FAKE_FROM=9000 ./plain local libstatic_13000.so
same off TAFFRAIL=off ./plain local libstatic_13000.so
tally 400
