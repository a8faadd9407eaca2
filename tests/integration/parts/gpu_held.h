/* SPDX-License-Identifier: MIT */
/* gpu_held.h -- for a program that takes memory of one GPU runtime in ways of which the records
 * tell, and keeps what it took until its end. Prints how many threads it has then.
 *
 * The including file defines ROWS, the runtime's table, and includes the types of its
 * rows; gpu_held.sh links it with the fake runtime that is made of the same table. */
#ifndef GPU_HELD_H
#define GPU_HELD_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../../../hooks/none.h"
#undef HOOK
#undef OWN
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) extern ret name params;
#define OWN(ret, name, params, args, kind, refuse, doc) extern ret name params;
#define CALL(ret, name, params, doc) extern ret name params;
#include ROWS

#define MIB ((uint64_t)1 << 20)

/* Prints what a call gives: the same with and without a guard. */
#define TELL(call) printf("%s %d\n", #call, call)

/* A handle that the fake runtime does not give of its own. */
static inline void *handle_of(uintptr_t number)
{
	union {
		uintptr_t n;
		void *p;
	} u = { .n = number };

	return u.p;
}

static inline int threads_now(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *d;
	int n = 0;

	while (tasks && (d = readdir(tasks)))
		n += d->d_name[0] != '.';
	if (tasks)
		closedir(tasks);
	return n;
}

struct held_case {
	const char *name;
	void (*go)(void);
};

/* 93: there is no such case. */
static inline int held(const struct held_case *cases, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (!strcmp(cases[i].name, name)) {
			cases[i].go();
			printf("threads %d\n", threads_now());
			return 0;
		}
	return 93;
}

#endif
