/* SPDX-License-Identifier: MIT */
/* guest_fork.c -- a fork child and what its parent left it, by the way that argv[1]
 * names.
 *
 * The child has its parent's pointers but not its device: a guard that
 * synchronizes there, or waits there for a thread that only the parent has, is
 * found out by what is printed.  races.sh runs it. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "guest.h"

#define ROUNDS 30

static struct guest_engine engine;
static void *model, *ctx;

static void use_engine(void)
{
	guest_open(&engine);
	model = engine.load("/models/parent.gguf", fake_value_of(0));
	ctx = engine.make(model, fake_value_of(0));
	engine.decode(ctx, fake_batch_of(1));
}

static long synced(void)
{
	return engine.count("llama_synchronize");
}

static void end_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	printf("child %d\n", status);
	fflush(stdout);
}

/* The child frees what the parent made, and tells how often that synchronized. */
static void free_in_child(void (*of)(void))
{
	long before = synced();
	pid_t pid = fork();

	if (!pid) {
		of();
		_exit((int)(synced() - before));
	}
	end_of(pid);
}

static void free_context(void)
{
	engine.free_ctx(ctx);
}

static void free_model(void)
{
	engine.free_model(model);
}

static void free_both(void)
{
	engine.free_ctx(ctx);
	engine.free_model(model);
}

static void way_free(void)
{
	use_engine();
	free_in_child(free_context);
	engine.free_ctx(ctx);
}

static void way_free_model(void)
{
	use_engine();
	free_in_child(free_model);
}

static _Atomic(int) is_inside;

static void stay_inside(void)
{
	is_inside = 1;
	for (;;)
		pause();
}

static void *decode_on(void *arg)
{
	engine.decode(ctx, fake_batch_of(1));
	return arg;
}

/* A thread of the parent is in the context; in the child there is no such thread. */
static void way_free_inside(void)
{
	pthread_t t;

	use_engine();
	engine.on_decode(stay_inside);
	pthread_create(&t, NULL, decode_on, NULL);
	while (!is_inside)
		usleep(1000);
	free_in_child(free_model);
	_exit(3);
}

/* From here on the kernel knows no MADV_WIPEONFORK, as older ones do not. */
static void forbid_wiping(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MADV_WIPEONFORK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog all = { sizeof(rules) / sizeof(*rules), rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &all))
		_exit(77);
}

static void way_unwiped(void)
{
	forbid_wiping();
	use_engine();
	free_in_child(free_both);
	engine.free_ctx(ctx);
}

/* A child that computes has a log of its own there, too. */
static void way_unwiped_decode(void)
{
	pid_t pid;

	forbid_wiping();
	use_engine();
	pid = fork();
	if (!pid) {
		model = engine.load("/models/child.gguf", fake_value_of(0));
		exit(engine.decode(engine.make(model, fake_value_of(0)), fake_batch_of(1)) + 4);
	}
	end_of(pid);
}

static void *load_on(void *arg)
{
	return engine.load("/models/parent.gguf", fake_value_of(0)) ? arg : NULL;
}

/* A fork at any moment of another thread's first load; the child loads as well. */
static void one_round(int i)
{
	struct timespec moment = { 0, i * 20000L };
	pthread_t t;
	pid_t pid;

	pthread_create(&t, NULL, load_on, NULL);
	nanosleep(&moment, NULL);
	pid = fork();
	if (!pid) {
		model = engine.load("/models/child.gguf", fake_value_of(0));
		_exit(engine.decode(engine.make(model, fake_value_of(0)), fake_batch_of(1)));
	}
	waitpid(pid, NULL, 0);
	pthread_join(t, NULL);
	_exit(0);
}

static void way_while_loading(void)
{
	guest_open(&engine);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = fork();

		if (!pid)
			one_round(i);
		waitpid(pid, NULL, 0);
	}
}

#define WAY(name) \
	{ \
#name, way_##name \
	}
static const struct {
	const char *name;
	void (*go)(void);
} ways[] = {
	WAY(free),    WAY(free_model),	   WAY(free_inside),
	WAY(unwiped), WAY(unwiped_decode), WAY(while_loading),
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, argv[1])) {
			ways[i].go();
			return 3;
		}
	return 93;
}
