/* SPDX-License-Identifier: MIT */
/* fake_mlxc.c -- an mlx-c made of the rows of hooks/mlxc.def (fake.h).
 *
 * Limits are kept and the one before comes back; a path with "fail" cannot be read.
 *
 *   fake_wish(text)      what the next evaluation fails of; "": of nothing; "silent": it
 *                        does not say why
 *   FAKE_ERROR_EXITS=1   the handler of errors ends the process, as the engine's own does */
#define FAKE_ROWS "../../hooks/mlxc.def"
#define HAND_mlx_load_safetensors FAKE_HAND
#define HAND_mlx_set_wired_limit FAKE_HAND
#define HAND_mlx_set_cache_limit FAKE_HAND
#define HAND_mlx_set_memory_limit FAKE_HAND
#define HAND_mlx_eval FAKE_HAND
#define HAND_mlx_get_active_memory FAKE_HAND
#define HAND_mlx_retain FAKE_HAND /* it has none: fake_mlxc_old.c */
#include "fake.h"

#include <stdarg.h>
#include <stdio.h>

FAKE_PUBLIC void _mlx_error(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
FAKE_PUBLIC void fake_wish(const char *text);

static char wish[256];

void fake_wish(const char *text)
{
	strncpy(wish, text, sizeof(wish) - 1);
}

void _mlx_error(const char *file, int line, const char *format, ...)
{
	va_list ap;

	(void)file;
	(void)line;
	va_start(ap, format);
	printf("MLX error: ");
	vprintf(format, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
	if (getenv("FAKE_ERROR_EXITS"))
		exit(255);
}

int mlx_eval(void *arrays)
{
	(void)arrays;
	fake_called(FAKE_mlx_eval);
	if (wish[0] && strcmp(wish, "silent"))
		_mlx_error(__FILE__, __LINE__, "%s", wish);
	return wish[0] != '\0';
}

static size_t limits[3];

static int set_limit(int row, size_t *limit, size_t *before, size_t n)
{
	fake_called(row);
	*before = *limit;
	*limit = n;
	return 0;
}

int mlx_set_wired_limit(size_t *before, size_t limit)
{
	return set_limit(FAKE_mlx_set_wired_limit, &limits[0], before, limit);
}

int mlx_set_cache_limit(size_t *before, size_t limit)
{
	return set_limit(FAKE_mlx_set_cache_limit, &limits[1], before, limit);
}

int mlx_set_memory_limit(size_t *before, size_t limit)
{
	return set_limit(FAKE_mlx_set_memory_limit, &limits[2], before, limit);
}

uint64_t mlx_load_safetensors(void *arrays, void *metadata, const char *path, void *stream)
{
	(void)arrays;
	(void)metadata;
	(void)stream;
	fake_called(FAKE_mlx_load_safetensors);
	return strstr(path, "fail") != NULL;
}

int mlx_get_active_memory(size_t *bytes)
{
	fake_called(FAKE_mlx_get_active_memory);
	*bytes = 0;
	return 0;
}
