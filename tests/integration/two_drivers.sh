#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# two_drivers.sh -- two drivers of Vulkan, or of OpenCL, in one process: a function that the
# loader does not export reaches the driver whose device it is called for.
#
# Vulkan's are each seen once.  Of OpenCL's, which are found by platform, those of the
# second one are not watched, which a record says.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

parts=$SRC/tests/integration/parts
read -ra cc <<<"${CC:-cc} -std=c11 -D_GNU_SOURCE -g -O2"
for who in a b; do
	"${cc[@]}" -fPIC -shared -DWHO="\"$who\"" -o libvk_$who.so "$parts/vk_driver.c" || exit 1
done
"${cc[@]}" -fPIC -shared -Wl,-soname,libvulkan.so.1 -o libvulkan.so.1 "$parts/vk_loader.c" -ldl || exit 1
"${cc[@]}" -o two "$parts/vk_two.c" ./libvulkan.so.1 || exit 1
export LD_LIBRARY_PATH=$work

seen() { # WAY SUBMITS
	same "$1" ./two "$1"
	check "$1" status "exit 0" "$(cat shim.status)"
	check "$1" submits "$2" "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end").submits) | add')"
	has_not "$1" "a copy that is unwatched" '.ev == "note" and (.msg // "" | contains("unwatched"))'
}

for way in device instance mixed turned unasked anew; do
	seen $way 2
done
seen queues 70
same many ./two many
check many status "exit 0" "$(cat shim.status)"

"${cc[@]}" -fPIC -shared -DLIBRARY -Wl,-soname,libOpenCL.so.1 -o libOpenCL.so.1 "$parts/cl_two.c" || exit 1
"${cc[@]}" -o cl_two "$parts/cl_two.c" ./libOpenCL.so.1 || exit 1
same OpenCL ./cl_two
check OpenCL status "exit 0" "$(cat shim.status)"
has OpenCL "what is not watched" '.ev == "note" and .call == "clDeviceMemAllocINTEL" and (.msg | contains("unwatched"))'
has OpenCL "the memory of the first platform" '.class == "device" and .engine == "opencl" and .bytes == 0 and .peak_bytes == 1000'
tally 52
