/* SPDX-License-Identifier: MIT */
/* llama_state.c -- llama.cpp: what a context holds, and how the program gets at it.
 *
 * Positions, results and saved states of a context that a failed computation has
 * poisoned are not handed out (shim/error.h).  Till a computation fails these pass on
 * with one look at a flag.  Files of saved states are compared with what is known of them
 * (shim/state_guard.h). */
#include "../shim/error.h"
#include "../shim/state_guard.h"
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
	return taf_error_may_use(taf_row_name(TAF_SELF, row), taf_work_of(ctx), use);
}

static bool has_positions(int row, const void *store)
{
	return taf_error_may_use(taf_row_name(TAF_SELF, row), taf_error_work_of_store(store),
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

/* What is in memory has no name: nobody can tell whose state it is. */
static void note_memory(int row, const void *ctx)
{
	if (taf_rules.state_guard)
		taf_state_in_memory(taf_row_name(TAF_SELF, row), taf_work_of(ctx));
}

#define PUT_BACK(name, params, args) \
	size_t taf_##name params \
	{ \
		name##_fn *theirs; \
		taf_child_check(); \
		if (__builtin_expect( \
			    atomic_load_explicit(&taf_error_is_any, memory_order_relaxed), 0) && \
		    !is_shown(ROW_##name, ctx, TAF_USE_RESTORE)) \
			return 0; \
		note_memory(ROW_##name, ctx); \
		theirs = REAL(name); \
		return theirs ? theirs args : 0; \
	}
PUT_BACK(llama_state_set_data, (void *ctx, const void *data, size_t size), (ctx, data, size))
PUT_BACK(llama_state_seq_set_data, (void *ctx, const void *data, size_t size, int32_t seq),
	 (ctx, data, size, seq))
PUT_BACK(llama_state_seq_set_data_ext,
	 (void *ctx, const void *data, size_t size, int32_t seq, uint32_t flags),
	 (ctx, data, size, seq, flags))
PUT_BACK(llama_set_state_data, (void *ctx, const void *data), (ctx, data))

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

/* ---- saved states ---- */

static uint64_t vocabulary_of(const struct taf_work *w, const void *home)
{
	llama_model_get_vocab_fn *get = THEIRS(llama_model_get_vocab, home);
	llama_vocab_n_tokens_fn *count = THEIRS(llama_vocab_n_tokens, home);
	void *model = w && w->model ? atomic_load(&w->model->handle) : NULL, *vocab;
	int32_t n = 0;

	if (!model || !get || !count)
		return 0;
	taf_tls.inside++;
	vocab = get(model);
	if (vocab)
		n = count(vocab);
	taf_tls.inside--;
	return n > 0 ? (uint64_t)n : 0;
}

/* Of one sequence. Where the engine does not tell (before 2025-11), each has its share. */
static uint64_t room_of(const struct taf_work *w, const void *ctx, const void *home)
{
	llama_n_ctx_seq_fn *each = THEIRS(llama_n_ctx_seq, home);
	llama_n_seq_max_fn *count = THEIRS(llama_n_seq_max, home);
	uint32_t room, n;

	if (!w)
		return 0;
	taf_tls.inside++;
	room = each ? each(ctx) : 0;
	n = count ? count(ctx) : 0;
	taf_tls.inside--;
	return room || !n ? room : w->ctx_tokens / n;
}

/* The call on a file of ctx: names in *c what it is about. */
static struct taf_state_file file_of(struct taf_call *c, const void *ctx, const char *path)
{
	struct taf_work *w = taf_work_of(ctx);

	c->model = taf_work_model_name(w);
	c->msg = path;
	return (struct taf_state_file){ .call = c, .work = w, .path = path };
}

/* What the engine is asked for. */
static void ask(struct taf_state_file *f, const void *ctx)
{
	const void *home = f->call->caller;

	f->vocab = vocabulary_of(f->work, home);
	f->room = room_of(f->work, ctx, home);
}

/* Their save has returned. */
static void end_save(struct taf_state_file *f, struct taf_call *c, const void *ctx, bool is_done)
{
	if (is_done && taf_rules.state_guard && c->is_counted) {
		ask(f, ctx);
		taf_state_saved(f);
	}
	taf_after(c, is_done ? 0 : -1);
}

/* At the door already. False: refused, and the call is over. */
static bool begin_restore(struct taf_state_file *f, struct taf_call *c, const void *ctx)
{
	if (taf_rules.state_guard && c->is_counted)
		ask(f, ctx);
	if (taf_state_may_restore(f))
		return true;
	taf_after(c, -1);
	return false;
}

/* A save, whose poisoned context is refused, and a restore; ok tells which r is a success. */
#define SAVE(ret, name, params, args, is_of_sequence) \
	ret taf_##name params \
	{ \
		struct taf_call call = TAF_CALL(name); \
		struct taf_state_file f = file_of(&call, ctx, path); \
		ret r; \
		f.is_sequence = is_of_sequence; \
		if (atomic_load_explicit(&taf_error_is_any, memory_order_relaxed) && \
		    !is_shown(ROW_##name, ctx, TAF_USE_SAVE)) \
			return 0; \
		if (!taf_before(&call)) \
			return 0; \
		r = THROUGH(call, name) args; \
		end_save(&f, &call, ctx, r != 0); \
		return r; \
	}
#define RESTORE(ret, name, params, args, is_of_sequence) \
	ret taf_##name params \
	{ \
		struct taf_call call = TAF_CALL(name); \
		struct taf_state_file f = file_of(&call, ctx, path); \
		ret r; \
		f.is_sequence = is_of_sequence; \
		if (atomic_load_explicit(&taf_error_is_any, memory_order_relaxed) && \
		    !is_shown(ROW_##name, ctx, TAF_USE_RESTORE)) \
			return 0; \
		if (!taf_before(&call) || !begin_restore(&f, &call, ctx)) \
			return 0; \
		r = THROUGH(call, name) args; \
		taf_after(&call, r ? 0 : -1); \
		return r; \
	}
#define SAVE_ALL(name) \
	SAVE(bool, name, (void *ctx, const char *path, const void *tokens, size_t n_tokens), \
	     (ctx, path, tokens, n_tokens), false)
#define RESTORE_ALL(name) \
	RESTORE(bool, name, \
		(void *ctx, const char *path, void *tokens_out, size_t capacity, size_t *n_out), \
		(ctx, path, tokens_out, capacity, n_out), false)

SAVE_ALL(llama_state_save_file)
SAVE_ALL(llama_save_session_file)
SAVE(size_t, llama_state_seq_save_file,
     (void *ctx, const char *path, int32_t seq, const void *tokens, size_t n_tokens),
     (ctx, path, seq, tokens, n_tokens), true)
RESTORE_ALL(llama_state_load_file)
RESTORE_ALL(llama_load_session_file)
RESTORE(size_t, llama_state_seq_load_file,
	(void *ctx, const char *path, int32_t seq, void *tokens_out, size_t capacity,
	 size_t *n_out),
	(ctx, path, seq, tokens_out, capacity, n_out), true)

#include "none.h"
#undef OWN
#undef CALL
#define OWN(ret, name, params, args, kind, refuse, doc) \
	extern TAF_PUBLIC ret name params __attribute__((alias("taf_" #name)));
#define CALL(ret, name, params, doc)
#include "llama_state.def"
