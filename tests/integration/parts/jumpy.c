/* SPDX-License-Identifier: MIT */
/* jumpy.c -- a copy, a launch or a wait of HIP is left by a jump, as a handler of a
 * program that has waited long enough leaves it; what comes after is seen as before.
 *
 *   -DLIBRARY   the runtime: the function that jump_in names jumps
 *   else        jumpy FUNCTION: two launches, a copy and a wait, in one of which it jumps;
 *               then five launches
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct dim {
	uint32_t x, y, z;
};
int hipLaunchKernel(const void *, struct dim, struct dim, void **, size_t, void *);
int hipMemcpyAsync(void *, const void *, size_t, int, void *);
int hipDeviceSynchronize(void);
extern const char *jump_in;
extern jmp_buf jump_to;

#ifdef LIBRARY
const char *jump_in;
jmp_buf jump_to;

static int come(const char *name)
{
	const char *in = jump_in;

	if (in && !strcmp(in, name)) {
		jump_in = NULL;
		longjmp(jump_to, 1);
	}
	return 0;
}

int hipLaunchKernel(const void *fn, struct dim grid, struct dim block, void **args, size_t shared,
		    void *stream)
{
	(void)fn, (void)grid, (void)block, (void)args, (void)shared, (void)stream;
	return come("hipLaunchKernel");
}

int hipMemcpyAsync(void *to, const void *from, size_t n, int kind, void *stream)
{
	(void)to, (void)from, (void)n, (void)kind, (void)stream;
	return come("hipMemcpyAsync");
}

int hipDeviceSynchronize(void)
{
	return come("hipDeviceSynchronize");
}
#else
static int launch(void)
{
	struct dim one = { 1, 1, 1 };

	return hipLaunchKernel(&jump_in, one, one, NULL, 0, NULL);
}

/* Deeper than main's own calls, which then come from where it jumps to. */
static __attribute__((noinline)) int any(void)
{
	volatile char deep[512] = "";
	char to[8], from[8] = "";

	(void)deep[0];
	return launch() + hipMemcpyAsync(to, from, 8, 0, NULL) + hipDeviceSynchronize();
}

int main(int argc, char **argv)
{
	int r = launch();

	if (!setjmp(jump_to)) {
		jump_in = argc > 1 ? argv[1] : NULL;
		any();
		printf("no jump\n");
	}
	for (int i = 0; i < 5; i++)
		r |= launch();
	printf("launches %d, wait %d\n", r, hipDeviceSynchronize());
	return 0;
}
#endif
