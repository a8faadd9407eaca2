/* SPDX-License-Identifier: MIT */
/* fit.h -- whether a model fits in memory, and the arithmetic of it.
 *
 *   need = weights + cache at the configured context + what it needs beside
 *   room = free memory less memory.headroom, and what memory.limit leaves
 *
 * An equal room fits.  Sizes saturate: too much is UINT64_MAX, never less.
 */
#ifndef TAF_FIT_H
#define TAF_FIT_H

#include "policy.h"
#include "registry.h"

/* What a load or a context asks for. */
struct taf_fit_need {
	uint64_t weights, cache, beside;
	uint64_t sum;
};

bool taf_fits(uint64_t need, uint64_t room);
/* Bytes of an amount: itself, or a share of whole; 0 for what is neither. */
uint64_t taf_amount_bytes(const struct taf_amount *a, uint64_t whole);
/* The same where the word "tier" stands for bytes. */
uint64_t taf_amount_tiered(const struct taf_amount *a, uint64_t whole, uint64_t tier);
/* Whether it is a limit, and be it 0: "off" is none, nor a share of what nobody knows, nor
 * "tier" on a machine whose size the registry has not. */
bool taf_amount_is_limit(const struct taf_amount *a, uint64_t whole, uint64_t tier);
/* a - b, or 0; a + b, or UINT64_MAX. */
uint64_t taf_less(uint64_t a, uint64_t b);
uint64_t taf_plus(uint64_t a, uint64_t b);

/* Sets what follows from m->total by the table of machine sizes in the registry. */
void taf_fit_tier(struct taf_memory *m, const struct taf_registry *r);
void taf_fit_need(const struct taf_question *q, struct taf_fit_need *n);
/* True when nothing can be said: a load of unknown size, or memory that nobody knows. */
bool taf_fit_is_unknown(const struct taf_question *q);
/* "weights 3.0 GiB + cache 64.0 MiB + 512.0 MiB beside". */
void taf_fit_text(const struct taf_fit_need *n, enum taf_basis basis, struct taf_text *out);
/* Whether more than pct of memory is in use. */
bool taf_memory_is_over(const struct taf_memory *m, uint32_t pct);
const char *taf_basis_name(enum taf_basis basis); /* "file headers"; "" for unknown */

#endif
