#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# identity.sh -- what CUDA's runtime checks of a device and its driver is theirs: none of these
# functions is exported by us, none is handed out as another one, and what they say is the
# same.  On the simulated GPU.
# shellcheck disable=SC2154 # lib.sh sets work, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
needs nm

sim=$tests/simgpu
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o identity "$SRC/tests/integration/parts/identity.c" -ldl || exit 1
mkdir machine
"$sim/simgpu-kernel" machine >/dev/null || exit 1
export SIMGPU_DIR=$work/machine LD_LIBRARY_PATH=$sim

names='cuInit cuGetExportTable cuDriverGetVersion cuDeviceGet cuDeviceGetCount cuDeviceGetName
cuDeviceGetUuid cuDeviceGetUuid_v2 cuDeviceGetLuid cuDeviceGetAttribute cuDeviceGetProperties
cuDeviceComputeCapability cuDeviceTotalMem cuDeviceTotalMem_v2 cuDeviceGetPCIBusId
cuDeviceGetByPCIBusId cuDeviceCanAccessPeer cuGetErrorName cuGetErrorString'
more='cudaGetExportTable cudaDriverGetVersion cudaRuntimeGetVersion cudaGetDeviceCount
cudaGetDeviceProperties cudaGetDeviceProperties_v2 cudaDeviceGetAttribute hipGetDeviceCount
hipDeviceGetName hipDeviceGetUuid hipDeviceGetAttribute hipGetDevicePropertiesR0600 hipRuntimeGetVersion
clGetDeviceInfo clGetPlatformIDs vkGetPhysicalDeviceProperties vkGetPhysicalDeviceProperties2
zeDeviceGetProperties zeDriverGetProperties nvmlInit_v2 nvmlDeviceGetName nvmlDeviceGetUUID'

nm -D --defined-only "$shim" | awk '{ print $3 }' >exports
for name in $names $more; do
	check "$name" "exported" 0 "$(grep -cx "$name" exports)"
done

# shellcheck disable=SC2086 # a list of words
same "by look-up" ./identity $names
check "by look-up" status "exit 0" "$(cat shim.status)"
check cuDeviceGetUuid "by look-up" "libcuda.so.1 libcuda.so.1" \
	"$(sed -n 's/^cuDeviceGetUuid [^ ]* //p' shim.out)"
for name in cuGetExportTable cuDeviceGetName cuDeviceGetAttribute cuDriverGetVersion; do
	check "$name" "is the driver's by each way" "$name libcuda.so.1 libcuda.so.1 libcuda.so.1" \
		"$(grep "^$name " shim.out)"
done
# The same look-ups of what is watched give ours: it is not that none of them does.
with_shim ./identity cuMemAlloc cuLaunchKernel
check "what is watched" "by look-up" "libtaffrail.so libtaffrail.so" \
	"$(sed -n 's/^cuLaunchKernel [^ ]* //p' shim.out)"
tally 51
