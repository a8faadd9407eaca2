/* SPDX-License-Identifier: MIT */
/* error.h -- what follows a failed computation: the setting on_error.
 *
 *   note      an ERROR crumb with class and hint, nothing else
 *   poison    the context computes nothing, shows nothing and saves nothing until it
 *             is freed, and no model is loaded until the program is started again.
 *             Of an engine without contexts of its own (MLX) only the last part: what
 *             a program keeps in arrays is the program's
 *   reset     the context is cleared before it is used again
 *   restart   whoever supervises is asked to start the program again
 *
 * A computation has failed when its engine says so, or when a GPU runtime told of a
 * fault inside it, whatever the engine made of that.  What the program hands in wrongly
 * (a bad batch) is an answer, and only the crumb tells of it; so is an exception whose
 * text is none of policy/classes.def.
 *
 *   NONE -- failed, poison --> POISON -- freed --> gone
 *   NONE -- failed, reset ---> RESET -- next use --> NONE
 *
 * In observe mode nothing is done, and a `would` crumb says so once a context.
 */
#ifndef TAF_ERROR_H
#define TAF_ERROR_H

#include "gate.h"

struct taf_fault;

enum taf_after { TAF_AFTER_NONE, TAF_AFTER_POISON, TAF_AFTER_RESET };

enum taf_failure {
	TAF_FAILED_REQUEST, /* the program's own doing: nothing follows */
	TAF_FAILED_UNKNOWN, /* an exception whose text tells nothing: nor here */
	TAF_FAILED_MEMORY,
	TAF_FAILED_COMPUTE,
};

/* How a computation ended that did not succeed. */
struct taf_error {
	const struct taf_call *call;
	struct taf_work *work; /* the context, under the claim; NULL: none that is known */
	enum taf_failure what;
	int64_t rc;
	const char *text; /* of the engine's exception; NULL: it only gave rc */
	const char *model; /* where no context is known; NULL: nor is that */
};

/* What the program wants of a context. What is restored over a failure that is to be cleared
 * would be cleared as well: it comes after that. */
enum taf_use { TAF_USE_COMPUTE, TAF_USE_POSITIONS, TAF_USE_RESULTS, TAF_USE_SAVE, TAF_USE_RESTORE };

/* Some context was left by a failed computation: before that no use needs to be asked about. */
extern _Atomic(bool) taf_error_is_any;

/* Writes the crumb and does what on_error says. Only for calls that were counted. */
void taf_error_failed(const struct taf_error *e);
/* A computation ended well as far as its engine knows. Under the claim. */
void taf_error_passed(const struct taf_call *c, struct taf_work *w);
/* A GPU runtime has told of f on this thread. */
void taf_error_fault(const struct taf_fault *f);
/* Before a computation: false, and it is refused. Under the claim. */
bool taf_error_may_compute(const struct taf_call *c, struct taf_work *w);
/* The same before any other use; w may be NULL. call: the entry point. */
bool taf_error_may_use(const char *call, struct taf_work *w, enum taf_use use);
/* The context whose store that is (table.h), among those with something left; or NULL. */
struct taf_work *taf_error_work_of_store(const void *store);
/* Whether on_error has poisoned this process. */
bool taf_error_is_poisoned(void);
void taf_error_forget(void); /* a fork child has failed at nothing */

#endif
