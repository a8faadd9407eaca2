/* SPDX-License-Identifier: MIT */
/* fake_mlxc.c -- an mlx-c made of the rows of hooks/mlxc.def (fake.h).
 *
 * Limits are kept and the one before comes back; a path with "fail" cannot be read. */
#define FAKE_ROWS "../../hooks/mlxc.def"
#define HAND_mlx_load_safetensors FAKE_HAND
#define HAND_mlx_set_wired_limit FAKE_HAND
#define HAND_mlx_set_cache_limit FAKE_HAND
#define HAND_mlx_set_memory_limit FAKE_HAND
#define HAND_mlx_get_active_memory FAKE_HAND
#include "fake.h"

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

int mlx_load_safetensors(void *arrays, void *metadata, const char *path, void *stream)
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
