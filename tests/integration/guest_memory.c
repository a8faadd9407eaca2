/* SPDX-License-Identifier: MIT */
/* guest_memory.c -- takes memory of the fake engines as its arguments say, one after the other.
 *
 *   load=PATH    loads a model
 *   context=N    makes a context of N tokens of the newest model
 *   infer=N      N generations on it, with a pause between
 *   alloc=BYTES  takes a buffer
 *   open=PATH    opens a file for reading; fopen=PATH, write=PATH likewise
 *   wait=MS      does nothing
 *   free         gives the newest context and model back
 *
 * Says what came of each, and goes on. */
#include <errno.h>
#include <fcntl.h>

#include "guest.h"

#define MANY 8

static struct guest_engine engine;
static void *(*take)(void *type, size_t size);
static void *models[MANY], *contexts[MANY];
static int n_models, n_contexts;

static void open_ggml(void)
{
	char path[4096];
	void *handle;

	guest_beside(path, sizeof(path), "libfake_ggml.so");
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		_exit(95);
	guest_symbol(&take, handle, "ggml_backend_buft_alloc_buffer");
}

/* The engine with a load entry comes into the process with the first load alone. */
static void need_engine(void)
{
	if (!engine.handle)
		guest_open(&engine);
}

static void open_file(const char *path, int flags)
{
	int fd = open(path, flags);

	printf("open: %s\n", fd < 0 ? strerror(errno) : "ok");
	if (fd >= 0)
		close(fd);
}

static void open_stream(const char *path)
{
	FILE *f = fopen(path, "rb");

	printf("fopen: %s\n", f ? "ok" : strerror(errno));
	if (f)
		fclose(f);
}

static const char *word(const void *p)
{
	return p ? "ok" : "failed";
}

static void load(const char *path)
{
	const char *base = strrchr(path, '/');
	void *model;

	need_engine();
	model = n_models < MANY ? engine.load(path, fake_value_of(0)) : NULL;
	printf("load %s: %s\n", base ? base + 1 : path, word(model));
	if (model)
		models[n_models++] = model;
}

static void make(int tokens)
{
	void *context = n_models && n_contexts < MANY
				? engine.make(models[n_models - 1], fake_value_of(tokens))
				: NULL;

	printf("context: %s\n", word(context));
	if (context)
		contexts[n_contexts++] = context;
}

/* Longer than drain.idle_ms between them: each is a generation. */
static void infer(int times)
{
	int ok = 0;

	for (int i = 0; n_contexts && i < times; i++) {
		usleep(i ? 30000 : 0);
		ok += engine.decode(contexts[n_contexts - 1], fake_batch_of(1)) == 0;
	}
	printf("infer: %d of %d\n", ok, times);
}

static void give_back(void)
{
	if (n_contexts)
		engine.free_ctx(contexts[--n_contexts]);
	if (n_models)
		engine.free_model(models[--n_models]);
	puts("free");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_ggml();
	for (int i = 1; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		value = value ? value + 1 : argv[i];
		if (!strncmp(argv[i], "load=", 5))
			load(value);
		else if (!strncmp(argv[i], "context=", 8))
			make(atoi(value));
		else if (!strncmp(argv[i], "infer=", 6))
			infer(atoi(value));
		else if (!strncmp(argv[i], "alloc=", 6))
			printf("alloc: %s\n", word(take(NULL, strtoull(value, NULL, 10))));
		else if (!strncmp(argv[i], "open=", 5))
			open_file(value, O_RDONLY);
		else if (!strncmp(argv[i], "write=", 6))
			open_file(value, O_WRONLY);
		else if (!strncmp(argv[i], "fopen=", 6))
			open_stream(value);
		else if (!strncmp(argv[i], "wait=", 5))
			usleep((useconds_t)atoi(value) * 1000);
		else if (!strcmp(argv[i], "free"))
			give_back();
		else
			return 64;
	}
	return 0;
}
