#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpu_routes.sh -- every way in which a program reaches a GPU runtime: each call is seen once.
#
# Route by load mode, for HIP, Level Zero, OpenCL and Vulkan on their fakes: what the program prints is
# the same, the generation has its three launches, and none is counted twice.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps
parts=$SRC/tests/integration/parts
read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2 -I$parts"

build() { # RUNTIME FLAG...
	local runtime=$1 fake=$tests/libfake_$1.so out pie
	shift
	"${cc[@]}" "$@" -DPLUGIN "-DRUNTIME=\"$fake\"" -fPIC -shared -o "libplugin_$runtime.so" "$parts/gpu_route.c" "$fake" \
		-Wl,-rpath,"$tests" || exit 1
	"${cc[@]}" "$@" -DRUNTIME="\"$fake\"" -DPLUGIN_FILE="\"$work/libplugin_$runtime.so\"" -o "${runtime}_open" \
		"$parts/gpu_route.c" -ldl || exit 1
	for out in lazy:-Wl,-z,lazy now:-Wl,-z,now,-z,relro noplt:-fno-plt nopie:-no-pie; do
		pie=-fPIE
		[ "${out%%:*}" = nopie ] && pie=-fno-pie
		"${cc[@]}" "$@" -DDIRECT "${out#*:}" "$pie" \
			-o "${runtime}_${out%%:*}" "$parts/gpu_route.c" "$fake" -Wl,-rpath,"$tests" -ldl || exit 1
	done
}

# LAUNCHES: of all generations together; nothing is in flight at the end.
seen() { # RUNTIME PROGRAM ROUTE LAUNCHES [HOW]
	local case="$1 $2 $3 ${5:-}"
	same "$case" "./$1_$2" "$3" ${5:+"$5"}
	check "$case" status "exit 0" "$(cat shim.status)"
	check "$case" launches "$4" \
		"$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end") | .submits) | add // 0')"
	grep -q 'memory 0, launches 0 0 0, wait 0, free 0' shim.out || fail "$case" "$(cat shim.out)"
}

for runtime in hip level0 opencl vulkan; do
	build $runtime "-D${runtime^^}"
	for program in lazy now noplt nopie; do
		for route in by_link by_static by_default; do
			seen $runtime $program $route 3
		done
	done
	for route in by_handle by_global by_plugin by_lazy_plugin by_deepbind by_dlmopen; do
		seen $runtime open $route 3
	done
	seen $runtime open by_reopening 9
done
# HIP's own look-ups, which ask the loader in its place.
for ask in hipGetProcAddress hipGetDriverEntryPoint; do
	for own in "" _spt; do
		"${cc[@]}" -DHIP "-DASK=\"$ask$own\"" "-DRUNTIME=\"$tests/libfake_hip.so\"" \
			-DPLUGIN_FILE='""' -o "hip_$ask$own" "$parts/gpu_route.c" -ldl || exit 1
		seen hip "$ask$own" by_asking 3
	done
done

# Vulkan's functions by name, whichever way the library that asks was loaded.
for how in instance device looked_up; do
	for route in by_plugin by_deepbind by_dlmopen; do
		seen vulkan open $route 3 $how
	done
done

# A driver of Level Zero that exports the names which it puts into the loader's table. Both
# are opened, as SYCL opens them: else the driver would find the loader's even alone.
"${cc[@]}" -fPIC -shared -o libdriver.so "$parts/ze_driver.c" || exit 1
"${cc[@]}" -fPIC -shared -o libze_loader.so.1 "$parts/ze_loader.c" -ldl || exit 1
"${cc[@]}" -DLEVEL0 -DPLUGIN -fPIC -shared -o libplugin_driver.so "$parts/gpu_route.c" ./libze_loader.so.1 \
	-Wl,-rpath,"$work" || exit 1
"${cc[@]}" -DLEVEL0 -DRUNTIME='"libze_loader.so.1"' -DPLUGIN_FILE='"libplugin_driver.so"' \
	-o level0_driver "$parts/gpu_route.c" -ldl || exit 1
export LD_LIBRARY_PATH=$work
for route in by_handle by_plugin by_deepbind; do
	seen level0 driver $route 3
done
tally 450
