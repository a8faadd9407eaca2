/* SPDX-License-Identifier: MIT */
/* swap.h -- models that a load replaces, where no call of the engine gives one up (MLX).
 *
 * A program changes models by dropping references: some do so before they load the next one,
 * and what the engine holds shows it.  mlx_lm.server still holds the old one in a variable
 * until the load has come back.  So a load that belongs to no other (load.h) is taken for a
 * swap:
 *
 *   the load begins        every model alive is written off: an UNLOAD, with the drain that the
 *                          policy wants before one; no rule counts it.  Not written off are what
 *                          another thread computes on, and what was found to stay before.
 *   a generation begins    what the engine holds now is compared with what it held before the
 *                          load and what the load has brought.  Half of the smaller one
 *                          missing: the old one is gone.  Nothing missing at two generations, or
 *                          at one before the next load: it stays, counts again, and a crumb
 *                          says so.  It is not written off by loads to come, until what the
 *                          engine holds shows it gone.
 *   the load failed        what computes then is the old one: it counts again.
 *
 * While one runs, for seconds perhaps, what other threads compute tells nothing of it.
 *
 * Compared are the begins of generations: key and value caches are not there yet, but for those
 * that a server keeps, which are in both figures.  What is in doubt counts as gone: a rule that
 * refuses one model too few is better than one that refuses the next for ever.
 */
#ifndef TAF_SWAP_H
#define TAF_SWAP_H

#include "gate.h"
#include "work.h"

/* The place of a model that was just loaded: the engine has no handles. */
void *taf_swap_handle(void);
/* The model of that handle is in memory, or only read. */
void taf_swap_loaded(const void *handle, bool is_evaluated);

/* A load is about to be looked at: what is gone by now. */
void taf_swap_settle(const struct taf_call *c);
/* That load begins, and is no companion. */
void taf_swap_begin(const struct taf_call *c);
/* It is over, whatever came of it. */
void taf_swap_over(void);
/* A generation begins on w. */
void taf_swap_look(const struct taf_work *w);
/* A computation of one has ended, and time has passed since the last note. */
void taf_swap_note(const struct taf_work *w);
void taf_swap_forget(void);

#endif
