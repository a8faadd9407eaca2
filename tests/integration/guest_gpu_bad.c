/* SPDX-License-Identifier: MIT */
/* guest_gpu_bad.c -- asks a fake GPU runtime for what no sane program asks, and prints
 * every answer: with and without a guard they must be the same.
 *
 *   guest_gpu_bad hip|level0 CASE [BYTES]
 *
 *   garbage   frees of what was never taken, twice, NULL; handles out of thin air
 *   sizes     0, 1, SIZE_MAX and its neighbours, products that overflow
 *   early     the first call is one that is never the first
 *   late      calls from an exit handler that was registered before the runtime's
 *   child     in a fork child, of what the parent has
 *   handler   from a signal handler, within a call and outside
 *   threads   64 at once: memory, launches, waits, captures
 *   closed    after dlclose of the runtime, and after it was opened again
 *   shortage  allocations that fail, then go well: what the last error is each time
 *   capture   work that is captured, with BYTES of memory taken and given meanwhile
 *   events    work that an event or a fence shows to be done; unwaited: that nothing shows
 *   destroyed work in a queue that is destroyed before memory is freed
 *   many      queues at once: 400
 *   queues    made and destroyed by eight threads, while memory runs short in another
 *   mapped    memory by handle, mapped and released; with BYTES unmapped as well
 *   newer     a function that no table knows, and one that an older runtime has not got
 *   twice     the library and a copy of it (GPU_COPY), each with what is its own
 */
#include <pthread.h>
#include <stdbool.h>

#include "../../hooks/abi/hip.h"
#include "../../hooks/abi/level0.h"
#include "guest.h"
#include "guest_gpu_cases.h"

static struct {
	int (*take)(void **ptr, size_t size);
	int (*give)(void *ptr);
	int (*async)(void **ptr, size_t size, void *stream);
	int (*managed)(void **ptr, size_t size, unsigned flags);
	int (*pitch)(void **ptr, size_t *pitch, size_t width, size_t height);
	int (*layers)(struct taf_hip_pitched *p, struct taf_hip_extent e);
	int (*create)(void **handle, size_t size, const struct taf_hip_prop *prop,
		      unsigned long long flags);
	int (*release)(void *handle);
	int (*launch)(const void *f, struct taf_hip_dim3 g, struct taf_hip_dim3 b, void **v,
		      size_t shared, void *stream);
	int (*wait)(void);
	int (*stream_wait)(void *stream);
	int (*make)(void **stream);
	int (*begin)(void *stream, int mode);
	int (*end)(void *stream, void **graph);
	int (*record)(void *event, void *stream);
	int (*event_wait)(void *event);
	int (*last)(void);
	int (*set)(int device);
	int (*reset)(void);
} hip;

static struct {
	int (*take)(void *c, const void *d, size_t size, size_t align, void *device, void **ptr);
	int (*give)(void *c, void *ptr);
	int (*make)(void *c, void *device, const struct taf_ze_queue_desc *d, void **queue);
	int (*destroy)(void *queue);
	int (*execute)(void *queue, uint32_t n, void **lists, void *fence);
	int (*append)(void *list, void *kernel, const struct taf_ze_count *g, void *event,
		      uint32_t n, void **events);
	int (*wait)(void *queue, uint64_t timeout);
	int (*wait_fence)(void *fence, uint64_t timeout);
} ze;

static void *library;

static const char *other; /* than the fake beside us */

static void open_library(const char *fake)
{
	const char *given = other ? other : getenv("GPU_LIBRARY");
	char where[4096];

	guest_beside(where, sizeof(where), fake);
	library = dlopen(given ? given : where, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		printf("%s\n", dlerror());
		exit(95);
	}
}

static void open_hip(void)
{
	open_library("libfake_hip.so");
	guest_symbol(&hip.take, library, "hipMalloc");
	guest_symbol(&hip.give, library, "hipFree");
	guest_symbol(&hip.async, library, "hipMallocAsync");
	guest_symbol(&hip.managed, library, "hipMallocManaged");
	guest_symbol(&hip.pitch, library, "hipMallocPitch");
	guest_symbol(&hip.layers, library, "hipMalloc3D");
	guest_symbol(&hip.create, library, "hipMemCreate");
	guest_symbol(&hip.release, library, "hipMemRelease");
	guest_symbol(&hip.launch, library, "hipLaunchKernel");
	guest_symbol(&hip.wait, library, "hipDeviceSynchronize");
	guest_symbol(&hip.stream_wait, library, "hipStreamSynchronize");
	guest_symbol(&hip.make, library, "hipStreamCreate");
	guest_symbol(&hip.begin, library, "hipStreamBeginCapture");
	guest_symbol(&hip.end, library, "hipStreamEndCapture");
	guest_symbol(&hip.record, library, "hipEventRecord");
	guest_symbol(&hip.event_wait, library, "hipEventSynchronize");
	guest_symbol(&hip.last, library, "hipGetLastError");
	guest_symbol(&hip.set, library, "hipSetDevice");
	guest_symbol(&hip.reset, library, "hipDeviceReset");
}

static void open_ze(void)
{
	open_library("libfake_level0.so");
	guest_symbol(&ze.take, library, "zeMemAllocDevice");
	guest_symbol(&ze.give, library, "zeMemFree");
	guest_symbol(&ze.make, library, "zeCommandQueueCreate");
	guest_symbol(&ze.destroy, library, "zeCommandQueueDestroy");
	guest_symbol(&ze.execute, library, "zeCommandQueueExecuteCommandLists");
	guest_symbol(&ze.append, library, "zeCommandListAppendLaunchKernel");
	guest_symbol(&ze.wait, library, "zeCommandQueueSynchronize");
	guest_symbol(&ze.wait_fence, library, "zeFenceHostSynchronize");
}

static int is_hip;
static int some_stream, some_context;

static int take(void **p, size_t size)
{
	return is_hip ? hip.take(p, size) : ze.take(&some_context, NULL, size, 0, &some_context, p);
}

static int give(void *p)
{
	return is_hip ? hip.give(p) : ze.give(&some_context, p);
}

static int submit(void *queue)
{
	const struct taf_hip_dim3 grid = { 1, 2, 3 }, block = { 4, 5, 6 };

	return is_hip ? hip.launch(&hip, grid, block, NULL, 7, queue)
		      : ze.execute(queue, 0, NULL, NULL);
}

static int wait_for(void *queue)
{
	return is_hip ? hip.stream_wait(queue) : ze.wait(queue, UINT64_MAX);
}

static void *new_queue(void)
{
	static const struct taf_ze_queue_desc plain;
	void *queue = &some_stream;

	if (!is_hip)
		ze.make(&some_context, &some_context, &plain, &queue);
	return queue;
}

static void tell(const char *what, int64_t r)
{
	printf("%s: %lld", what, (long long)r);
	if (is_hip)
		printf(", last error %d", hip.last());
	printf("\n");
	fflush(stdout);
}

/* The calls themselves make what they need. */
static void begin_nothing(void)
{
}

static void garbage(void)
{
	void *p = NULL;

	tell("free of nothing", give(NULL));
	tell("free of garbage", give(&p));
	tell("free of 1", give((void *)1));
	tell("take", take(&p, 1000));
	tell("free", give(p));
	tell("free again", give(p));
	if (is_hip) {
		tell("release of garbage", hip.release(&p));
		tell("end without begin", hip.end(&some_stream, &p));
		tell("begin on no stream", hip.begin(NULL, 2));
		tell("device 99", hip.set(99));
		tell("device -1", hip.set(-1));
		tell("into nothing", hip.take(NULL, 1000));
		tell("rows into nothing", hip.pitch(NULL, NULL, 1, 1));
		tell("layers into nothing", hip.layers(NULL, (struct taf_hip_extent){ 1, 1, 1 }));
		tell("handle into nothing", hip.create(NULL, 1, NULL, 0));
	} else {
		tell("queue into nothing", ze.make(NULL, NULL, NULL, NULL));
		tell("no queue", ze.execute(NULL, 0, NULL, NULL));
		tell("no list", ze.append(NULL, NULL, NULL, NULL, 0, NULL));
		tell("wait for nothing", ze.wait(NULL, 0));
		tell("destroy nothing", ze.destroy(NULL));
		tell("into nothing", ze.take(NULL, NULL, 1000, 0, NULL, NULL));
		tell("fence out of thin air", ze.wait_fence((void *)8, 0));
	}
}

static void sizes(void)
{
	static const size_t all[] = { 0,	  1,	     SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2,
				      1ull << 31, 1ull << 29 };
	size_t pitch;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		void *p = &pitch;
		int r = take(&p, all[i]);

		tell("take", r);
		if (!r)
			tell("give", give(p));
	}
	for (size_t i = 0; is_hip && i < sizeof(all) / sizeof(*all); i++) {
		struct taf_hip_pitched layers = { 0 };
		struct taf_hip_extent e = { all[i], all[i], 2 };
		void *p = NULL;

		tell("rows", hip.pitch(&p, &pitch, all[i], all[i]));
		tell("layers", hip.layers(&layers, e));
		tell("managed", hip.managed(&p, all[i], 1));
		tell("handle", hip.create(&p, all[i], NULL, 0));
	}
}

static void early(void)
{
	void *queue = new_queue();

	tell("free before all", give(&queue));
	tell("wait before all", wait_for(queue));
	tell("launch before all", submit(queue));
	if (is_hip)
		tell("reset before all", hip.reset());
}

static void closed(void)
{
	for (int i = 0; i < 3; i++) {
		void *p = NULL, *queue = new_queue();

		tell("take", take(&p, 1000));
		tell("launch", submit(queue));
		tell("wait", wait_for(queue));
		tell("free", give(p));
		dlclose(library);
		(is_hip ? open_hip : open_ze)();
	}
}

static size_t capture_bytes = 1000;

static void capture(void)
{
	void *graph = NULL, *p = NULL;

	if (!is_hip)
		return;
	tell("launch", submit(&some_stream));
	tell("begin", hip.begin(&some_stream, 2));
	for (int i = 0; i < 100; i++)
		submit(&some_stream);
	tell("take", hip.async(&p, capture_bytes, &some_stream));
	tell("end", hip.end(&some_stream, &graph));
	tell("free", give(p));
	tell("begin", hip.begin(&some_stream, 0));
	tell("end", hip.end(&some_stream, &graph));
}

/* sign: an event of HIP, a fence of Level Zero. */
static void work_until(bool is_waited)
{
	static int sign;
	void *queue = new_queue(), *p;

	if (is_hip)
		tell("make", hip.make(&queue));

	tell("take", take(&p, 1000));
	tell("launch", submit(queue));
	if (is_hip)
		tell("record", hip.record(&sign, queue));
	else
		tell("launch", ze.execute(queue, 0, NULL, &sign));
	if (is_waited)
		tell("wait", is_hip ? hip.event_wait(&sign) : ze.wait_fence(&sign, UINT64_MAX));
	tell("free", give(p));
}

static void events(void)
{
	work_until(true);
}

static void unwaited(void)
{
	work_until(false);
}

static _Atomic(int) is_over;

static void *makes(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		void *queue = new_queue();

		submit(queue);
		wait_for(queue);
		if (!is_hip)
			ze.destroy(queue);
	}
	is_over++;
	return NULL;
}

static void queues(void)
{
	pthread_t t[8];
	int r = 0;

	for (int i = 0; i < 8; i++)
		if (pthread_create(&t[i], NULL, makes, NULL))
			exit(96);
	do {
		void *p = NULL;

		if (!take(&p, 1000))
			r |= give(p);
	} while (is_over < 8);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	printf("1600 queues, frees gave %d\n", r);
}

static void destroyed(void)
{
	void *queue = new_queue(), *p;

	tell("take", take(&p, 1000));
	tell("launch", submit(queue));
	if (!is_hip)
		tell("destroy", ze.destroy(queue));
	tell("free", give(p));
}

static void mapped(void)
{
	int (*map)(void *p, size_t size, size_t offset, void *handle, unsigned long long flags);
	int (*unmap)(void *p, size_t size);
	void *handle = NULL, *at = (void *)0x7f0000000000;

	if (!is_hip)
		return;
	guest_symbol(&map, library, "hipMemMap");
	guest_symbol(&unmap, library, "hipMemUnmap");
	tell("create", hip.create(&handle, 1 << 20, NULL, 0));
	tell("map", map(at, 1 << 20, 0, handle, 0));
	tell("release", hip.release(handle));
	if (capture_bytes != 1000)
		tell("unmap", unmap(at, capture_bytes));
	tell("launch", submit(NULL));
}

static void newer(void)
{
	const char *old = is_hip ? "hipLaunchKernelExC" : "zeCommandListHostSynchronize";
	int (*tomorrow)(int n);

	guest_symbol(&tomorrow, library, is_hip ? "hipOfTomorrow" : "zeOfTomorrow");
	printf("of tomorrow: %d\n", tomorrow(41));
	printf("%s is %s\n", old, dlsym(library, old) ? "there" : "not there");
}

/* Each counts its own calls and knows its own memory. */
static void life(int number)
{
	long (*count)(const char *name);
	void *queue = new_queue(), *p = NULL;

	guest_symbol(&count, library, "fake_count");
	tell("take", take(&p, 1000));
	tell("launch", submit(queue));
	tell("wait", wait_for(queue));
	tell("give", give(p));
	tell("give again", give(p));
	printf("library %d: %ld launches\n", number,
	       count(is_hip ? "hipLaunchKernel" : "zeCommandQueueExecuteCommandLists"));
}

static void twice(void)
{
	for (int i = 0; i < 6; i++) {
		other = i % 2 ? getenv("GPU_COPY") : NULL;
		(is_hip ? open_hip : open_ze)();
		life(i % 2);
	}
}

/* Code goes while a kernel of it runs. */
static void unloaded(void)
{
	static int module;
	void *queue = new_queue();
	int (*unload)(void *module);

	guest_symbol(&unload, library, is_hip ? "hipModuleUnload" : "zeModuleDestroy");
	tell("unload", unload(&module));
	tell("launch", submit(queue));
	tell("unload", unload(&module));
}

static void many(void)
{
	int r = 0;

	for (int i = 0; i < 400; i++)
		r |= submit(new_queue());
	printf("400 queues, launches gave %d\n", r);
}

int main(int argc, char **argv)
{
	static const struct guest_case cases[] = {
		{ "garbage", garbage },	  { "sizes", sizes },	{ "early", early },
		{ "late", late },	  { "child", child },	{ "handler", handler },
		{ "threads", threads },	  { "closed", closed }, { "shortage", shortage },
		{ "capture", capture },	  { "queues", queues }, { "events", events },
		{ "unwaited", unwaited }, { "many", many },	{ "destroyed", destroyed },
		{ "newer", newer },	  { "twice", twice },	{ "mapped", mapped },
		{ "unloaded", unloaded },
	};

	if (argc < 3)
		return 64;
	is_hip = !strcmp(argv[1], "hip");
	(is_hip ? open_hip : open_ze)();
	gpu.begin = begin_nothing;
	gpu.take = take;
	gpu.give = give;
	gpu.queue = new_queue;
	gpu.submit = submit;
	gpu.wait = wait_for;
	gpu.tell = tell;
	if (argc > 3)
		capture_bytes = strtoull(argv[3], NULL, 0);
	return play(cases, sizeof(cases) / sizeof(*cases), argv[2]);
}
