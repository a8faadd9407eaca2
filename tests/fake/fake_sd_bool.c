/* SPDX-License-Identifier: MIT */
/* fake_sd_bool.c -- a stable-diffusion.cpp as it is since 2026-06-30: images go where the
 * program says, and what comes back is whether that went well. */
#include "fake_sd.h"

PUBLIC uint64_t generate_image(void *ctx, const int *params, struct sd_image **images, int *n);
PUBLIC void sd_cancel_generation(void *ctx, int mode);
PUBLIC void free_sd_audio(void *audio);

void *new_sd_ctx(const struct sd_params *p)
{
	return p->model_path ? malloc(64) : NULL;
}

/* A bool to who calls it: of the bits above one nobody says what they are. */
uint64_t generate_image(void *ctx, const int *params, struct sd_image **images, int *n)
{
	*images = ctx && *params ? calloc(1, sizeof(**images)) : NULL;
	*n = *images != NULL;
	if (*images)
		(*images)->width = (uint32_t)*params;
	return 0x5eed00 | (*images != NULL);
}

void sd_cancel_generation(void *ctx, int mode)
{
	(void)ctx;
	(void)mode;
}

void free_sd_audio(void *audio)
{
	(void)audio;
}
