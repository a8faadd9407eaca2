/* SPDX-License-Identifier: MIT */
/* bench_python.c -- what taffrail-python costs while there is no hold: /bin/true in the
 * place of Python, started by itself and by the launcher, in turn.  The gate is asked
 * each time, with a state directory in which there is nothing. */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PAIRS 500

static double start_us(char *program, char *const *envp)
{
	char *argv[] = { program, NULL };
	double begin = bench_now_ns();
	pid_t pid;
	int status;

	if (posix_spawn(&pid, program, NULL, NULL, argv, envp) || waitpid(pid, &status, 0) != pid ||
	    status) {
		fprintf(stderr, "bench_python: %s did not run\n", program);
		exit(1);
	}
	return (bench_now_ns() - begin) / 1e3;
}

int main(void)
{
	static double a[PAIRS], b[PAIRS];
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
	char launcher[3072], at[64], dir[] = "/tmp/taffrail-bench-XXXXXX", cmd[64];
	char python[] = "TAFFRAIL_PYTHON=/bin/true", program[] = "/bin/true";
	char *env[] = { at, python, NULL };

	snprintf(launcher, sizeof(launcher), "%s/taffrail-python", build);
	if (access(launcher, X_OK) || !mkdtemp(dir)) {
		fprintf(stderr, "bench_python: %s is missing; run make first\n", launcher);
		return 1;
	}
	snprintf(at, sizeof(at), "TAFFRAIL_STATE=%s", dir);
	start_us(launcher, env);
	for (int i = 0; i < PAIRS; i++) {
		/* Whoever goes second finds warmer caches: take turns. */
		if (i % 2)
			a[i] = start_us(program, env);
		b[i] = start_us(launcher, env);
		if (i % 2 == 0)
			a[i] = start_us(program, env);
	}
	bench_head("taffrail-python without a hold", "the interpreter", "by taffrail-python");
	bench_pairs("start", a, b, PAIRS, "us", 0);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) ? 1 : 0;
}
