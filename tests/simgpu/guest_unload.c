/* SPDX-License-Identifier: MIT */
/* guest_unload.c -- gives up code and streams that the device may still use: steps, in order.
 *
 *   launch     a kernel of a module, in a stream     beside   the same in another stream
 *   other      a kernel of a library, in the stream  free     gives memory back, in the stream
 *   module     unloads the module                    library  unloads the library
 *   stream     destroys the stream                   driver   the same by the driver's name
 *   thread     the same in a thread that has no context
 *   capture    begins to capture the other stream    end      ends that
 *   wait       for all; each program does so at its end
 *   leave      ends without that
 */
#include <pthread.h>
#include <string.h>

#include "racy.h"

enum { NON_BLOCKING = 1, RELAXED = 2 };

static void *stream, *other, *piece, *module, *library, *kernel, *of_library;

static void launch(void *fn, void *where)
{
	racy_must(cuLaunchKernel(fn, 1, 1, 1, 1, 1, 1, 0, where, NULL, NULL));
}

static void *drop(void *none)
{
	racy_must(cudaStreamDestroy(stream));
	return none;
}

static void in_thread(void)
{
	pthread_t t;

	racy_must(pthread_create(&t, NULL, drop, NULL));
	pthread_join(t, NULL);
}

static int is_step(const char *step, const char *name)
{
	return !strcmp(step, name);
}

static void take(const char *step)
{
	void *graph;

	if (is_step(step, "launch"))
		launch(kernel, stream);
	else if (is_step(step, "beside"))
		launch(kernel, other);
	else if (is_step(step, "other"))
		launch(of_library, stream);
	else if (is_step(step, "free"))
		racy_must(cudaFreeAsync(piece, stream));
	else if (is_step(step, "module"))
		racy_must(cuModuleUnload(module));
	else if (is_step(step, "library"))
		racy_must(cuLibraryUnload(library));
	else if (is_step(step, "stream"))
		drop(NULL);
	else if (is_step(step, "driver"))
		racy_must(cuStreamDestroy_v2(stream));
	else if (is_step(step, "thread"))
		in_thread();
	else if (is_step(step, "capture"))
		racy_must(cudaStreamBeginCapture(other, RELAXED));
	else if (is_step(step, "end"))
		racy_must(cudaStreamEndCapture(other, &graph));
	else if (is_step(step, "leave"))
		exit(0);
	else
		racy_must(cudaDeviceSynchronize());
}

int main(int argc, char **argv)
{
	racy_must(cudaStreamCreateWithFlags(&stream, NON_BLOCKING));
	racy_must(cudaStreamCreateWithFlags(&other, NON_BLOCKING));
	racy_must(cuModuleLoadData(&module, "code"));
	racy_must(cuModuleGetFunction(&kernel, module, "kernel"));
	racy_must(cuLibraryLoadData(&library, "code", NULL, NULL, 0, NULL, NULL, 0));
	racy_must(cuLibraryGetKernel(&of_library, library, "kernel"));
	racy_must(cudaMallocAsync(&piece, 1 << 20, stream));
	racy_must(cudaStreamSynchronize(stream));
	for (int i = 1; i < argc; i++)
		take(argv[i]);
	racy_must(cudaDeviceSynchronize());
	puts("done");
	return 0;
}
