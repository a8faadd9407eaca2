/* SPDX-License-Identifier: MIT */
/* guest_burst.c -- works on the fake HIP as its arguments say, one after the other.
 *
 *   launch=N     N launches on the stream at hand; says how many were let through
 *   stream=N     from now on stream N (0: the default one)
 *   device=N     makes device N current
 *   sync         waits for the device        wait      for the stream
 *   take=N       takes N bytes of the device; says what came of it
 *   give         gives the latest piece back trim      a pool's cache
 *   own          from now on the thread's own default stream
 *   make         makes the stream       drop      destroys it
 *   aside        makes one that the default one does not wait for
 *   made         from now on the stream that was made last
 *   copy=N       N copies on the stream fetch     one to the host, which waits
 *   pool         makes a pool           unpool    destroys it
 *   event        puts an event in the stream        arrive     waits for it
 *   later        gives the latest piece back, in the order of the stream
 *   reset        resets the device
 *   capture      begins to capture the stream; end ends it
 *   pause=MS     does nothing
 *   beside=N     N launches on a thread of its own, and waits for it
 *   both=N       N launches on a thread of its own, and N here meanwhile
 *   exit=N       leaves with that status at once
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest_stall.h"

#define PIECES 64

static struct {
	int (*launch)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
		      void *, void **, void **);
	int (*sync)(void), (*wait)(void *), (*take)(void **, size_t), (*give)(void *);
	int (*trim)(void *, size_t), (*drop)(void *), (*capture)(void *, int);
	int (*end)(void *, void **), (*device)(int), (*reset)(void), (*make)(void **);
	int (*aside)(void **, unsigned);
	int (*copy)(void *, const void *, size_t, int, void *), (*fetch)(void *, void *, size_t);
	int (*pool)(void **, const void *), (*unpool)(void *);
	int (*event)(void *, void *), (*arrive)(void *), (*later)(void *, void *);
} hip;

static void *stream, *made, *pool, *pieces[PIECES], *const event = (void *)0x7770;
static int n_pieces;

static void find(void *handle, const char *name, void *fn)
{
	void *p = dlsym(handle, name);

	if (!p) {
		fprintf(stderr, "%s: %s\n", name, dlerror());
		exit(2);
	}
	memcpy(fn, &p, sizeof(p));
}

static void load(const char *self)
{
	char path[4096];
	void *h;

	snprintf(path, sizeof(path), "%.*slibfake_hip.so", (int)(strrchr(self, '/') + 1 - self),
		 self);
	h = dlopen(path, RTLD_NOW);
	if (!h) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	find(h, "hipModuleLaunchKernel", &hip.launch);
	find(h, "hipDeviceSynchronize", &hip.sync);
	find(h, "hipStreamSynchronize", &hip.wait);
	find(h, "hipMalloc", &hip.take);
	find(h, "hipFree", &hip.give);
	find(h, "hipMemPoolTrimTo", &hip.trim);
	find(h, "hipStreamDestroy", &hip.drop);
	find(h, "hipStreamBeginCapture", &hip.capture);
	find(h, "hipStreamEndCapture", &hip.end);
	find(h, "hipSetDevice", &hip.device);
	find(h, "hipDeviceReset", &hip.reset);
	find(h, "hipStreamCreate", &hip.make);
	find(h, "hipStreamCreateWithFlags", &hip.aside);
	find(h, "hipMemcpyAsync", &hip.copy);
	find(h, "hipMemcpyDtoH", &hip.fetch);
	find(h, "hipMemPoolCreate", &hip.pool);
	find(h, "hipMemPoolDestroy", &hip.unpool);
	find(h, "hipEventRecord", &hip.event);
	find(h, "hipEventSynchronize", &hip.arrive);
	find(h, "hipFreeAsync", &hip.later);
}

static int launch(long times)
{
	int ok = 0;

	while (times-- > 0)
		ok += hip.launch(NULL, 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL) == 0;
	return ok;
}

static void *launch_beside(void *times)
{
	return (void *)(long)launch((long)times);
}

static void beside(long times)
{
	pthread_t t;
	void *ok;

	if (pthread_create(&t, NULL, launch_beside, (void *)times) || pthread_join(t, &ok))
		exit(2);
	printf("beside: %ld of %ld\n", (long)ok, times);
}

static void both(long times)
{
	pthread_t t;
	void *ok;

	if (pthread_create(&t, NULL, launch_beside, (void *)times))
		exit(2);
	launch(times);
	if (pthread_join(t, &ok))
		exit(2);
}

static void take(size_t bytes)
{
	void *p = NULL;
	int r = hip.take(&p, bytes);

	if (!r && n_pieces < PIECES)
		pieces[n_pieces++] = p;
	printf("take: %d\n", r);
}

static void copy(long times)
{
	while (times-- > 0)
		hip.copy(NULL, NULL, 0, 1, stream);
}

static void make(const char *what, int r)
{
	printf("%s: %d\n", what, r);
	stream = made;
}

/* What was made, destroyed and moved; false: that is another step. */
static int is_other_step(const char *what, long n)
{
	if (!strcmp(what, "make"))
		make(what, hip.make(&made));
	else if (!strcmp(what, "aside"))
		make(what, hip.aside(&made, 1));
	else if (!strcmp(what, "made"))
		stream = made;
	else if (!strcmp(what, "copy"))
		copy(n);
	else if (!strcmp(what, "fetch"))
		printf("fetch: %d\n", hip.fetch(NULL, NULL, 0));
	else if (!strcmp(what, "pool"))
		printf("pool: %d\n", hip.pool(&pool, NULL));
	else if (!strcmp(what, "unpool"))
		printf("unpool: %d\n", hip.unpool(pool));
	else if (!strcmp(what, "reset"))
		printf("reset: %d\n", hip.reset());
	else if (!strcmp(what, "event"))
		printf("event: %d\n", hip.event(event, stream));
	else if (!strcmp(what, "arrive"))
		printf("arrive: %d\n", hip.arrive(event));
	else if (!strcmp(what, "later"))
		printf("later: %d\n", hip.later(n_pieces ? pieces[--n_pieces] : NULL, stream));
	else
		return 0;
	return 1;
}

static void step(const char *what, long n)
{
	void *graph;

	if (!strcmp(what, "launch"))
		printf("launch: %d of %ld\n", launch(n), n);
	else if (!strcmp(what, "stream"))
		stream = (void *)(n << 12);
	else if (!strcmp(what, "own"))
		stream = (void *)2;
	else if (!strcmp(what, "device"))
		hip.device((int)n);
	else if (!strcmp(what, "sync"))
		printf("sync: %d\n", hip.sync());
	else if (!strcmp(what, "wait"))
		printf("wait: %d\n", hip.wait(stream));
	else if (!strcmp(what, "take"))
		take((size_t)n);
	else if (!strcmp(what, "give"))
		printf("give: %d\n", hip.give(n_pieces ? pieces[--n_pieces] : NULL));
	else if (!strcmp(what, "trim"))
		printf("trim: %d\n", hip.trim(NULL, 0));
	else if (!strcmp(what, "drop"))
		printf("drop: %d\n", hip.drop(stream));
	else if (!strcmp(what, "capture"))
		printf("capture: %d\n", hip.capture(stream, 0));
	else if (!strcmp(what, "end"))
		printf("end: %d\n", hip.end(stream, &graph));
	else if (!strcmp(what, "pause"))
		usleep((useconds_t)n * 1000);
	else if (!strcmp(what, "both"))
		both(n);
	else if (!strcmp(what, "beside"))
		beside(n);
	else if (!strcmp(what, "exit"))
		exit((int)n);
	else if (!is_other_step(what, n))
		exit(2);
}

int main(int argc, char **argv)
{
	load(argv[0]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	guest_quick(1);
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (value)
			*value++ = '\0';
		step(argv[i], value ? atol(value) : 0);
		guest_quick(!strcmp(argv[i], "pause"));
	}
	return 0;
}
