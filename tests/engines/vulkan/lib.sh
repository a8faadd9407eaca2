# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib.sh -- what the tests of Vulkan share. Sourced, never run. Ends the test with 77
# where lavapipe, Vulkan on the processor, cannot be had.
. "${SRC:?}/tests/integration/lib.sh"

here=$SRC/tests/engines/vulkan
ls /usr/share/vulkan/icd.d/lvp_icd*.json >/dev/null 2>&1 || {
	echo "needs mesa-vulkan-drivers"
	exit 77
}
# This driver alone, whatever else is on the machine; what it compiles is kept.
for driver in /usr/share/vulkan/icd.d/lvp_icd*.json; do
	export VK_ICD_FILENAMES=$driver VK_DRIVER_FILES=$driver
done
# No pause of a busy machine ends a generation.
export TAFFRAIL_SET=drain.idle_ms=10m
export MESA_SHADER_CACHE_DIR=${TAFFRAIL_CACHE:-$SRC/build/cache}/mesa
mkdir -p "$MESA_SHADER_CACHE_DIR"

# An ordinary program, as ./program.
compile_program() {
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o program "$here/parts/program.c" \
		-l:libvulkan.so.1 -lpthread -ldl 2>compile.err && return
	cat compile.err
	echo "needs libvulkan-dev"
	exit 77
}
