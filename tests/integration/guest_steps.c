/* SPDX-License-Identifier: MIT */
/* guest_steps.c -- does with the fake engine what its arguments say, one after the other.
 *
 *   load=PATH   loads a model and makes a context of it; says what came of it
 *   infer=N     N decodes on the newest context; says how they ended
 *   prompt=N    one decode of N tokens of one sequence; lanes=N: of as many sequences
 *   encode=N    encodes N tokens
 *   sync        waits for the newest context
 *   free        gives the newest context and model back
 *   wait=MS     does nothing
 *   until=FILE  waits for that file
 *   go=DIR      changes the current directory
 *   thread=PATH loads a model on a thread of its own, beside what follows
 *   join        waits for these threads
 *   maps=PCT    takes so many percent of the mappings that a process may have
 *   aside=N     N decodes on a thread that nobody waits for
 *   alloc=N     takes N bytes of a device, without any model; says whether it got them
 *   take=N      the same on a thread of its own, beside what follows; join counts these too
 *   last        prints a line in an exit handler
 *   exit=N      leaves with that status
 *
 * What a program does when a load fails is to say so and to go on. */
#include <pthread.h>
#include <sys/mman.h>

#include "guest.h"
#include "guest_stall.h"

#define MANY 32

static struct guest_engine engine;
static void *models[MANY], *contexts[MANY];
static pthread_t threads[MANY];
static int n, n_threads;

static void load(const char *path)
{
	void *model = engine.load(path, fake_value_of(0));

	printf("load %s: %s\n", path, model ? "ok" : "failed");
	if (!model || n == MANY)
		return;
	models[n] = model;
	contexts[n] = engine.make(model, fake_value_of(0));
	n++;
}

static void infer(int decodes)
{
	int ok = 0;

	for (int i = 0; n && i < decodes; i++)
		ok += engine.decode(contexts[n - 1], fake_batch_of(1)) == 0;
	printf("infer: %d of %d\n", ok, decodes);
}

/* With sequences as an engine would be told of them: each token's is in an array of its own. */
static void batch(int tokens, int is_one)
{
	static int32_t ids[MANY];
	static int32_t *of[MANY];
	struct fake_batch b = fake_batch_of(tokens < MANY ? tokens : MANY);

	for (int i = 0; i < MANY; i++) {
		ids[i] = is_one ? 0 : i;
		of[i] = &ids[i];
	}
	b.words[4] = (uint64_t)(uintptr_t)of;
	printf("batch: %d\n", n ? engine.decode(contexts[n - 1], b) : -1);
}

static void encode(int tokens)
{
	static int32_t (*theirs)(void *ctx, struct fake_batch batch);

	guest_symbol(&theirs, engine.handle, "llama_encode");
	printf("encode: %d\n", n ? theirs(contexts[n - 1], fake_batch_of(tokens)) : -1);
}

static void give_back(void)
{
	if (!n)
		return;
	n--;
	engine.free_ctx(contexts[n]);
	engine.free_model(models[n]);
	puts("free");
}

static void *load_aside(void *path)
{
	return engine.load(path, fake_value_of(0));
}

static void *(*take)(void *type, size_t size);

static void open_device(void)
{
	char path[4096];
	void *handle;

	if (take)
		return;
	guest_beside(path, sizeof(path), "libfake_ggml.so");
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		_exit(95);
	guest_symbol(&take, handle, "ggml_backend_buft_alloc_buffer");
}

static void alloc(const char *bytes)
{
	open_device();
	printf("alloc: %s\n", take(NULL, strtoul(bytes, NULL, 10)) ? "ok" : "failed");
}

static void *alloc_aside(void *bytes)
{
	return take(NULL, strtoul(bytes, NULL, 10));
}

static void await_file(const char *file)
{
	while (access(file, F_OK))
		usleep(1000);
}

static void say_last(void)
{
	puts("last");
}

static void *infer_aside(void *decodes)
{
	for (int i = 0; i < atoi(decodes); i++)
		engine.decode(contexts[n - 1], fake_batch_of(1));
	return NULL;
}

static void join_all(void)
{
	void *model;
	int ok = 0;

	for (int i = 0; i < n_threads; i++)
		ok += !pthread_join(threads[i], &model) && model;
	printf("threads: %d of %d loaded\n", ok, n_threads);
	n_threads = 0;
}

/* Neighbours differ in what they allow, so that no two become one. */
static void take_maps(int percent)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
	long most = 0, taken = 0;

	if (f && fscanf(f, "%ld", &most) == 1)
		while (taken < most / 100 * percent &&
		       mmap(NULL, 4096, taken & 1 ? PROT_READ : PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED)
			taken++;
	if (f)
		fclose(f);
	printf("maps: %s\n", most && taken >= most / 100 * percent ? "taken" : "refused");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	guest_open(&engine);
	guest_quick(1);
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		value = value ? value + 1 : argv[i];
		if (!strncmp(argv[i], "load=", 5))
			load(value);
		else if (!strncmp(argv[i], "infer=", 6))
			infer(atoi(value));
		else if (!strncmp(argv[i], "prompt=", 7))
			batch(atoi(value), 1);
		else if (!strncmp(argv[i], "lanes=", 6))
			batch(atoi(value), 0);
		else if (!strncmp(argv[i], "encode=", 7))
			encode(atoi(value));
		else if (!strcmp(argv[i], "sync") && n)
			engine.sync(contexts[n - 1]);
		else if (!strcmp(argv[i], "free"))
			give_back();
		else if (!strncmp(argv[i], "wait=", 5))
			usleep((useconds_t)atoi(value) * 1000);
		else if (!strncmp(argv[i], "until=", 6))
			await_file(value);
		else if (!strncmp(argv[i], "go=", 3))
			printf("go %s: %d\n", value, chdir(value));
		else if (!strncmp(argv[i], "thread=", 7) && n_threads < MANY)
			pthread_create(&threads[n_threads++], NULL, load_aside, value);
		else if (!strncmp(argv[i], "maps=", 5))
			take_maps(atoi(value));
		else if (!strncmp(argv[i], "aside=", 6) && n)
			pthread_create(&(pthread_t){ 0 }, NULL, infer_aside, value);
		else if (!strncmp(argv[i], "alloc=", 6))
			alloc(value);
		else if (!strncmp(argv[i], "take=", 5) && n_threads < MANY) {
			open_device();
			pthread_create(&threads[n_threads++], NULL, alloc_aside, value);
		} else if (!strcmp(argv[i], "last"))
			atexit(say_last);
		else if (!strcmp(argv[i], "join"))
			join_all();
		else if (!strncmp(argv[i], "exit=", 5))
			return atoi(value);
		else
			return 64;
		guest_quick(!strncmp(argv[i], "wait=", 5));
	}
	return 0;
}
