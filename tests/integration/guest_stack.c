/* SPDX-License-Identifier: MIT */
/* guest_stack.c -- uses an engine on threads that have the smallest stack there is.
 *
 *   load PATH    loads a model there, makes a context, decodes, gives all back
 *   open PATH    the same, then opens the file in every way that is watched
 *   ggml PATH    allocates with an engine that has no load call, then opens the file
 *
 * The first call of all is made there too, so that what happens once does. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>

#include "guest.h"

static const char *path;
static struct guest_engine engine;
static int done;

static void *use(void *arg)
{
	void *model = engine.load(path, fake_value_of(0));
	void *ctx = model ? engine.make(model, fake_value_of(0)) : NULL;

	(void)arg;
	for (int i = 0; ctx && i < 3; i++)
		done += engine.decode(ctx, fake_batch_of(1)) == 0;
	if (ctx)
		engine.free_ctx(ctx);
	if (model)
		engine.free_model(model);
	return NULL;
}

static void *open_all(void *arg)
{
	int fds[] = { open(path, O_RDONLY), open64(path, O_RDONLY),
		      openat(AT_FDCWD, path, O_RDONLY), open("/dev/null", O_RDONLY) };
	FILE *f = fopen(path, "r");

	(void)arg;
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0) {
			done++;
			close(fds[i]);
		}
	if (f) {
		done++;
		fclose(f);
	}
	return NULL;
}

static void *allocate(void *arg)
{
	void *(*alloc)(void *type, size_t size);
	void *p;

	(void)arg;
	guest_symbol(&alloc, engine.handle, "ggml_backend_buft_alloc_buffer");
	p = alloc(&engine, 4096);
	done += p != NULL;
	return open_all(NULL);
}

static void run(void *(*fn)(void *arg))
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, 16384) || pthread_create(&t, &attr, fn, NULL)) {
		puts("no thread of 16 KiB");
		exit(77);
	}
	pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
	const char *ggml = getenv("FAKE_GGML");

	if (argc != 3)
		return 64;
	path = argv[2];
	if (!strcmp(argv[1], "ggml")) {
		engine.handle = ggml ? dlopen(ggml, RTLD_NOW) : NULL;
		if (!engine.handle)
			return 95;
		run(allocate);
	} else {
		guest_open(&engine);
		run(use);
	}
	if (!strcmp(argv[1], "open"))
		run(open_all);
	printf("done: %d\n", done);
	return 0;
}
