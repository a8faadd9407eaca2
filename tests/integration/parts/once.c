/* SPDX-License-Identifier: MIT */
/* once.c -- an exit() that only one thread gets through, as that of glibc since 2.41: others
 * that come to it stand still, the one that is in it may come again. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

__attribute__((noreturn)) void exit(int status)
{
	static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	union {
		void *p;
		void (*f)(int);
	} theirs = { .p = dlsym(RTLD_NEXT, "exit") };

	pthread_mutex_lock(&lock);
	theirs.f(status);
	abort();
}
