/* SPDX-License-Identifier: MIT */
/* fake_mlxc_old.c -- an mlx-c as it was before 0.1.0: objects are pointers that are counted.
 *
 * Written out, not made of rows.  What gives nothing leaves something in the register. */
#include <stdint.h>

#define PUBLIC __attribute__((visibility("default")))
#define NOBODYS 0x5eed

PUBLIC void mlx_retain(void *object);
PUBLIC uint64_t mlx_load_safetensors(uintptr_t text, uintptr_t stream);
PUBLIC int mlx_eval(const void *arrays);
PUBLIC int mlx_async_eval(const void *arrays);
PUBLIC int mlx_array_eval(const void *array);
PUBLIC int mlx_synchronize(const void *stream);
PUBLIC int mlx_metal_clear_cache(void);

void mlx_retain(void *object)
{
	(void)object;
}

/* An address above what 32 bits hold. */
uint64_t mlx_load_safetensors(uintptr_t text, uintptr_t stream)
{
	return 0x7eed00000000 + text + stream;
}

int mlx_eval(const void *arrays)
{
	return arrays ? NOBODYS : 0;
}

int mlx_async_eval(const void *arrays)
{
	return arrays ? NOBODYS : 0;
}

int mlx_array_eval(const void *array)
{
	return array ? NOBODYS : 0;
}

int mlx_synchronize(const void *stream)
{
	return stream ? NOBODYS : 0;
}

int mlx_metal_clear_cache(void)
{
	return NOBODYS;
}
