/* SPDX-License-Identifier: MIT */
/* llama_state.c -- llama.cpp: what a context holds, and how the program gets at it.
 *
 * Positions, results and saved states of a context that a failed computation has
 * poisoned are not handed out (shim/error.h).  Till a computation fails these pass on
 * with one look at a flag. */
#include "../shim/error.h"
#include "../shim/work.h"
#include "hook.h"
#include "llama_state.h"

#define TAF_ROWS "llama.def"
#define TAF_TABLE taf_table_llama
#include "rows.h"
extern const struct taf_table TAF_TABLE;

/* What the engines call it: since 2025-06, and before that twice. */
static bool clear_old(void *ctx, const void *home)
{
	llama_kv_self_clear_fn *self = THEIRS(llama_kv_self_clear, home);
	llama_kv_cache_clear_fn *cache = THEIRS(llama_kv_cache_clear, home);

	if (!self && !cache)
		return false;
	if (ctx && self)
		self(ctx);
	else if (ctx)
		cache(ctx);
	return true;
}

static int reset(void *ctx, const void *home)
{
	llama_get_memory_fn *memory = THEIRS(llama_get_memory, home);
	llama_memory_clear_fn *clear = THEIRS(llama_memory_clear, home);
	void *m = ctx && memory ? memory(ctx) : NULL;

	if (!memory || !clear)
		return clear_old(ctx, home) ? 0 : -38; /* ENOSYS */
	if (m)
		clear(m, true);
	return 0;
}

static void *store_of(void *ctx, const void *home)
{
	llama_get_memory_fn *memory = THEIRS(llama_get_memory, home);

	return memory ? memory(ctx) : ctx;
}

const struct taf_store_ops taf_llama_store = { .reset = reset, .store = store_of };

/* ---- what is not handed out ---- */

static bool is_shown(int row, const void *ctx, enum taf_use use)
{
	return taf_error_may_use(TAF_SELF->rows[row].name, taf_work_of(ctx), use);
}

static bool has_positions(int row, const void *store)
{
	return taf_error_may_use(TAF_SELF->rows[row].name, taf_error_work_of_store(store),
				 TAF_USE_POSITIONS);
}

/* The wrapper of a row: ask tells whether it is let through, refuse is the row's. */
#define ASKED(ret, name, params, args, ask, refuse) \
	ret taf_##name params \
	{ \
		name##_fn *theirs; \
		taf_child_check(); \
		if (__builtin_expect( \
			    atomic_load_explicit(&taf_error_is_any, memory_order_relaxed), 0) && \
		    !(ask)) \
			return refuse; \
		theirs = REAL(name); \
		return theirs ? theirs args : refuse; \
	}
#define POSITIONS(name, ask) ASKED(int32_t, name, (void *store, int32_t seq), (store, seq), ask, -1)
#define RESULT(name, params, args) \
	ASKED(void *, name, params, args, is_shown(ROW_##name, ctx, TAF_USE_RESULTS), NULL)
#define SAVED(name, params, args) \
	ASKED(size_t, name, params, args, is_shown(ROW_##name, ctx, TAF_USE_SAVE), 0)

POSITIONS(llama_memory_seq_pos_min, has_positions(ROW_llama_memory_seq_pos_min, store))
POSITIONS(llama_memory_seq_pos_max, has_positions(ROW_llama_memory_seq_pos_max, store))
POSITIONS(llama_kv_self_seq_pos_min,
	  is_shown(ROW_llama_kv_self_seq_pos_min, store, TAF_USE_POSITIONS))
POSITIONS(llama_kv_self_seq_pos_max,
	  is_shown(ROW_llama_kv_self_seq_pos_max, store, TAF_USE_POSITIONS))

RESULT(llama_get_logits, (void *ctx), (ctx))
RESULT(llama_get_logits_ith, (void *ctx, int32_t at), (ctx, at))
RESULT(llama_get_embeddings, (void *ctx), (ctx))
RESULT(llama_get_embeddings_ith, (void *ctx, int32_t at), (ctx, at))
RESULT(llama_get_embeddings_seq, (void *ctx, int32_t seq), (ctx, seq))
RESULT(llama_get_sampled_probs_ith, (void *ctx, int32_t at), (ctx, at))
RESULT(llama_get_sampled_logits_ith, (void *ctx, int32_t at), (ctx, at))
RESULT(llama_get_sampled_candidates_ith, (void *ctx, int32_t at), (ctx, at))
ASKED(int32_t, llama_get_sampled_token_ith, (void *ctx, int32_t at), (ctx, at),
      is_shown(ROW_llama_get_sampled_token_ith, ctx, TAF_USE_RESULTS), -1)

SAVED(llama_state_get_size, (void *ctx), (ctx))
SAVED(llama_state_get_data, (void *ctx, void *data, size_t size), (ctx, data, size))
SAVED(llama_state_seq_get_size, (void *ctx, int32_t seq), (ctx, seq))
SAVED(llama_state_seq_get_size_ext, (void *ctx, int32_t seq, uint32_t flags), (ctx, seq, flags))
SAVED(llama_state_seq_get_data, (void *ctx, void *data, size_t size, int32_t seq),
      (ctx, data, size, seq))
SAVED(llama_state_seq_get_data_ext,
      (void *ctx, void *data, size_t size, int32_t seq, uint32_t flags),
      (ctx, data, size, seq, flags))
SAVED(llama_get_state_size, (void *ctx), (ctx))
SAVED(llama_copy_state_data, (void *ctx, void *data), (ctx, data))

#include "none.h"
#undef OWN
#undef CALL
#define OWN(ret, name, params, args, kind, refuse, doc) \
	extern TAF_PUBLIC ret name params __attribute__((alias("taf_" #name)));
#define CALL(ret, name, params, doc)
#include "llama_state.def"
