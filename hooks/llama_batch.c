/* SPDX-License-Identifier: MIT */
/* llama_batch.c -- llama.cpp: how many tokens a batch has, and of which sequences.
 *
 * The number that theirs gives a token is its place, so the first one begins the batch
 * anew, whatever was at that address.  A program fills a batch in one thread at a time. */
#include "llama_batch.h"

#include "hook.h"

#define TAF_ROWS "llama.def"
#define TAF_TABLE taf_table_llama
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#define BATCHES 64 /* at a time; the one that was taken first gives way to more */

static struct {
	_Atomic(const void *) handle;
	_Atomic(int32_t) tokens;
	_Atomic(uint64_t) sequences, several;
} batches[BATCHES];
static _Atomic(uint32_t) n_taken;

static uint32_t place_of(const void *batch)
{
	uint32_t n = atomic_load_explicit(&n_taken, memory_order_relaxed);

	for (uint32_t i = 0; i < n && i < BATCHES; i++)
		if (atomic_load_explicit(&batches[i].handle, memory_order_relaxed) == batch)
			return i;
	return BATCHES;
}

static uint32_t begin(const void *batch)
{
	uint32_t i = place_of(batch);

	if (i == BATCHES)
		i = atomic_fetch_add(&n_taken, 1) % BATCHES;
	atomic_store(&batches[i].sequences, 0);
	atomic_store(&batches[i].several, 0);
	atomic_store(&batches[i].handle, batch);
	return i;
}

static int32_t added(const void *batch, int32_t seq, int32_t at)
{
	uint64_t bit = 1ull << ((uint32_t)seq & 63), has;
	uint32_t i;

	if (at < 0)
		return at;
	i = at ? place_of(batch) : begin(batch);
	if (i == BATCHES)
		return at;
	has = atomic_load_explicit(&batches[i].sequences, memory_order_relaxed);
	if (has & bit)
		atomic_fetch_or(&batches[i].several, bit);
	else
		atomic_store_explicit(&batches[i].sequences, has | bit, memory_order_relaxed);
	atomic_store_explicit(&batches[i].tokens, at + 1, memory_order_relaxed);
	return at;
}

struct taf_llama_batch taf_llama_batch_of(const void *batch)
{
	uint32_t i = place_of(batch);
	struct taf_llama_batch b = { 0, 0, 0 };

	if (i == BATCHES)
		return b;
	b.tokens = atomic_load(&batches[i].tokens);
	b.sequences = atomic_load(&batches[i].sequences);
	b.several = atomic_load(&batches[i].several);
	return b;
}

int32_t taf_llama_batch_ext_add(void *batch, int32_t seq)
{
	llama_batch_ext_add_fn *theirs = REAL(llama_batch_ext_add);

	return theirs ? added(batch, seq, theirs(batch, seq)) : -1;
}

int32_t taf_llama_batch_ext_add_token(void *batch, int32_t seq, int32_t id)
{
	llama_batch_ext_add_token_fn *theirs = REAL(llama_batch_ext_add_token);

	return theirs ? added(batch, seq, theirs(batch, seq, id)) : -1;
}

int32_t taf_llama_batch_ext_add_embd(void *batch, int32_t seq, TAF_BATCH embd)
{
	llama_batch_ext_add_embd_fn *theirs = REAL(llama_batch_ext_add_embd);

	return theirs ? added(batch, seq, theirs(batch, seq, embd)) : -1;
}

#include "none.h"
#undef OWN
#define OWN(ret, name, params, args, kind, refuse, doc) \
	extern TAF_PUBLIC ret name params __attribute__((alias("taf_" #name)));
#include "llama_batch.def"
