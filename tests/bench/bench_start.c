/* SPDX-License-Identifier: MIT */
/* bench_start.c -- what a process that never touches an engine pays for the
 * preload: /bin/true started by posix_spawn, with and without, in turn. */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PAIRS 1500

static double start_us(char *const *argv, char *const *envp)
{
	double begin = bench_now_ns();
	pid_t pid;
	int status;

	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, envp) || waitpid(pid, &status, 0) != pid ||
	    status) {
		fprintf(stderr, "bench_start: %s did not run\n", argv[0]);
		exit(1);
	}
	return (bench_now_ns() - begin) / 1e3;
}

static void measure(const char *program, const char *preload)
{
	static double a[PAIRS], b[PAIRS];
	char entry[4096];
	char name[64];
	union {
		const char *c;
		char *m;
	} u = { .c = program };
	char *argv[] = { u.m, NULL, NULL };
	char path[] = "PATH=/usr/bin:/bin";
	char *bare[] = { path, NULL }, *with[] = { path, entry, NULL };

	snprintf(entry, sizeof(entry), "LD_PRELOAD=%s", preload);
	snprintf(name, sizeof(name), "start %s", program);
	for (int i = 0; i < PAIRS; i++) {
		/* Whoever goes second finds warmer caches: take turns. */
		if (i % 2) {
			a[i] = start_us(argv, bare);
			b[i] = start_us(argv, with);
		} else {
			b[i] = start_us(argv, with);
			a[i] = start_us(argv, bare);
		}
	}
	bench_pairs(name, a, b, PAIRS, "us", 0);
}

int main(void)
{
	const char *build = getenv("BUILD");
	char preload[3072];

	snprintf(preload, sizeof(preload), "%s/libtaffrail.so", build ? build : "build");
	if (access(preload, R_OK)) {
		fprintf(stderr, "bench_start: %s is missing; run make first\n", preload);
		return 1;
	}
	bench_head("Start-up of a process that never touches an engine", "without", "with");
	measure("/bin/true", preload);
	return 0;
}
