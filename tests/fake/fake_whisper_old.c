/* SPDX-License-Identifier: MIT */
/* fake_whisper_old.c -- a whisper.cpp as it was from 1.5.0 to 1.5.4: the parameters of a
 * context are one byte, in a register.
 *
 * Each function fails unless all of them arrive: whether a GPU is used is asked of the
 * address, odd or even, too. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define PUBLIC __attribute__((visibility("default")))

struct whisper_params {
	bool use_gpu;
};

PUBLIC void *whisper_init_from_file_with_params(const char *path, struct whisper_params params);
PUBLIC void *whisper_init_from_buffer_with_params(void *data, size_t size,
						  struct whisper_params params);
PUBLIC void *whisper_init_with_params(void *file, struct whisper_params params);
PUBLIC void whisper_free(void *ctx);

static void *context_of(const void *from, struct whisper_params params)
{
	return ((uintptr_t)from & 1) == params.use_gpu ? malloc(64) : NULL;
}

void *whisper_init_from_file_with_params(const char *path, struct whisper_params params)
{
	return context_of(path, params);
}

void *whisper_init_from_buffer_with_params(void *data, size_t size, struct whisper_params params)
{
	return size == 77 ? context_of(data, params) : NULL;
}

void *whisper_init_with_params(void *file, struct whisper_params params)
{
	return context_of(file, params);
}

void whisper_free(void *ctx)
{
	free(ctx);
}
