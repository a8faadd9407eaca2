/* SPDX-License-Identifier: MIT */
/* runtime_launch.c -- launches of the simulated runtime, and what compiled programs
 * call before main: kernels are known by the address of their stub, no code is read. */
#include <string.h>

#include "runtime.h"

static int launch(const void *fn, struct sim_dim g, struct sim_dim b, size_t shared, void *stream)
{
	int r = sim_runtime_enter();

	return sim_done(r ? r
			  : sim_cu.cuLaunchKernel((void *)(uintptr_t)fn, g.x, g.y, g.z, b.x, b.y,
						  b.z, (unsigned)shared, stream, NULL, NULL));
}

#define LAUNCHER(name) \
	SIM_PUBLIC int name(const void *fn, struct sim_dim g, struct sim_dim b, void **args, \
			    size_t shared, void *stream); \
	int name(const void *fn, struct sim_dim g, struct sim_dim b, void **args, size_t shared, \
		 void *stream) \
	{ \
		(void)args; \
		return launch(fn, g, b, shared, stream); \
	} \
	SIM_PUBLIC int name##_ptsz(const void *fn, struct sim_dim g, struct sim_dim b, \
				   void **args, size_t shared, void *stream); \
	int name##_ptsz(const void *fn, struct sim_dim g, struct sim_dim b, void **args, \
			size_t shared, void *stream) \
	{ \
		(void)args; \
		return launch(fn, g, b, shared, stream ? stream : (void *)2); \
	}
LAUNCHER(cudaLaunchKernel)
LAUNCHER(__cudaLaunchKernel)
LAUNCHER(cudaLaunchCooperativeKernel)

/* Both libraries have the same beginning: grid, block, shared bytes, stream. */
struct launch_config {
	struct sim_dim grid, block;
	size_t shared;
	void *stream;
};

SIM_PUBLIC int cudaLaunchKernelExC(const void *config, const void *fn, void **args)
{
	const struct launch_config *c = config;

	(void)args;
	return launch(fn, c->grid, c->block, c->shared, c->stream);
}

SIM_PUBLIC int cudaLaunchKernelExC_ptsz(const void *config, const void *fn, void **args)
{
	const struct launch_config *c = config;

	(void)args;
	return launch(fn, c->grid, c->block, c->shared, c->stream ? c->stream : (void *)2);
}

SIM_PUBLIC int __cudaGetKernel(void **kernel, const void *fn)
{
	*kernel = (void *)(uintptr_t)fn;
	return SIM_OK;
}

SIM_PUBLIC void **__cudaRegisterFatBinary(void *binary)
{
	static void *handle[4];

	(void)binary;
	return handle;
}

#define NOTHING(name) \
	SIM_PUBLIC void name(void); \
	void name(void) \
	{ \
	}
/* Their arguments are of no interest, and a caller cleans up its own. */
NOTHING(__cudaRegisterFatBinaryEnd)
NOTHING(__cudaUnregisterFatBinary)
NOTHING(__cudaRegisterFunction)
NOTHING(__cudaRegisterVar)

static _Thread_local struct {
	struct sim_dim grid, block;
	size_t shared;
	void *stream;
} pushed;

SIM_PUBLIC unsigned __cudaPushCallConfiguration(struct sim_dim grid, struct sim_dim block,
						size_t shared, void *stream)
{
	pushed.grid = grid;
	pushed.block = block;
	pushed.shared = shared;
	pushed.stream = stream;
	return 0;
}

SIM_PUBLIC int __cudaPopCallConfiguration(struct sim_dim *grid, struct sim_dim *block,
					  size_t *shared, void *stream)
{
	*grid = pushed.grid;
	*block = pushed.block;
	*shared = pushed.shared;
	memcpy(stream, &pushed.stream, sizeof(pushed.stream));
	return SIM_OK;
}

/* cudaFuncAttributes: threads a block, registers, versions of the code, shared memory. */
SIM_PUBLIC int cudaFuncGetAttributes(void *out, const void *fn)
{
	static const struct {
		int at, value;
	} values[] = { { 24, 1024 }, { 28, 32 }, { 32, 90 }, { 36, 90 }, { 44, 232448 } };

	if (!fn)
		return sim_done(SIM_VALUE);
	memset(out, 0, 144);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		memcpy((char *)out + values[i].at, &values[i].value, sizeof(int));
	return sim_done(sim_runtime_enter());
}

SIM_PUBLIC int cudaFuncSetAttribute(const void *fn, int attribute, int value)
{
	(void)attribute;
	(void)value;
	return sim_done(fn ? sim_runtime_enter() : SIM_VALUE);
}

SIM_PUBLIC int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *n, const void *fn,
								      int threads, size_t shared,
								      unsigned flags)
{
	(void)fn;
	(void)threads;
	(void)shared;
	(void)flags;
	*n = 1;
	return sim_done(sim_runtime_enter());
}
