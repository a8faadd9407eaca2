#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# abi.sh -- the rows of CUDA's driver and runtime against NVIDIA's own headers and libraries.
#
# For each of 11.8, 12 and 13: what a header declares has the parameters that our row says;
# the structs that we read have their fields where we read them; and every row of the
# runtime is exported by one of the three.  77 when neither can be had.
# shellcheck disable=SC2154 # lib_base.sh sets passed, failed
. "${SRC:?}/tests/integration/lib_base.sh"

cxx=${CXX:-c++}
needs "$cxx" nm
dir=$("$SRC/tests/engines/cuda/fetch.sh") || exit 77

# NAME<tab>(PARAMS) of each row.
rows_of() { # TABLE
	"${CC:-cc}" -E -P -x c - <<-END | sed 's/@ROW/\n@ROW/g' | sed -n 's/^@ROW \([A-Za-z0-9_]*\) \((.*)\) @END.*/\1\t\2/p'
		#include "$SRC/hooks/none.h"
		#undef HOOK
		#undef OWN
		#undef CALL
		#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) @ROW name params @END
		#define OWN(ret, name, params, args, kind, refuse, doc) @ROW name params @END
		#define CALL(ret, name, params, doc) @ROW name params @END
		#include "$SRC/hooks/$1.def"
	END
}

# The checks of one table as C++, for what a header of that version declares. A form for
# the thread's own stream is declared under the name without _ptsz.
checks_of() { # TABLE HEADER
	local name params base
	while IFS=$'\t' read -r name params; do
		base=$name
		grep -qw "$base" "$2" || base=${name%_ptsz}
		# Of these it stands there for NVIDIA's own use alone.
		case $base in
		cuda*ExternalSemaphoresAsync_ptsz) base=${name%_ptsz} ;;
		esac
		# With old and new forms beside each other the plain name is the oldest one.
		grep -Eq "CUDA[A-Z_]* +$base *\(" "$2" || continue
		case ${base%_ptsz} in
		*GraphInstantiate | *GraphInstantiate_v2 | cuStreamBeginCapture) echo "FITS($base)" ;;
		*) echo "SAME($base, $params)" ;;
		esac
	done < <(rows_of "$1")
}

structs='
LIKE(CUlaunchConfig, hStream, taf_cu_config, stream)
LIKE(CUDA_LAUNCH_PARAMS, hStream, taf_cu_launch, stream)
LIKE(CUmemAllocationProp, location.type, taf_cu_prop, location_type)
LIKE(CUmemAllocationProp, location.id, taf_cu_prop, location_id)
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

# What these headers take from the compiler of kernels: words that mean nothing to this one.
mkdir crt
cat >crt/host_defines.h <<-END
	#define __host__
	#define __device__
	#define __device_builtin__
	#define __device_builtin_texture_type__
	#define __device_builtin_surface_type__
	#define __cudart_builtin__
	#define __align__(n) __attribute__((aligned(n)))
	#define __builtin_align__(n) __align__(n)
	#define __location__(a)
	#define __specialization_static static
	#define CUDARTAPI
	#define CUDARTAPI_CDECL
END

compile() { # VERSION NAME HEADER DEFINE
	{
		echo "#include <$3>"
		echo "#include \"$SRC/tests/engines/cuda/check.hpp\""
		echo "#include \"$SRC/hooks/abi/cuda.h\""
		cat "$2.checks"
	} >"$2.cc"
	# offsetof of a member of a member is theirs and ours alike.
	if "$cxx" -std=c++17 -fsyntax-only -Wno-invalid-offsetof ${4:+"-D$4"} -I. -I"$dir/$1/include" "$2.cc" >log 2>&1; then
		pass
	else
		fail "$1 $2"
		grep -E 'error' log | head -n 12
	fi
}

for version in 11 12 13; do
	headers=$dir/$version/include
	checks_of cuda "$headers/cuda.h" >cuda.checks
	checks_of cudart "$headers/cuda_runtime_api.h" >cudart.checks
	echo "$version: $(wc -l <cuda.checks) functions of the driver, $(wc -l <cudart.checks) of the runtime"
	[ "$(wc -l <cuda.checks)" -ge 70 ] || fail "$version" "only few of the driver were found"
	[ "$(wc -l <cudart.checks)" -ge 55 ] || fail "$version" "only few of the runtime were found"
	echo "$structs" >>cuda.checks
	# Each number of policy/faults.def is the one of its name, where this header has it.
	sed -n 's/^FAULT(CUDA, \([0-9]*\), "\([A-Z_]*\)".*/\1 \2/p' "$SRC/policy/faults.def" | while read -r number name; do
		grep -qw "$name" "$headers/cuda.h" && echo "static_assert($name == $number, \"$name\");"
	done >>cuda.checks
	echo "$runtime_structs" >>cudart.checks
	compile "$version" cuda cuda.h __CUDA_API_VERSION_INTERNAL
	compile "$version" cudart cuda_runtime_api.h
done

# A parameter too few, and one of another size, must be seen.
for planted in 'SAME(cuMemFree_v2, (unsigned p))' 'SAME(cudaMalloc, (void **p))'; do
	echo "$planted" >planted.checks
	before=$failed
	compile 13 planted "$([[ $planted == *cuda* ]] && echo cuda_runtime_api.h || echo cuda.h)" __CUDA_API_VERSION_INTERNAL >/dev/null
	if [ "$failed" -gt "$before" ]; then
		failed=$before
		pass
	else
		fail planted "$planted was not seen"
	fi
done

# Names of the runtime that none of the three exports would be rows for nothing.
for version in 11 12 13; do
	nm -D --defined-only "$dir/$version"/lib/libcudart.so.* | awk '{ sub(/@.*/, "", $3); print $3 }'
done | sort -u >exported
while IFS=$'\t' read -r name _; do
	if grep -qx "$name" exported; then
		pass
	else
		fail "$name" "is exported by no runtime"
	fi
done < <(rows_of cudart)
tally 75
