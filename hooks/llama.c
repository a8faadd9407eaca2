/* SPDX-License-Identifier: MIT */
/* llama.c -- llama.cpp: models, contexts, decodes.
 *
 * A load is a call that names a file; a model made for estimates without one is
 * remembered as dry and its contexts are left alone.  A decode claims its context, so that
 * nobody synchronizes what another thread computes on; the first one after idle
 * begins a generation (shim/work.h). */
#include "../shim/error.h"
#include "../shim/load.h"
#include "../shim/traced.h"
#include "contexts.h"
#include "hook.h"
#include "llama_batch.h"
#include "llama_rope.h"
#include "llama_state.h"

#define TAF_ROWS "llama.def"
#define TAF_TABLE taf_table_llama
#define TAF_ENGINE TAF_ENGINE_LLAMA
#define TAF_OPS &llama_ops
#define TAF_STORE &taf_llama_store
#define TAF_STATUS(r) TAF_STATUS_OF(r)

static const struct taf_ops llama_ops;
#include "expand.h"

/* Callable on any thread that has claimed the context. */
static int sync_context(void *ctx, const void *home)
{
	llama_synchronize_fn *sync = THEIRS(llama_synchronize, home);

	if (!sync)
		return -38; /* ENOSYS: an engine without it */
	sync(ctx);
	return 0;
}

static const struct taf_ops llama_ops = { .sync = sync_context };

/* False: a rule refuses the load, or theirs is not there. */
static bool enter_load(struct taf_load *load, struct taf_call *call, const char *path)
{
	taf_load_begin(load, call, path);
	if (!taf_before(call))
		return false;
	taf_load_count(load);
	return true;
}

/* With vocab_only nothing but the vocabulary is read, and of the rest not even the header:
 * such a model cannot compute. The parameter lies elsewhere in each version. */
static bool is_vocabulary(const void *model, const void *home)
{
	llama_model_n_embd_fn *width = THEIRS(llama_model_n_embd, home);

	if (!width)
		width = THEIRS(llama_n_embd, home);
	return width && !width(model);
}

/* The load's end; where no header could be read the engine is asked for the size. */
static void *loaded(struct taf_load *load, struct taf_call *call, void *model)
{
	llama_model_size_fn *size = THEIRS(llama_model_size, call->caller);

	if (model && call->is_counted)
		load->is_vocabulary = is_vocabulary(model, call->caller);
	if (model && call->is_counted && (load->is_vocabulary || taf_load_is_dry(load)))
		load->is_dry = true;
	else if (model && call->is_counted && !load->bytes && size)
		load->bytes = call->bytes = size(model);
	taf_load_end(load, call, model);
	return model;
}

void *taf_llama_model_load_from_file(const char *path, TAF_PARAMS params)
{
	struct taf_call call = TAF_CALL(llama_model_load_from_file);
	struct taf_load load;

	if (!enter_load(&load, &call, path))
		return NULL;
	return loaded(&load, &call, THROUGH(call, llama_model_load_from_file)(path, params));
}

void *taf_llama_load_model_from_file(const char *path, TAF_PARAMS params)
{
	struct taf_call call = TAF_CALL(llama_load_model_from_file);
	struct taf_load load;

	if (!enter_load(&load, &call, path))
		return NULL;
	return loaded(&load, &call, THROUGH(call, llama_load_model_from_file)(path, params));
}

void *taf_llama_model_load_from_splits(const char **paths, size_t n, TAF_PARAMS params)
{
	struct taf_call call = TAF_CALL(llama_model_load_from_splits);
	struct taf_load load;

	if (!enter_load(&load, &call, paths && n ? paths[0] : NULL))
		return NULL;
	return loaded(&load, &call, THROUGH(call, llama_model_load_from_splits)(paths, n, params));
}

void *taf_llama_model_load_from_file_ptr(void *file, TAF_PARAMS params)
{
	struct taf_call call = TAF_CALL(llama_model_load_from_file_ptr);
	struct taf_load load;

	if (!enter_load(&load, &call, NULL))
		return NULL;
	return loaded(&load, &call, THROUGH(call, llama_model_load_from_file_ptr)(file, params));
}

void *taf_llama_model_init_from_user(void *meta, void *set_tensor, void *data, TAF_PARAMS params)
{
	llama_model_init_from_user_fn *theirs = REAL(llama_model_init_from_user);
	void *model = theirs ? theirs(meta, set_tensor, data, params) : NULL;
	struct taf_maker by = { .table = TAF_SELF, .home = TAF_CALLER };
	struct taf_live_model *m;

	taf_child_check();
	m = model ? taf_work_add_model(&by, model, "") : NULL;

	if (m)
		m->is_dry = true;
	return model;
}

/* What a new context of m takes. tokens: 0 is the model's own context. */
static uint64_t cache_of(const struct taf_live_model *m, struct taf_cache_ask *ask)
{
	if (!ask->context)
		ask->context = m->trained;
	return ask->context ? taf_cache_bytes(&m->cache, ask) : 0;
}

/* n_ctx and n_batch, n_ubatch and n_seq_max have been the first fields for years; that
 * they are in this engine too its own defaults show, or they are not read. */
#define DEFAULT_FIRST (512 | 2048ull << 32)
#define DEFAULT_UBATCH 512

static bool is_layout_known(const struct taf_call *call)
{
	llama_context_default_params_fn *defaults =
		THEIRS(llama_context_default_params, call->caller);
	struct taf_result d;

	if (!defaults)
		return false;
	taf_tls.inside++;
	d = defaults();
	taf_tls.inside--;
	return d.words[0] == DEFAULT_FIRST && (uint32_t)d.words[1] == DEFAULT_UBATCH;
}

/* How much a context will take that is made with these first two words of parameters. */
static void measure_context(struct taf_call *call, const struct taf_live_model *m,
			    const uint64_t words[2], struct taf_load_size *size)
{
	struct taf_cache_ask ask;

	*size = (struct taf_load_size){ .basis = TAF_BASIS_HEADERS };
	if (!m || !m->cache.layers || !is_layout_known(call))
		return;
	taf_load_ask(taf_load_hints(), m->trained, &ask);
	ask.context = (uint32_t)words[0];
	ask.ubatch = (uint32_t)words[1];
	ask.sequences = (uint32_t)(words[1] >> 32);
	size->cache_bytes = cache_of(m, &ask);
	call->size = size;
	call->is_context = true;
}

/* A context was made: from now on it can hold work. */
static void track_context(struct taf_call *call, void *ctx, struct taf_live_model *model)
{
	struct taf_maker by = { .table = TAF_SELF, .home = call->caller };
	struct taf_work *w = ctx ? taf_work_add(&by, ctx, model) : NULL;
	llama_n_ctx_fn *n_ctx = THEIRS(llama_n_ctx, call->caller);
	struct taf_cache_ask ask;

	call->work = w;
	if (w && n_ctx)
		w->ctx_tokens = n_ctx(ctx);
	if (w && model) {
		taf_load_ask(taf_load_hints(), model->trained, &ask);
		ask.context = w->ctx_tokens;
		w->kv_bytes = cache_of(model, &ask);
	}
}

void *taf_llama_init_from_model(void *model, TAF_PARAMS params)
{
	struct taf_call call = TAF_CALL(llama_init_from_model);
	struct taf_live_model *m = taf_work_model(model);
	struct taf_load_size size;
	void *ctx;

	call.model = m && m->name[0] ? m->name : NULL;
	if (m && m->is_dry)
		return REAL(llama_init_from_model) ? REAL(llama_init_from_model)(model, params)
						   : NULL;
	measure_context(&call, m, (const uint64_t[2]){ TAF_WORD(params, 0), TAF_WORD(params, 1) },
			&size);
	if (!taf_before(&call))
		return NULL;
	ctx = THROUGH(call, llama_init_from_model)(model, params);
	if (call.is_counted)
		track_context(&call, ctx, m);
	taf_llama_rope_note(&call, model, &TAF_WORD(params, 0));
	taf_after(&call, ctx ? 0 : -1);
	return ctx;
}

void *taf_llama_new_context_with_model(void *model, TAF_PARAMS params)
{
	struct taf_call call = TAF_CALL(llama_new_context_with_model);
	struct taf_live_model *m = taf_work_model(model);
	struct taf_load_size size;
	void *ctx;

	call.model = m && m->name[0] ? m->name : NULL;
	if (m && m->is_dry)
		return REAL(llama_new_context_with_model)
			       ? REAL(llama_new_context_with_model)(model, params)
			       : NULL;
	measure_context(&call, m, (const uint64_t[2]){ TAF_WORD(params, 0), TAF_WORD(params, 1) },
			&size);
	if (!taf_before(&call))
		return NULL;
	ctx = THROUGH(call, llama_new_context_with_model)(model, params);
	if (call.is_counted)
		track_context(&call, ctx, m);
	taf_llama_rope_note(&call, model, &TAF_WORD(params, 0));
	taf_after(&call, ctx ? 0 : -1);
	return ctx;
}

#define SEQUENCES_WORD 5 /* of a batch: where its tokens' sequences are */
#define SEQUENCES_MAX 64 /* more tokens at once are a prompt */

/* -1 and below are failures; 1 (no room in the cache) and 2 (aborted by the
 * program) are answers. */
static void look_at(const struct taf_call *call, int32_t rc)
{
	struct taf_error e = { .call = call, .work = call->work, .rc = rc };

	e.what = rc == -1 ? TAF_FAILED_REQUEST : rc == -2 ? TAF_FAILED_MEMORY : TAF_FAILED_COMPUTE;
	if (rc < 0)
		taf_error_failed(&e);
	else
		taf_error_passed(call, call->work);
}

static void end_submit(struct taf_call *call, int32_t rc)
{
	look_at(call, rc);
	taf_context_leave(call, rc);
}

/* Several tokens of one sequence are a prompt; of one each, the next tokens of several. A
 * batch is its number of tokens and six arrays, of which the fifth has for each token the
 * sequences that it is of; without it they are all of one. */
static bool is_of_prompt(const uint64_t *batch)
{
	union {
		uint64_t n;
		const int32_t *const *ids;
	} of = { .n = batch[SEQUENCES_WORD] };
	int32_t n = (int32_t)batch[0];

	if (n > SEQUENCES_MAX || (n > 1 && !of.ids))
		return true;
	for (int32_t i = 1; i < n; i++)
		for (int32_t k = 0; k < i; k++)
			if (!of.ids[i] || !of.ids[k] || *of.ids[i] == *of.ids[k])
				return true;
	return false;
}

static void see_requests(struct taf_work *w, const uint64_t *batch)
{
	union {
		uint64_t n;
		const int32_t *const *ids;
	} of = { .n = batch[SEQUENCES_WORD] };

	if (w)
		taf_requests_see(&w->requests, (int32_t)batch[0], of.ids);
}

int32_t taf_llama_decode(void *ctx, TAF_BATCH batch)
{
	struct taf_call call = TAF_CALL(llama_decode);
	int32_t rc = -3;

	if (!taf_before_narrow(&call, TAF_SUBMIT))
		return -3;
	if (taf_traced_is_on() && call.is_counted)
		call.is_prompt = is_of_prompt(&TAF_WORD(batch, 0));
	if (taf_context_enter(&call, ctx, TAF_FIRST_INT(batch))) {
		see_requests(call.work, &TAF_WORD(batch, 0));
		rc = THROUGH(call, llama_decode)(ctx, batch);
		end_submit(&call, rc);
	}
	taf_after_narrow(&call, TAF_SUBMIT, rc);
	return rc;
}

int32_t taf_llama_encode(void *ctx, TAF_BATCH batch)
{
	struct taf_call call = TAF_CALL(llama_encode);
	int32_t rc = -3;

	if (!taf_before_narrow(&call, TAF_SUBMIT))
		return -3;
	call.is_prompt = true;
	if (taf_context_enter(&call, ctx, TAF_FIRST_INT(batch))) {
		rc = THROUGH(call, llama_encode)(ctx, batch);
		end_submit(&call, rc);
	}
	taf_after_narrow(&call, TAF_SUBMIT, rc);
	return rc;
}

#define IS_ENCODE 0 /* LLAMA_PROCESS_TYPE_ENCODE */

int32_t taf_llama_process(void *ctx, int type, void *batch)
{
	struct taf_call call = TAF_CALL(llama_process);
	struct taf_llama_batch has;
	int32_t rc = -3;

	if (!taf_before_narrow(&call, TAF_SUBMIT))
		return -3;
	has = taf_llama_batch_of(batch);
	call.is_prompt = type == IS_ENCODE || has.tokens > SEQUENCES_MAX || has.several;
	if (taf_context_enter(&call, ctx, has.tokens)) {
		if (call.work && has.tokens)
			taf_requests_came(&call.work->requests, has.sequences, has.several);
		rc = THROUGH(call, llama_process)(ctx, type, batch);
		end_submit(&call, rc);
	}
	taf_after_narrow(&call, TAF_SUBMIT, rc);
	return rc;
}

void taf_llama_synchronize(void *ctx)
{
	struct taf_call call = TAF_CALL(llama_synchronize);

	if (!taf_before(&call))
		return;
	taf_context_sync(&call, ctx, THROUGH(call, llama_synchronize));
	taf_after(&call, 0);
}

void taf_llama_free(void *ctx)
{
	struct taf_call call = TAF_CALL(llama_free);

	taf_context_free(&call, ctx, REAL(llama_free));
}

void taf_llama_model_free(void *model)
{
	struct taf_call call = TAF_CALL(llama_model_free);

	taf_context_free_model(&call, model, REAL(llama_model_free));
}

void taf_llama_free_model(void *model)
{
	struct taf_call call = TAF_CALL(llama_free_model);

	taf_context_free_model(&call, model, REAL(llama_free_model));
}
