/* SPDX-License-Identifier: MIT */
/* fake_sd_old.c -- a stable-diffusion.cpp as it was to 2025-06: long lists of parameters.
 *
 * Each function checks that all of them arrive: in registers of both kinds, on the
 * stack, and a struct by value. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define PUBLIC __attribute__((visibility("default")))

struct sd_image {
	uint32_t width, height, channel;
	uint8_t *data;
};

PUBLIC void *new_sd_ctx(const char *model, const char *vae, const char *taesd, const char *control,
			const char *lora, const char *embed, const char *ids, bool decode_only,
			bool tiling, bool free_now, int threads, int type, int rng, int schedule,
			bool keep_clip, bool keep_control, bool keep_vae);
PUBLIC void free_sd_ctx(void *ctx);
PUBLIC struct sd_image *txt2img(void *ctx, const char *prompt, const char *negative, int skip,
				float scale, int width, int height, int method, int steps,
				int64_t seed, int n, const struct sd_image *control,
				float control_strength, float style, bool normalize,
				const char *ids);
PUBLIC struct sd_image *img2img(void *ctx, struct sd_image from, const char *prompt,
				const char *negative, int skip, float scale, int width, int height,
				int method, int steps, float strength, int64_t seed, int n);

void *new_sd_ctx(const char *model, const char *vae, const char *taesd, const char *control,
		 const char *lora, const char *embed, const char *ids, bool decode_only,
		 bool tiling, bool free_now, int threads, int type, int rng, int schedule,
		 bool keep_clip, bool keep_control, bool keep_vae)
{
	bool is_whole = vae == model + 1 && taesd == model + 2 && control == model + 3 &&
			lora == model + 4 && embed == model + 5 && ids == model + 6 &&
			decode_only && !tiling && free_now && threads == 11 && type == 12 &&
			rng == 13 && schedule == 14 && keep_clip && !keep_control && keep_vae;

	return is_whole ? malloc(64) : NULL;
}

void free_sd_ctx(void *ctx)
{
	free(ctx);
}

static struct sd_image *image_of(bool is_whole, int width)
{
	struct sd_image *image = is_whole ? calloc(1, sizeof(*image)) : NULL;

	if (image)
		image->width = (uint32_t)width;
	return image;
}

static bool is(float a, float b)
{
	return !(a < b) && !(a > b);
}

struct sd_image *txt2img(void *ctx, const char *prompt, const char *negative, int skip, float scale,
			 int width, int height, int method, int steps, int64_t seed, int n,
			 const struct sd_image *control, float control_strength, float style,
			 bool normalize, const char *ids)
{
	return image_of(ctx && negative == prompt + 1 && skip == -3 && is(scale, 7.5f) &&
				height == width + 1 && method == 5 && steps == 6 &&
				seed == INT64_MIN && n == 8 && !control &&
				is(control_strength, 0.25f) && is(style, -1e-40f) && normalize &&
				ids == prompt + 2,
			width);
}

struct sd_image *img2img(void *ctx, struct sd_image from, const char *prompt, const char *negative,
			 int skip, float scale, int width, int height, int method, int steps,
			 float strength, int64_t seed, int n)
{
	return image_of(ctx && from.width == 1 && from.height == 2 && from.channel == 3 &&
				from.data == (uint8_t *)ctx && negative == prompt + 1 &&
				skip == 4 && is(scale, 5.5f) && height == width + 1 &&
				method == 6 && steps == 7 && is(strength, 0.75f) && seed == 8 &&
				n == 9,
			width);
}
