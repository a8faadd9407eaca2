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

/* The call on a file of ctx: names in *c what it is about. */
static struct taf_state_file file_of(struct taf_call *c, const void *ctx, const char *path)
{
	struct taf_work *w = taf_work_of(ctx);

	c->model = taf_work_model_name(w);
	c->msg = path;
	return (struct taf_state_file){ .call = c, .work = w, .path = path };
}

/* Their save has returned. */
static void end_save(struct taf_call *c, struct taf_state_file *f, bool is_done)
{
	if (is_done && taf_rules.state_guard && c->is_counted) {
		f->vocab = vocabulary_of(f->work, c->caller);
		taf_state_saved(f);
	}
	taf_after(c, is_done ? 0 : -1);
}

/* At the door already. False: refused, and the call is over. */
static bool begin_restore(struct taf_call *c, struct taf_state_file *f)
{
	if (taf_rules.state_guard && c->is_counted)
		f->vocab = vocabulary_of(f->work, c->caller);
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
		end_save(&call, &f, r != 0); \
		return r; \
	}
#define RESTORE(ret, name, params, args, is_of_sequence) \
	ret taf_##name params \
	{ \
		struct taf_call call = TAF_CALL(name); \
		struct taf_state_file f = file_of(&call, ctx, path); \
		ret r; \
		f.is_sequence = is_of_sequence; \
		if (!taf_before(&call) || !begin_restore(&call, &f)) \
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

/* ---- adapters ---- */

#define ADAPTERS 64
/* By handle, which comes back only after its model was freed; the newest one counts. */
static struct {
	_Atomic(void *) handle;
	_Atomic(uint64_t) print;
} adapters_seen[ADAPTERS];
static _Atomic(uint32_t) n_seen;

static void note_adapter(void *adapter, const char *path)
{
	uint32_t at = atomic_fetch_add(&n_seen, 1) % ADAPTERS;

	for (uint32_t i = 0; i < ADAPTERS; i++)
		if (atomic_load(&adapters_seen[i].handle) == adapter)
			at = i;
	atomic_store(&adapters_seen[at].print, taf_state_adapter(path));
	atomic_store(&adapters_seen[at].handle, adapter);
}

static uint64_t print_of(const void *adapter)
{
	for (uint32_t i = 0; adapter && i < ADAPTERS; i++)
		if (atomic_load(&adapters_seen[i].handle) == adapter)
			return atomic_load(&adapters_seen[i].print);
	return 1;
}

/* One number for the set, whatever its order; with a scale of 0 an adapter is not there. */
static uint64_t print_of_set(void *const *adapters, size_t n, const float *scales)
{
	uint64_t sum = 0;

	for (size_t i = 0; adapters && i < n; i++) {
		float scale = scales ? scales[i] : 1;
		uint32_t bits;

		__builtin_memcpy(&bits, &scale, sizeof(bits));
		if (bits << 1)
			sum += print_of(adapters[i]) * (2 * (uint64_t)bits + 1);
	}
	return sum;
}

void *taf_llama_adapter_lora_init(void *model, const char *path)
{
	struct taf_call call = TAF_CALL(llama_adapter_lora_init);
	void *adapter;

	call.msg = path;
	if (!taf_before(&call))
		return NULL;
	adapter = THROUGH(call, llama_adapter_lora_init)(model, path);
	if (adapter && call.is_counted && taf_rules.state_guard)
		note_adapter(adapter, path);
	taf_after(&call, adapter ? 0 : -1);
	return adapter;
}

int32_t taf_llama_set_adapters_lora(void *ctx, void **adapters, size_t n, float *scales)
{
	llama_set_adapters_lora_fn *theirs = REAL(llama_set_adapters_lora);
	struct taf_work *w = taf_work_of(ctx);
	int32_t rc;

	if (!theirs)
		return -1;
	rc = theirs(ctx, adapters, n, scales);
	if (!rc && w && taf_rules.state_guard)
		atomic_store(&w->adapters, print_of_set(adapters, n, scales));
	return rc;
}

#include "none.h"
#undef OWN
#undef CALL
#define OWN(ret, name, params, args, kind, refuse, doc) \
	extern TAF_PUBLIC ret name params __attribute__((alias("taf_" #name)));
#define CALL(ret, name, params, doc)
#include "llama_state.def"
