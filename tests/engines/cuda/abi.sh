#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# abi.sh -- the rows of CUDA's driver and runtime against NVIDIA's own headers and libraries.
#
# Each row is compared with what the headers of 11.8, 12 and 13 declare under that very
# name, and with one of them at least: as __CUDA_API_VERSION_INTERNAL they declare all forms
# beside each other (the oldest, _v2, _ptds, _ptsz).  Structs that we read have their
# fields where we read them, and faults their numbers.  Every row of the runtime is exported
# by one of the three; the driver's library is no package, so of it only headers speak.
# 77 when they cannot be had.
# shellcheck disable=SC2154 # lib_base.sh sets passed, failed
. "${SRC:?}/tests/engines/lib_abi.sh"

dir=$("$SRC/tests/engines/cuda/fetch.sh") || exit 77
# The log of 11 lies in the third and fourth parameter, later ones have flags there; the
# first capture had no mode.
of_many='cuGraphInstantiate cuGraphInstantiate_v2 cudaGraphInstantiate
	cuStreamBeginCapture cuStreamBeginCapture_ptsz'
of_many=${of_many//$'\n\t'/ }

structs='
LIKE(CUlaunchConfig, hStream, taf_cu_config, stream)
LIKE(CUDA_LAUNCH_PARAMS, hStream, taf_cu_launch, stream)
LIKE(CUmemAllocationProp, location.type, taf_cu_prop, location_type)
LIKE(CUmemAllocationProp, location.id, taf_cu_prop, location_id)
LIKE(CUmemLocation, id, taf_cu_target, id)
static_assert(CU_MEM_LOCATION_TYPE_DEVICE == TAF_CU_AT_DEVICE, "the location that is a device");
static_assert(CUDA_ERROR_OUT_OF_MEMORY == TAF_CU_OUT_OF_MEMORY, "out of memory");
static_assert(CUDA_ERROR_NOT_INITIALIZED == TAF_CU_NOT_INITIALIZED, "not initialised");
static_assert(CUDA_ERROR_NOT_READY == TAF_CU_NOT_READY, "not ready");
static_assert(CUDA_ERROR_NOT_PERMITTED == TAF_CU_NOT_PERMITTED, "not permitted");
static_assert(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED == 903 &&
	CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD == 908 &&
	CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED == 900, "a capture that goes on");
static_assert(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT == 5 && CU_MEMPOOL_ATTR_USED_MEM_CURRENT == 7,
	"what a pool keeps");
static_assert(sizeof(CUDA_ARRAY_DESCRIPTOR) == sizeof(taf_cu_array), "an array");
static_assert(sizeof(CUDA_ARRAY3D_DESCRIPTOR) == sizeof(taf_cu_array3d), "an array");
static_assert(sizeof(CUDA_ARRAY_DESCRIPTOR_v1) == sizeof(taf_cu_array_v1), "an array");
static_assert(sizeof(CUDA_ARRAY3D_DESCRIPTOR_v1) == sizeof(taf_cu_array3d_v1), "an array");
'
runtime_structs='
LIKE(cudaLaunchConfig_t, stream, taf_cu_config, stream)
static_assert(sizeof(dim3) == sizeof(taf_cu_dim), "dim3");
static_assert(sizeof(cudaExtent) == sizeof(taf_cu_extent), "cudaExtent");
static_assert(sizeof(cudaPitchedPtr) == sizeof(taf_cu_pitched), "cudaPitchedPtr");
static_assert(sizeof(cudaChannelFormatDesc) == sizeof(taf_cu_channels), "cudaChannelFormatDesc");
LIKE(cudaPitchedPtr, pitch, taf_cu_pitched, pitch)
'

# offsetof of a member of a member is theirs and ours alike.
structs_fit() { # VERSION NAME HEADER; the assertions come on stdin
	{
		echo "#include <cstddef>
			#include <$3>
			#include \"$SRC/hooks/abi/cuda.h\"
			#define LIKE(theirs, field, ours, mine) \\
			static_assert(offsetof(theirs, field) == offsetof(ours, mine) && \\
				sizeof(theirs::field) == sizeof(ours::mine), \\
				#ours \".\" #mine \" lies elsewhere\");"
		cat
	} >"$2.cc"
	if g++ -std=c++17 -fsyntax-only -w "${flags[@]}" "$2.cc" >log 2>&1; then
		pass
	else
		fail "$1 $2"
		grep error log | head -n 12
	fi
}

# Each number of policy/faults.def is the one of its name, where this header has it.
faults() { # HEADER
	local number name
	sed -n 's/^FAULT(CUDA, \([0-9]*\), "\([A-Z_]*\)".*/\1 \2/p' "$SRC/policy/faults.def" |
		while read -r number name; do
			grep -qw "$name" "$1" || continue
			echo "static_assert($name == $number, \"$name\");"
			echo "$name" >>faults.compared
		done
}

rows_of cuda
rows_of cudart
for version in 11 12 13; do
	headers=$dir/$version/include
	flags=(-D__CUDA_API_VERSION_INTERNAL -I"$headers" -I"$dir/crt/include")
	preprocess cuda.$version "${flags[@]}" <<<'#include <cuda.h>'
	preprocess cudart.$version "${flags[@]}" <<<'#include <cuda_runtime_api.h>'
	compare cuda "cuda.h of $version" cuda.$version
	compare cudart "cuda_runtime_api.h of $version" cudart.$version
	{
		echo "$structs"
		faults "$headers/cuda.h"
	} | structs_fit $version structs cuda.h
	{
		echo "$runtime_structs"
		# Gone with 13.
		[ $version = 13 ] || echo 'LIKE(cudaLaunchParams, stream, taf_cu_launch_rt, stream)'
	} | structs_fit $version runtime_structs cuda_runtime_api.h
done
# What the compiler of kernels calls stands in a header that nothing else can read.
sed -n '/^extern "C" *cudaError_t CUDARTAPI __cudaLaunchKernel/,/);/p' \
	"$dir/crt/include/crt/device_functions.h" |
	sed 's/extern "C"//; s/CUDARTAPI//' >crt
compare cudart "crt/device_functions.h of 13" cudart.13 crt
whole cuda
whole cudart
[ "$(sort -u faults.compared | wc -l)" -eq "$(grep -c '^FAULT(CUDA,' "$SRC/policy/faults.def")" ] ||
	fail faults "only $(sort -u faults.compared | wc -l) numbers of faults compared"

unknown cuda
unknown cudart
while IFS='|' read -r table name returns params; do
	planted "$table" "$table.13" "$name" "$returns" "$params"
done <<'END'
cuda|cuMemFree_v2|int|(unsigned p)
cuda|cuMemAlloc_v2|int|(uint64_t p, size_t size)
cuda|cuMemcpyDtoH_v2_ptds|int|(void *to, uint64_t from)
cuda|cuGetProcAddress_v2|void *|(const char *s, void **out, int v, uint64_t flags, void *found)
cuda|cuStreamBeginCapture_v2|int|(void *stream, uint64_t mode)
cuda|cuStreamBeginCapture|int|(void *stream, int a, int b, int c, int d, int e, int f)
cudart|cudaMalloc|int|(void **p)
cudart|cudaMemset3DAsync_ptsz|int|(struct taf_cu_extent p, int v, struct taf_cu_extent e, void *s)
END
told=$(structs_fit 13 planted cuda.h <<<'LIKE(CUlaunchConfig, hStream, taf_cu_config, words)')
if [ "$(grep -c 'error:' <<<"$told")" -eq 1 ] &&
	grep -q 'error: static assertion failed.*taf_cu_config.words lies elsewhere' <<<"$told"; then
	pass
else
	fail planted "a struct that differs is not told: $told"
fi

# Names of the runtime that none of the three exports would be rows for nothing.
for version in 11 12 13; do
	exports_of "$(echo "$dir/$version"/lib/libcudart.so.*)"
done >cudart.names
named cudart cudart.names
tally "$((2 * $(cat cuda.rows cudart.rows | wc -l)))"
