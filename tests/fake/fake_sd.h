/* SPDX-License-Identifier: MIT */
/* fake_sd.h -- what stable-diffusion.cpp has been the same in since 2025-06, for the fakes of its
 * versions. Each is one object, and includes this once. */
#ifndef FAKE_SD_H
#define FAKE_SD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))

struct sd_params {
	const char *model_path, *more[40];
};
struct sd_image {
	uint32_t width, height, channel;
	uint8_t *data;
};

PUBLIC void sd_ctx_params_init(struct sd_params *p);
PUBLIC void *new_sd_ctx(const struct sd_params *p);
PUBLIC void free_sd_ctx(void *ctx);

void sd_ctx_params_init(struct sd_params *p)
{
	memset(p, 0, sizeof(*p));
}

void free_sd_ctx(void *ctx)
{
	free(ctx);
}

#endif
