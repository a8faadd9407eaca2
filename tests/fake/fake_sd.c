/* SPDX-License-Identifier: MIT */
/* fake_sd.c -- a stable-diffusion.cpp as it is since 2025-06: parameters in structs.
 *
 * Written out, not made of rows: those have one list of parameters for all versions. */
#include "fake_sd.h"

PUBLIC struct sd_image *generate_image(void *ctx, const int *params);
PUBLIC uint64_t generate_video(void *ctx, const int *params, struct sd_image **frames, int *n,
			       void **audio);
PUBLIC void free_sd_audio(void *audio);
PUBLIC void *new_upscaler_ctx(const char *path, bool offload, bool direct, int threads, int tile,
			      const char *backend, const char *of_params);
PUBLIC void free_upscaler_ctx(void *ctx);
PUBLIC struct sd_image upscale(void *ctx, struct sd_image image, uint32_t factor);

void *new_sd_ctx(const struct sd_params *p)
{
	return p->model_path && strstr(p->model_path, "fail") ? NULL : malloc(64);
}

/* *params: how wide; 0 fails. */
struct sd_image *generate_image(void *ctx, const int *params)
{
	struct sd_image *image = ctx && *params ? calloc(1, sizeof(*image)) : NULL;

	if (image)
		image->width = (uint32_t)*params;
	return image;
}

/* A bool to who calls it: of the bits above one nobody says what they are. */
uint64_t generate_video(void *ctx, const int *params, struct sd_image **frames, int *n,
			void **audio)
{
	*frames = generate_image(ctx, params);
	*n = *params;
	*audio = ctx;
	return 0x5eed00 | (*frames != NULL);
}

void free_sd_audio(void *audio)
{
	(void)audio;
}

void *new_upscaler_ctx(const char *path, bool offload, bool direct, int threads, int tile,
		       const char *backend, const char *of_params)
{
	bool is_whole = offload && !direct && threads == 4 && tile == 128 && backend == path &&
			of_params == path + 1;

	return is_whole ? malloc(64) : NULL;
}

void free_upscaler_ctx(void *ctx)
{
	free(ctx);
}

struct sd_image upscale(void *ctx, struct sd_image image, uint32_t factor)
{
	image.width *= ctx ? factor : 0;
	return image;
}
