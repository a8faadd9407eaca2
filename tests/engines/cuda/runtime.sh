#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# runtime.sh -- NVIDIA's own runtimes of 11.8, 12 and 13, shared and static, under the shim.
#
# Without a driver, with the fake one and with the simulated GPU's: none of these passes
# the runtime's own checks of a driver, so nothing is computed; but each runtime asks for
# hundreds of entry points by cuGetProcAddress, gets ours where there is a row, and must
# answer its program as it does without us.  77 where the runtimes cannot be had.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

dir=$("$SRC/tests/engines/cuda/fetch.sh") || exit 77
# Uses the runtime and prints each answer.
cat >program.c <<'END'
#include <stdint.h>
#include <stdio.h>

#include <cuda_runtime_api.h>

#define TELL(call) printf("%-40s %d\n", #call, (int)(call))

int main(void)
{
	int n = -1, version = -1;
	void *p = NULL;
	size_t left = 0, total = 0;
	cudaStream_t stream = NULL;
	cudaEvent_t event = NULL;
	cudaGraph_t graph = NULL;

	TELL(cudaRuntimeGetVersion(&version));
	TELL(cudaDriverGetVersion(&version));
	TELL(cudaGetDeviceCount(&n));
	TELL(cudaSetDevice(0));
	TELL(cudaMemGetInfo(&left, &total));
	TELL(cudaMalloc(&p, 4096));
	TELL(cudaPeekAtLastError());
	TELL(cudaFree(p));
	TELL(cudaMallocAsync(&p, 4096, NULL));
	TELL(cudaMallocHost(&p, 4096));
	TELL(cudaStreamCreate(&stream));
	TELL(cudaEventCreate(&event));
	TELL(cudaEventRecord(event, stream));
	TELL(cudaEventQuery(event));
	TELL(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
	TELL(cudaStreamEndCapture(stream, &graph));
	TELL(cudaStreamSynchronize(stream));
	TELL(cudaDeviceSynchronize());
	TELL(cudaGetLastError());
	TELL(cudaGetLastError());
	TELL(cudaDeviceReset());
	return 0;
}
END

mkdir crt
for word in __host__ __device__ __device_builtin__ __device_builtin_texture_type__ \
	__device_builtin_surface_type__ __cudart_builtin__ CUDARTAPI CUDARTAPI_CDECL; do
	echo "#define $word"
done >crt/host_defines.h
{
	echo '#define __align__(n) __attribute__((aligned(n)))'
	echo '#define __builtin_align__(n) __align__(n)'
	echo '#define __location__(a)'
} >>crt/host_defines.h

mkdir fake simulated none
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic \
	-o fake/libcuda.so.1 "$SRC/tests/fake/fake_cuda.c" || exit 1
[ ! -e "$tests/simgpu/libcuda.so.1" ] || cp "$tests/simgpu/libcuda.so.1" simulated/

build() { # VERSION
	local lib
	lib=$(ls "$dir/$1"/lib/libcudart.so.*) || exit 1
	"${CC:-cc}" -w -I. -I"$dir/$1/include" -o "shared_$1" program.c "$lib" \
		-Wl,-rpath,"$dir/$1/lib" || exit 1
	[ -e "$dir/$1/lib/libcudart_static.a" ] || return
	"${CC:-cc}" -w -I. -I"$dir/$1/include" -o "static_$1" program.c \
		"$dir/$1/lib/libcudart_static.a" -ldl -lpthread -lrt || exit 1
}

for version in 11 12 13; do
	build "$version"
	for program in shared_$version static_$version; do
		[ -e "$program" ] || continue
		for driver in none fake simulated; do
			same "$program $driver" LD_LIBRARY_PATH="$work/$driver" FAKE_LOG="$work/asked.txt" "./$program"
			check "$program $driver" status "exit 0" "$(cat shim.status)"
			check "$program $driver" answers 21 "$(wc -l <shim.out)"
		done
	done
done
# They did look functions up, all by our hands.
asked=$(grep -c '^cuGetProcAddress' asked.txt)
check asked "look-ups of the fake driver: $asked" 1 $((asked > 1000))
tally 70
