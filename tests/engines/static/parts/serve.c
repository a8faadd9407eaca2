/* SPDX-License-Identifier: MIT */
/* serve.c -- a server with its engine inside, as ds4 is one: loads, threads, generations.
 *
 *   serve MODEL WHAT
 *
 *   once      a load, a generation of 3 tokens, everything is freed
 *   leave     the same, and nothing is freed: main returns
 *   exit      the same by exit(3) from a second thread
 *   threads   8 threads, 200 generations each of 5 tokens, a context each
 *   waits     prints how often the engine was waited for, at the very end
 *   fork      a child does a generation of its own and leaves
 *   other     another program is started in a child: the next argument
 *   abort     an assertion of the engine fails
 *   sites     prints TAFFRAIL_SITES
 *   maps      prints how many mappings can be written and executed
 *
 * Decodes come by a call, by a call that is a function's last (a jump), and by one
 * behind a test. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"

#define NOINLINE __attribute__((noinline))

static void *model;

NOINLINE static int32_t last_call(void *ctx, int n)
{
	return llama_decode(ctx, fake_batch_of(n));
}

/* No argument lies on the stack, so this can end in a jump. */
NOINLINE static void wait_for(void *ctx)
{
	llama_synchronize(ctx);
}

#if defined(__x86_64__) && !defined(NO_ASM)
/* As clang writes it where it is to be small: the jump itself is the test's.  An optimiser
 * of the whole program does not read it. */
void wait_if(void *ctx);
__asm__(".text\n.type wait_if,@function\nwait_if:\n.cfi_startproc\n test %rdi,%rdi\n"
	" jne llama_synchronize\n ret\n.cfi_endproc\n.size wait_if,.-wait_if\n");
#else
NOINLINE static void wait_if(void *ctx)
{
	if (ctx)
		llama_synchronize(ctx);
}
#endif

NOINLINE static int32_t first_call(void *ctx, int n)
{
	int32_t rc = llama_decode(ctx, fake_batch_of(n));

	return rc * 3;
}

static int generate(void *ctx, int tokens)
{
	int32_t rc = first_call(ctx, tokens - 2);

	rc += last_call(ctx, 1);
	wait_for(ctx);
	wait_if(ctx);
	rc += last_call(ctx, 1);
	return rc;
}

static void *worker(void *arg)
{
	void *ctx = llama_init_from_model(model, fake_value_of(7));
	long n = 0;

	(void)arg;
	for (int i = 0; i < 200; i++)
		n += generate(ctx, 5) == 0;
	llama_free(ctx);
	return (void *)n;
}

static int threads(void)
{
	pthread_t all[8];
	long good = 0;
	void *n;

	for (int i = 0; i < 8; i++)
		pthread_create(&all[i], NULL, worker, NULL);
	for (int i = 0; i < 8; i++) {
		pthread_join(all[i], &n);
		good += (long)n;
	}
	printf("%ld generations\n", good);
	return 0;
}

static void *leaver(void *arg)
{
	(void)arg;
	exit(5);
}

static int in_child(void *ctx)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		exit(generate(ctx, 4) ? 1 : 6);
	waitpid(pid, &status, 0);
	printf("child %d\n", WEXITSTATUS(status));
	return 0;
}

static int start_other(char **argv)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		execv(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	printf("other %d\n", WEXITSTATUS(status));
	return 0;
}

static int tell_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, " rwx") != NULL;
	if (f)
		fclose(f);
	printf("%d mappings\n", n);
	return 0;
}

static void tell_waits(void)
{
	printf("%ld waits\n", engine_syncs());
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "once", *sites = getenv("TAFFRAIL_SITES");
	pthread_t t;
	void *ctx;

	if (!strcmp(what, "waits"))
		atexit(tell_waits);
	model = llama_model_load_from_file(argc > 1 ? argv[1] : "none", fake_value_of(3));
	if (!model) {
		puts("no model");
		return 3;
	}
	printf("%llu bytes\n", (unsigned long long)llama_model_size(model));
	if (!strcmp(what, "threads"))
		return threads();
	if (!strcmp(what, "sites"))
		return puts(sites ? sites : "none") < 0;
	if (!strcmp(what, "maps"))
		return tell_maps();
	ctx = llama_init_from_model(model, fake_value_of(5));
	printf("context of %u, rc %d\n", llama_n_ctx(ctx), generate(ctx, 3));
	fflush(stdout);
	if (!strcmp(what, "exit")) {
		pthread_create(&t, NULL, leaver, NULL);
		pthread_join(t, NULL);
	}
	if (!strcmp(what, "abort"))
		ggml_abort("serve.c", 7, "no %s after %.1f tokens\n", "luck", 3.0);
	if (!strcmp(what, "fork"))
		return in_child(ctx);
	if (!strcmp(what, "other"))
		return start_other(argv + 3);
	if (!strcmp(what, "once")) {
		llama_free(ctx);
		llama_model_free(model);
	}
	return 0;
}
