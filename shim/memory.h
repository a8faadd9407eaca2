/* SPDX-License-Identifier: MIT */
/* memory.h -- memory as the rules see it: of the machine, and of this process.
 *
 *   taf_memory_now(&m)       whoever asks the rules
 *   taf_memory_stale()       memory was given back: the next question reads anew
 *   taf_memory_tell(&v)      the warnings of v were written: they are not repeated while they stand
 *
 * What the system says is kept for TAF_MEMORY_KEEP_MS, or until this process took
 * or gave back TAF_MEMORY_STEP; what it took is counted at each question.  Growth of its
 * allocations is measured between questions, over the last minutes and from
 * generation to generation, and begins anew whenever a model or a context comes or
 * goes: that is no growth.  Nothing here waits, and no thread is behind it.
 *
 * What a program maps (weights on the processor) is no allocation that is seen,
 * so what it took is the larger of two counts: models and caches by their
 * headers, and the allocations that passed the doors.
 */
#ifndef TAF_MEMORY_H
#define TAF_MEMORY_H

#include "../policy/event.h"
#include "../policy/fault.h"
#include "work.h"

#define TAF_MEMORY_KEEP_MS 250
#define TAF_MEMORY_STEP (64u << 20) /* bytes that make an answer old */
/* Warnings of single allocations, which stand until another model or context. */
#define TAF_TOLD_ALLOC (TAF_TOLD_LIMIT | TAF_TOLD_SINGLE)

void taf_memory_now(struct taf_memory *m);
/* The counts of this process alone, and what is kept of the rest: no file is read. */
void taf_memory_quick(struct taf_memory *m);
/* Asks the rules about memory alone, before a generation that no other rule is asked
 * about, and says what they warn of. */
void taf_memory_watch(const struct taf_work *w);
/* The same after an allocation by which the process holds TAF_MEMORY_STEP more of a
 * device of this engine than it ever did when this was called. */
void taf_memory_grown(enum taf_engine engine);
/* The device of the first runtime of that API, NONE: of any, that can say: total and free.
 * On a thread that may call it. */
bool taf_memory_device(enum taf_api api, struct taf_memory *m);
void taf_memory_stale(void);
void taf_memory_tell(const struct taf_verdict *v);
uint32_t taf_memory_told_by(int rule); /* enum taf_told, or-ed */
/* A fork child took nothing yet. */
void taf_memory_forget(void);

#endif
