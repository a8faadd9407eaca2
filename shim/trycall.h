/* SPDX-License-Identifier: MIT */
/* trycall.h -- calls of functions that may throw a C++ exception.
 *
 *   taf_try_call(&t)    a call of our own: what it throws ends here
 *   taf_pass_call(&t)   the program's call: what it throws goes on to the program,
 *                       after t.undo(&t)
 *
 *   taf_pass_regs(&t, r)   the same with all that an entry in assembly has kept (entry.h):
 *                       where the place of the result, or arguments on the stack, are the
 *                       compiler's affair
 *
 * t.seen(&t) comes before either, with t.thrown in flight (thrown.h): also where nobody
 * will catch it, and the process is about to end.
 *
 * Between the call and the engine lies one frame in assembly whose personality
 * routine is ours.  It needs no C++ runtime in our object: the unwinder that
 * runs is the engine's, and what it takes of it is found by name in the process
 * (taf_try_is_ready).  A thread that is being cancelled passes as if we were not there.
 *
 * taf_throw throws what an engine would: a std::runtime_error of its own runtime.
 */
#ifndef TAF_TRYCALL_H
#define TAF_TRYCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "table.h"

/* The assembly knows the places of the first seven members. */
struct taf_try {
	taf_fn fn;
	uint64_t arg[4]; /* as integer registers carry them */
	uint64_t result, second; /* what came back in the two registers of a result */
	void (*undo)(struct taf_try *t);
	void (*seen)(struct taf_try *t); /* NULL: nobody looks */
	void *ctx; /* for both */
	void *thrown;
	bool is_swallowed;
};

/* Whether an exception can be caught here. Looks the unwinder up at the first call. */
bool taf_try_is_ready(void);
/* False: it threw, or nothing of ours may be called here. */
bool taf_try_call(struct taf_try *t);
void taf_pass_call(struct taf_try *t);
struct taf_regs;
void taf_pass_regs(struct taf_try *t, const struct taf_regs *r);
/* The same in a thread that has passed one before. Zero: it returned. */
int taf_try_enter(struct taf_try *t) __attribute__((visibility("hidden")));
static inline void taf_pass_again(struct taf_try *t)
{
	t->is_swallowed = false;
	t->thrown = NULL;
	taf_try_enter(t);
}
/* Does not come back; false: this process has nothing to throw with. */
bool taf_throw(const char *what);
/* Operators new and delete of the process; NULL: no memory, or no such runtime. */
void *taf_cxx_new(size_t n);
void taf_cxx_delete(void *p);

#endif
