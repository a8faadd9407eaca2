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
#include <unistd.h>

#include <cuda_runtime_api.h>

#define TELL(call) printf("%-40s %d\n", #call, (int)(call))

#ifdef PLUGIN
/* In a namespace of its own nobody flushes what it prints. */
#define printf(...) dprintf(1, __VA_ARGS__)
#define main plugin_main
#endif

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
# A static one inside of a library, in a namespace of its own: what it asks for, it asks us.
cat >opener.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	int flags = RTLD_NOW | RTLD_LOCAL;
	void *h = argc < 3 ? NULL : argv[2][0] == 's' ? dlmopen(LM_ID_NEWLM, argv[1], flags)
						       : dlopen(argv[1], flags | RTLD_DEEPBIND);
	void *p = h ? dlsym(h, "plugin_main") : NULL;
	int (*run)(void);

	if (!p) {
		printf("%s\n", dlerror());
		return 93;
	}
	memcpy(&run, &p, sizeof(p));
	return run();
}
END
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -o opener opener.c -ldl || exit 1
mkdir who
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -DFAKE_WHO -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic \
	-o who/libcuda.so.1 "$SRC/tests/fake/fake_cuda.c" -ldl || exit 1
for version in 11 12 13; do
	[ -e "$dir/$version/lib/libcudart_static.a" ] || continue
	"${CC:-cc}" -w -I. -I"$dir/$version/include" -fPIC -shared -DPLUGIN -o "libplugin_$version.so" program.c \
		"$dir/$version/lib/libcudart_static.a" -ldl -lpthread -lrt || exit 1
	for mode in space deep; do
		same "plugin $version $mode" LD_LIBRARY_PATH="$work/who:$work" FAKE_LOG="$work/who.txt" \
			./opener "libplugin_$version.so" $mode
		check "plugin $version $mode" answers 21 "$(wc -l <shim.out)"
		[ "$version" = 12 ] || continue # the fake driver is too old for 13's, which asks nothing
		: >who.txt
		with_shim LD_LIBRARY_PATH="$work/who:$work" FAKE_LOG="$work/who.txt" \
			./opener "libplugin_$version.so" $mode
		check "plugin $version $mode" "who asks" "/${shim##*/}" "$(grep '^/' who.txt | sort -u)"
	done
done

# They did look functions up, all by our hands.
asked=$(grep -c '^cuGetProcAddress' asked.txt)
check asked "look-ups of the fake driver: $asked" 1 $((asked > 1000))
tally 90
