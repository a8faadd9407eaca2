/* SPDX-License-Identifier: MIT */
/* sd.c -- stable-diffusion.cpp: contexts, images, videos. */
#include "whole.h"

#define TAF_ROWS "sd.def"
#define TAF_TABLE taf_table_sd
#define TAF_ENGINE TAF_ENGINE_SD
#define TAF_OPS NULL
#define TAF_STATUS(r) TAF_STATUS_OF(r)
#include "expand.h"

#define LEAST_ADDRESS 4096 /* the first parameter was a number of threads once */

union word {
	uint64_t n;
	void *p;
	const char *path;
	const char *const *paths;
};

/* The file of a model: the first parameter, or the first member of the struct that it is;
 * there it may be missing, where the parts lie in files of their own. */
static const char *path_of(uint64_t first, taf_fn theirs)
{
	union word u = { .n = first };

	if (first < LEAST_ADDRESS || !theirs)
		return NULL;
	if (taf_real_has_beside(TAF_SELF, ROW_sd_ctx_params_init, theirs))
		u.path = u.paths[0];
	return u.path;
}

void *taf_new_sd_ctx TAF_ANY_PARAMS
{
	struct taf_call call = TAF_CALL(new_sd_ctx);
	struct taf_load load;

	taf_load_begin(&load, &call, path_of(a0, (taf_fn)REAL(new_sd_ctx)));
	if (!taf_before(&call))
		return NULL;
	return taf_whole_loaded(&load, &call, THROUGH(call, new_sd_ctx) TAF_ANY_ARGS, true);
}

void taf_free_sd_ctx(void *ctx)
{
	struct taf_call call = TAF_CALL(free_sd_ctx);

	taf_whole_free(&call, ctx);
}

void *taf_new_upscaler_ctx TAF_ANY_PARAMS
{
	struct taf_call call = TAF_CALL(new_upscaler_ctx);
	struct taf_load load;
	union word path = { .n = a0 };

	taf_load_begin(&load, &call, path.path);
	if (!taf_before(&call))
		return NULL;
	return taf_whole_loaded(&load, &call, THROUGH(call, new_upscaler_ctx) TAF_ANY_ARGS, false);
}

void taf_free_upscaler_ctx(void *ctx)
{
	struct taf_call call = TAF_CALL(free_upscaler_ctx);

	taf_whole_free(&call, ctx);
}

typedef uint64_t any_fn TAF_ANY_PARAMS;

/* A pointer to images; of a video, since there is sound with it, whether it went well: then
 * the bits above are nobody's.  Of images that has been so since 2026-06-30, two weeks after
 * generations could be cancelled (stable-diffusion.cpp pull requests 1124, 1728), and no name
 * says it: images lie at even addresses, so 1 is no pointer; an address of those two weeks
 * that ends in 0x00, one of 16, is taken for a failure. */
static int64_t status_of(int row, taf_fn theirs, uint64_t r)
{
	uint8_t low = (uint8_t)r;

	if (row == ROW_generate_video && taf_real_has_beside(TAF_SELF, ROW_free_sd_audio, theirs))
		r = low;
	if (row == ROW_generate_image && low <= 1 &&
	    taf_real_has_beside(TAF_SELF, ROW_sd_cancel_generation, theirs))
		r = low;
	return r ? 0 : -1;
}

#define GENERATES(name, doc) \
	static uint64_t whole_##name TAF_ANY_PARAMS \
	{ \
		struct taf_call call = TAF_CALL(name); \
		union word ctx = { .n = a0 }; \
		uint64_t r; \
		if (!taf_whole_begin(&call, ctx.p)) \
			return 0; \
		r = ((any_fn *)call.real)TAF_ANY_ARGS; \
		taf_whole_end(&call, status_of(ROW_##name, call.real, r), true); \
		return r; \
	} \
	taf_fn taf_note_##name(struct taf_regs *regs) \
	{ \
		taf_fn theirs = taf_real(TAF_SELF, ROW_##name, regs->caller); \
		if (theirs && taf_real_has_beside(TAF_SELF, ROW_new_sd_ctx, theirs)) \
			return (taf_fn)whole_##name; \
		return taf_regs_onward(regs, theirs, 0); \
	}
#include "none.h"
#include "sd.def"
