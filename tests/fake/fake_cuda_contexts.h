/* SPDX-License-Identifier: MIT */
/* fake_cuda_contexts.h -- the contexts of fake_cuda.c, which alone includes it: primary ones
 * that are counted, and others that are made and destroyed by any of their names. */
#ifndef FAKE_CUDA_CONTEXTS_H
#define FAKE_CUDA_CONTEXTS_H

static int device_of(const void *ctx)
{
	for (int i = 0; i < DEVICES; i++)
		if (ctx == &primary[i] ||
		    ((const char *)ctx >= made[i] && (const char *)ctx < made[i] + MADE))
			return i;
	return -1;
}

static void *current(void)
{
	return depth ? stack[depth - 1] : NULL;
}

static int push(void *ctx)
{
	if (device_of(ctx) < 0 || depth == 8)
		return NO_CONTEXT;
	stack[depth++] = ctx;
	return 0;
}

static int make(int row, void **ctx, int device)
{
	fake_called(row);
	if (!ctx || device < 0 || device >= DEVICES)
		return fake_over(row, ctx ? 101 : 1);
	if (fake_is_failing())
		return fake_over(row, 2);
	*ctx = &made[device][next_made[device]++ % MADE];
	return fake_over(row, push(*ctx));
}

#define MAKES(name, params) \
	int name params \
	{ \
		return make(FAKE_##name, ctx, device); \
	}
MAKES(cuCtxCreate, (void **ctx, FAKE_MAYBE unsigned flags, int device))
MAKES(cuCtxCreate_v2, (void **ctx, FAKE_MAYBE unsigned flags, int device))
MAKES(cuCtxCreate_v3, (void **ctx, FAKE_MAYBE void *affinity, FAKE_MAYBE int n,
		       FAKE_MAYBE unsigned flags, int device))
MAKES(cuCtxCreate_v4, (void **ctx, FAKE_MAYBE void *params, FAKE_MAYBE unsigned flags, int device))

#define DESTROYS(name) \
	int name(void *ctx) \
	{ \
		fake_called(FAKE_##name); \
		if (depth && current() == ctx) \
			depth--; \
		return fake_over(FAKE_##name, device_of(ctx) < 0 ? NO_CONTEXT : 0); \
	}
DESTROYS(cuCtxDestroy)
DESTROYS(cuCtxDestroy_v2)
DESTROYS(cuCtxDetach)

int cuCtxSetCurrent(void *ctx)
{
	int row = FAKE_cuCtxSetCurrent;

	fake_called(row);
	if (fake_is_failing())
		return fake_over(row, NO_CONTEXT);
	if (depth)
		depth--;
	return fake_over(row, ctx ? push(ctx) : 0);
}

int cuCtxPushCurrent_v2(void *ctx)
{
	fake_called(FAKE_cuCtxPushCurrent_v2);
	return fake_over(FAKE_cuCtxPushCurrent_v2, push(ctx));
}

int cuCtxPopCurrent_v2(void **ctx)
{
	int row = FAKE_cuCtxPopCurrent_v2;

	fake_called(row);
	if (!depth)
		return fake_over(row, NO_CONTEXT);
	depth--;
	if (ctx)
		*ctx = stack[depth];
	return fake_over(row, 0);
}

int cuCtxGetCurrent(void **ctx)
{
	fake_called(FAKE_cuCtxGetCurrent);
	*ctx = current();
	return fake_over(FAKE_cuCtxGetCurrent, 0);
}

int cuCtxGetDevice(int *device)
{
	int row = FAKE_cuCtxGetDevice, has = device_of(current());

	fake_called(row);
	if (has < 0)
		return fake_over(row, NO_CONTEXT);
	*device = has;
	return fake_over(row, 0);
}

int cuDevicePrimaryCtxRetain(void **ctx, int device)
{
	int row = FAKE_cuDevicePrimaryCtxRetain;

	fake_called(row);
	if (!ctx || device < 0 || device >= DEVICES)
		return fake_over(row, 101);
	if (!fake_is_failing()) {
		primary[device] = getenv("FAKE_GIVEN_UP") && fake_used ? 1 : primary[device] + 1;
		*ctx = &primary[device];
	}
	return fake_over(row, 0);
}

static int drop(int row, int device, int all)
{
	fake_called(row);
	if (device < 0 || device >= DEVICES)
		return fake_over(row, 101);
	if (!primary[device] && !all)
		return fake_over(row, NO_CONTEXT);
	primary[device] = all ? 0 : primary[device] - 1;
	return fake_over(row, 0);
}

#define DROPS_PRIMARY(name, all) \
	int name(int device) \
	{ \
		return drop(FAKE_##name, device, all); \
	}
DROPS_PRIMARY(cuDevicePrimaryCtxRelease, 0)
DROPS_PRIMARY(cuDevicePrimaryCtxRelease_v2, 0)
DROPS_PRIMARY(cuDevicePrimaryCtxReset, 1)
DROPS_PRIMARY(cuDevicePrimaryCtxReset_v2, 1)

int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active)
{
	int row = FAKE_cuDevicePrimaryCtxGetState;

	fake_called(row);
	if (device < 0 || device >= DEVICES)
		return fake_over(row, 101);
	*flags = 0;
	*active = primary[device] > 0;
	return fake_over(row, 0);
}

#endif
