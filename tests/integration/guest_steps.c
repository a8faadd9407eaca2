/* SPDX-License-Identifier: MIT */
/* guest_steps.c -- does with the fake engine what its arguments say, one after the other.
 *
 *   load=PATH   loads a model and makes a context of it; says what came of it
 *   infer=N     N decodes on the newest context; says how they ended
 *   free        gives the newest context and model back
 *   wait=MS     does nothing
 *   thread=PATH loads a model on a thread of its own, beside what follows
 *   join        waits for these threads
 *   aside=N     N decodes on a thread that nobody waits for
 *   exit=N      leaves with that status
 *
 * What a program does when a load fails is to say so and to go on. */
#include <pthread.h>

#include "guest.h"

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

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	guest_open(&engine);
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		value = value ? value + 1 : argv[i];
		if (!strncmp(argv[i], "load=", 5))
			load(value);
		else if (!strncmp(argv[i], "infer=", 6))
			infer(atoi(value));
		else if (!strcmp(argv[i], "free"))
			give_back();
		else if (!strncmp(argv[i], "wait=", 5))
			usleep((useconds_t)atoi(value) * 1000);
		else if (!strncmp(argv[i], "thread=", 7) && n_threads < MANY)
			pthread_create(&threads[n_threads++], NULL, load_aside, value);
		else if (!strncmp(argv[i], "aside=", 6) && n)
			pthread_create(&(pthread_t){ 0 }, NULL, infer_aside, value);
		else if (!strcmp(argv[i], "join"))
			join_all();
		else if (!strncmp(argv[i], "exit=", 5))
			return atoi(value);
		else
			return 64;
	}
	return 0;
}
