#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# real.sh -- the real libamdhip64 and the real loader of Level Zero, on a machine without
# their GPUs: every answer of theirs is what the program gets.
#
# HIP finds no device, and every function says so.  The loader gets a driver of ours, one
# that binds its own names and one whose names are bound to the guard's (ze_real_driver.c).
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
root=$("$BASH" "${SRC:?}/tests/engines/gpu/fetch.sh") || exit $?
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_gpu_bad
lib=$root/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$lib
for case in garbage sizes early late child handler threads shortage capture closed; do
	same "HIP $case" GPU_LIBRARY=libamdhip64.so.5 "$tests/guest_gpu_bad" hip $case
	check "HIP $case" status "exit 0" "$(cat shim.status)"
done
grep -q '^take: 10[01]' shim.out || fail "HIP" "has a device, or none of its errors: $(head -n 1 shim.out)"

parts=$SRC/tests/integration/parts
read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2 -I$root/usr/include"
driver() { # NAME FLAGS...
	"${cc[@]}" -DHAS_ZE_HEADERS -fPIC -shared "${@:2}" -o "$1" "$SRC/tests/integration/parts/ze_real_driver.c" || exit 1
}
driver libbound.so
driver libown.so -Wl,-Bsymbolic
"${cc[@]}" -DLEVEL0 -DZE_INIT -DPLUGIN -fPIC -shared -o libplugin.so "$parts/gpu_route.c" "$lib/libze_loader.so.1" || exit 1
"${cc[@]}" -DLEVEL0 -DZE_INIT -DRUNTIME='"libze_loader.so.1"' -DPLUGIN_FILE="\"$work/libplugin.so\"" -o opens \
	"$parts/gpu_route.c" -ldl || exit 1
"${cc[@]}" -DLEVEL0 -DZE_INIT -DDIRECT -o linked "$parts/gpu_route.c" "$lib/libze_loader.so.1" -ldl || exit 1

# DRIVER PROGRAM ROUTE
while read -r driver program route; do
	[ -n "$driver" ] || continue
	case="Level Zero, $driver, $program $route"
	same "$case" ZE_ENABLE_ALT_DRIVERS="$work/$driver" "./$program" "$route"
	check "$case" output "memory 0, launches 0 0 0, wait 0, free 0" "$(cat shim.out)"
	check "$case" launches 3 \
		"$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end") | .submits) | add // 0')"
done <<'END'
libown.so linked by_link
libown.so linked by_default
libown.so opens by_handle
libown.so opens by_plugin
libown.so opens by_deepbind
libbound.so opens by_handle
libbound.so opens by_plugin
END
tally 75
