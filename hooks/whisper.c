/* SPDX-License-Identifier: MIT */
/* whisper.c -- whisper.cpp: contexts, states, transcriptions. */
#include "whole.h"

#define TAF_ROWS "whisper.def"
#define TAF_TABLE taf_table_whisper
#define TAF_ENGINE TAF_ENGINE_WHISPER
#define TAF_OPS NULL
#define TAF_STATUS(r) TAF_STATUS_OF(r)
#include "expand.h"

static const char *path_of(uint64_t first)
{
	union {
		uint64_t n;
		const char *path;
	} u = { .n = first };

	return u.path;
}

#define LOADS(name, params, args, path, computes) \
	void *taf_##name params \
	{ \
		struct taf_call call = TAF_CALL(name); \
		struct taf_load load; \
		taf_load_begin(&load, &call, path); \
		if (!taf_before(&call)) \
			return NULL; \
		return taf_whole_loaded(&load, &call, THROUGH(call, name) args, computes); \
	}

#include "none.h"
#define BRINGS(name, params, args, path, doc) LOADS(name, params, args, path, true)
#define BRINGS_BARE(name, params, args, path, doc) LOADS(name, params, args, path, false)
#define COMPUTES(name, params, args, on, is_over, doc) \
	int taf_##name params \
	{ \
		struct taf_call call = TAF_CALL(name); \
		int rc; \
		if (!taf_whole_begin(&call, on)) \
			return -1; \
		rc = THROUGH(call, name) args; \
		taf_whole_end(&call, rc, is_over); \
		return rc; \
	}
#include "whisper.def"

/* Those that the engine makes of itself, to load or to compute, are not of the program. */
#define OF_ENGINE (1u << TAF_LOAD | 1u << TAF_SUBMIT)

void *taf_whisper_init_state(void *ctx)
{
	struct taf_call call = TAF_CALL(whisper_init_state);
	struct taf_live_model *m = taf_work_model(ctx);
	void *state;

	if (taf_tls.open & OF_ENGINE)
		return REAL(whisper_init_state) ? REAL(whisper_init_state)(ctx) : NULL;
	call.model = m && m->name[0] ? m->name : NULL;
	if (!taf_before(&call))
		return NULL;
	state = THROUGH(call, whisper_init_state)(ctx);
	taf_whole_made(&call, state, ctx);
	taf_after(&call, state ? 0 : -1);
	return state;
}

void taf_whisper_free(void *ctx)
{
	struct taf_call call = TAF_CALL(whisper_free);

	taf_whole_free(&call, ctx);
}

void taf_whisper_free_state(void *ctx)
{
	struct taf_call call = TAF_CALL(whisper_free_state);

	taf_whole_free(&call, ctx);
}
