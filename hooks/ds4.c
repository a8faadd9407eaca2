/* SPDX-License-Identifier: MIT */
/* ds4.c -- ds4: one model, sessions of it, prompts and tokens.
 *
 * No library has these names: the calls are led here from where the program makes
 * them.  A wait is for the whole device and names no session.  A batch of several
 * sessions, and tokens that are guessed ahead, go past us. */
#include "../policy/text.h"
#include "../shim/load.h"
#include "contexts.h"
#include "failure.h"
#include "hook.h"

#define TAF_ROWS "ds4.def"
#define TAF_TABLE taf_table_ds4
#define TAF_ENGINE TAF_ENGINE_DS4
#define TAF_OPS &ds4_ops
#define TAF_STATUS(r) TAF_STATUS_OF(r)

static const struct taf_ops ds4_ops;
#include "expand.h"

/* The list of tokens that it takes: where they are, how many, room. */
struct tokens {
	const int32_t *v;
	int32_t n, room;
};

static int sync_device(void *session, const void *home)
{
	ds4_gpu_synchronize_fn *sync = THEIRS(ds4_gpu_synchronize, home);

	(void)session;
	if (!sync)
		return -38; /* ENOSYS: built for the processor */
	return sync() ? 0 : -5; /* EIO */
}

static const struct taf_ops ds4_ops = { .sync = sync_device };

static int refused(char *err, size_t n)
{
	if (err && n)
		taf_copy(err, "refused by taffrail", n);
	return 1;
}

int taf_ds4_engine_open(void **out, const void *options)
{
	struct taf_call call = TAF_CALL(ds4_engine_open);
	const char *path = NULL;
	struct taf_load load;
	int rc;

	if (options)
		taf_move(&path, options, sizeof(path));
	taf_load_begin(&load, &call, path);
	if (!taf_before(&call))
		return 1;
	rc = THROUGH(call, ds4_engine_open)(out, options);
	taf_load_end(&load, &call, rc || !out ? NULL : *out);
	return rc;
}

void taf_ds4_engine_close(void *engine)
{
	struct taf_call call = TAF_CALL(ds4_engine_close);

	taf_context_free_model(&call, engine, REAL(ds4_engine_close));
}

int taf_ds4_session_create(void **out, void *engine, int tokens)
{
	struct taf_call call = TAF_CALL(ds4_session_create);
	struct taf_maker by = { .table = TAF_SELF, .home = TAF_CALLER };
	struct taf_live_model *m = taf_work_model(engine);
	int rc;

	call.model = m && m->name[0] ? m->name : NULL;
	if (!taf_before(&call))
		return 1;
	rc = THROUGH(call, ds4_session_create)(out, engine, tokens);
	if (call.is_counted && !rc && out && *out) {
		call.work = taf_work_add(&by, *out, m);
		if (call.work && tokens > 0)
			call.work->ctx_tokens = (uint32_t)tokens;
	}
	taf_after(&call, rc);
	return rc;
}

void taf_ds4_session_free(void *session)
{
	struct taf_call call = TAF_CALL(ds4_session_free);

	taf_context_free(&call, session, REAL(ds4_session_free));
}

/* Tokens of the prompt that the session does not have; of another prompt, all. */
static int32_t new_tokens(void *session, const struct tokens *prompt, const void *home)
{
	ds4_session_pos_fn *pos = THEIRS(ds4_session_pos, home);
	int has = pos && session ? pos(session) : 0;

	if (!prompt || prompt->n < 0)
		return 0;
	return has > 0 && has < prompt->n ? prompt->n - has : prompt->n;
}

/* What it wrote; NULL: nothing that ends within n bytes. */
static const char *text_of(const char *err, size_t n)
{
	for (size_t i = 0; err && i < n; i++)
		if (!err[i])
			return i ? err : NULL;
	return NULL;
}

static void leave(struct taf_call *call, int rc, const char *text)
{
	struct taf_error e = { .call = call, .work = call->work, .rc = rc, .text = text };

	e.what = taf_failure_of(text);
	if (rc)
		taf_error_failed(&e);
	else
		taf_error_passed(call, call->work);
	taf_context_leave(call, rc);
}

int taf_ds4_session_sync(void *session, const void *prompt, char *err, size_t n)
{
	struct taf_call call = TAF_CALL(ds4_session_sync);
	int rc = 1;

	if (!taf_before_narrow(&call, TAF_SUBMIT))
		return refused(err, n);
	call.is_prompt = true;
	if (taf_context_enter(&call, session, new_tokens(session, prompt, TAF_CALLER))) {
		rc = THROUGH(call, ds4_session_sync)(session, prompt, err, n);
		leave(&call, rc, rc ? text_of(err, n) : NULL);
	} else {
		refused(err, n);
	}
	taf_after_narrow(&call, TAF_SUBMIT, rc);
	return rc;
}

int taf_ds4_session_eval(void *session, int token, char *err, size_t n)
{
	struct taf_call call = TAF_CALL(ds4_session_eval);
	int rc = 1;

	if (!taf_before_narrow(&call, TAF_SUBMIT))
		return refused(err, n);
	if (taf_context_enter(&call, session, 1)) {
		rc = THROUGH(call, ds4_session_eval)(session, token, err, n);
		leave(&call, rc, rc ? text_of(err, n) : NULL);
	} else {
		refused(err, n);
	}
	taf_after_narrow(&call, TAF_SUBMIT, rc);
	return rc;
}
