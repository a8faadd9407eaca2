/* SPDX-License-Identifier: MIT */
/* lazy.h -- a load that one call begins and another one does.
 *
 * MLX reads headers in load_safetensors and the tensors when they are evaluated.
 * So a LOAD is open from the first file of a model's folder until the next
 * evaluation returns; what is evaluated in it is the load, and no generation.
 *
 *   taf_lazy_read    a file is read: begins a load, joins the one that is open, or
 *                    is none (a cache of a prompt that is read back)
 *   taf_lazy_take    an evaluation begins: the load that it will end, or NULL
 *   taf_lazy_evaluate  writes that down, before it is made
 *   taf_lazy_end     it returned
 *   taf_lazy_fail    the file could not be read: the engine has thrown, and the load failed
 *   taf_lazy_leave   the program ends: what was read only was loaded all the same
 *
 * No engine call says that a model was given up: swap.h infers it.
 */
#ifndef TAF_LAZY_H
#define TAF_LAZY_H

#include <stdatomic.h>

#include "load.h"

struct taf_lazy;

/* How many are open. */
extern _Atomic(uint32_t) taf_lazy_open;

enum taf_read {
	TAF_READ_REFUSED, /* by a rule, or nobody has their function */
	TAF_READ_UNSEEN, /* inside another call, or of a process that is not active */
	TAF_READ_OTHER, /* of no model: a saved cache, or a file that is not there */
	TAF_READ_LOAD /* of the load that this thread has open now */
};
/* c is about a file at path, NULL where the engine has only a stream. c->real is set. */
enum taf_read taf_lazy_read(struct taf_call *c, const char *path);
/* The model that this thread has begun to read; NULL: none, or it is not known. */
const char *taf_lazy_model(void);
void taf_lazy_fail(void);
struct taf_lazy *taf_lazy_take(void);
void taf_lazy_evaluate(const struct taf_lazy *l);
void taf_lazy_end(struct taf_lazy *l, struct taf_call *c, bool is_good);
/* The call of the load, to be resumed in a frame of this thread (gate.h). */
struct taf_call taf_lazy_call(const struct taf_lazy *l);
void taf_lazy_leave(void);
void taf_lazy_forget(void); /* a fork child loads nothing */

#endif
