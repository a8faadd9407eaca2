/* SPDX-License-Identifier: MIT */
/* guest_gpu_cases.h -- cases that a guest asks of every GPU runtime, by functions of its own.
 *
 *   late      calls from an exit handler that was registered before the runtime's
 *   child     in a fork child, of what the parent has
 *   handler   from a signal handler, within a call and outside
 *   threads   64 at once: memory, work, waits
 *   shortage  allocations that fail, then go well: what is told each time
 *
 * Header of static functions, for one program, which fills gpu and then plays a case.
 */
#ifndef GUEST_GPU_CASES_H
#define GUEST_GPU_CASES_H

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 64

/* Answers are the runtime's: 0 is well. */
static struct {
	void (*begin)(void); /* makes what has to be there before the first call */
	int (*take)(void **p, size_t size);
	int (*give)(void *p);
	void *(*queue)(void); /* a new one; NULL: there is none */
	int (*submit)(void *queue);
	int (*wait)(void *queue);
	void (*tell)(const char *what, int64_t answer); /* prints a line */
} gpu;

struct guest_case {
	const char *name;
	void (*go)(void);
};

/* 64: there is no such case. */
static int play(const struct guest_case *cases, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, cases[i].name)) {
			cases[i].go();
			return 0;
		}
	return 64;
}

static void *late_piece, *late_queue;

static void say_late(void)
{
	gpu.tell("late wait", gpu.wait(late_queue));
	gpu.tell("late work", gpu.submit(late_queue));
	gpu.tell("late wait", gpu.wait(late_queue));
	gpu.tell("late free", gpu.give(late_piece));
}

static void late(void)
{
	gpu.begin();
	gpu.take(&late_piece, 1000);
	late_queue = gpu.queue();
	gpu.tell("work", gpu.submit(late_queue));
	atexit(say_late); /* after the runtime's own: runs before it */
}

static void child(void)
{
	void *p, *queue, *q;
	int status = 0;
	pid_t pid;

	gpu.begin();
	queue = gpu.queue();
	gpu.tell("take", gpu.take(&p, 1000));
	gpu.tell("work", gpu.submit(queue));
	pid = fork();
	if (!pid) {
		gpu.tell("child: free of the parent's", gpu.give(p));
		gpu.tell("child: take", gpu.take(&q, 1000));
		gpu.tell("child: work", gpu.submit(queue));
		gpu.tell("child: wait", gpu.wait(queue));
		exit(3);
	}
	waitpid(pid, &status, 0);
	gpu.tell("child ended", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	gpu.tell("free", gpu.give(p));
	gpu.tell("wait", gpu.wait(queue));
}

static volatile sig_atomic_t answers[4];
static void *handler_queue;

static void on_signal(int signo)
{
	void *p = NULL;

	(void)signo;
	answers[0] = gpu.take(&p, 4096);
	answers[1] = gpu.submit(handler_queue);
	answers[2] = gpu.wait(handler_queue);
	answers[3] = gpu.give(p);
}

static void handler(void)
{
	void *p;

	gpu.begin();
	handler_queue = gpu.queue();
	signal(SIGUSR1, on_signal);
	gpu.tell("take", gpu.take(&p, 1000));
	for (int i = 0; i < 100; i++)
		raise(SIGUSR1);
	printf("handler: %d %d %d %d\n", (int)answers[0], (int)answers[1], (int)answers[2],
	       (int)answers[3]);
	gpu.tell("free", gpu.give(p));
}

static pthread_barrier_t barrier;

static void *busy(void *arg)
{
	void *queue = gpu.queue();
	intptr_t sum = queue == NULL;

	(void)arg;
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 50; i++) {
		void *p = NULL, *q = NULL;

		sum += gpu.take(&p, 100000) + gpu.take(&q, 5000) + gpu.submit(queue) +
		       gpu.submit(queue);
		sum += gpu.give(p);
		if (i % 10 == 9)
			sum += gpu.wait(queue);
		sum += gpu.give(q);
	}
	return (void *)sum;
}

static void threads(void)
{
	pthread_t t[THREADS];
	intptr_t sum = 0;

	gpu.begin();
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, busy, NULL))
			exit(96);
	for (int i = 0; i < THREADS; i++) {
		void *r;

		pthread_join(t[i], &r);
		sum += (intptr_t)r;
	}
	printf("%d threads, all answers together %ld\n", THREADS, (long)sum);
}

static void shortage(void)
{
	gpu.begin();
	for (int i = 0; i < 4; i++) {
		void *p = NULL;
		int r = gpu.take(&p, 1000);

		gpu.tell("take", r);
		if (!r)
			gpu.tell("give", gpu.give(p));
	}
}

#endif
