/* SPDX-License-Identifier: MIT */
/* driver_copy.c -- copies and fills of the simulated driver: done at once where they
 * are called, and in flight for as long as any command.  In a capture they become
 * nodes, and are done when the graph is launched. */
#include <string.h>

#include "driver.h"

/* What cuMemcpy2D takes: where it comes from, where it goes, how much. */
struct copy_2d {
	size_t from_x, from_y;
	unsigned from_type;
	const void *from_host;
	uint64_t from_device;
	void *from_array;
	size_t from_pitch;
	size_t to_x, to_y;
	unsigned to_type;
	void *to_host;
	uint64_t to_device;
	void *to_array;
	size_t to_pitch, width, height;
};

void sim_node_run(const struct sim_node *n)
{
	for (size_t row = 0; row < (n->rows ? n->rows : 1); row++) {
		char *to = n->to + row * n->to_pitch;

		if (n->work == SIM_COPY_NODE)
			memmove(to, n->from + row * n->from_pitch, n->bytes);
		else if (n->work == SIM_FILL_NODE)
			for (size_t i = 0; i + (size_t)n->width <= n->bytes; i += (size_t)n->width)
				memcpy(to + i, &n->value, (size_t)n->width);
	}
}

static int run_in(void *stream, const struct sim_node *node, bool waits)
{
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	if (!r && node->bytes && (!node->to || (node->work == SIM_COPY_NODE && !node->from)))
		r = SIM_VALUE;
	if (!r)
		r = sim_command(s, node);
	if (!r && waits)
		r = sim_wait_stream("a copy", s);
	return r;
}

static int copy(uint64_t to, uint64_t from, size_t bytes, void *stream, bool waits)
{
	struct sim_node n = { .work = SIM_COPY_NODE,
			      .to = (char *)(uintptr_t)to,
			      .from = (const char *)(uintptr_t)from,
			      .bytes = bytes };

	return run_in(stream, &n, waits);
}

SIM_PUBLIC int cuMemcpy(uint64_t to, uint64_t from, size_t bytes)
{
	return copy(to, from, bytes, NULL, true);
}

SIM_PUBLIC int cuMemcpyAsync(uint64_t to, uint64_t from, size_t bytes, void *stream)
{
	return copy(to, from, bytes, stream, false);
}

SIM_PUBLIC int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes)
{
	return copy(to, (uint64_t)(uintptr_t)from, bytes, NULL, true);
}

SIM_PUBLIC int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes)
{
	return copy((uint64_t)(uintptr_t)to, from, bytes, NULL, true);
}

SIM_PUBLIC int cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes)
{
	return copy(to, from, bytes, NULL, true);
}

SIM_PUBLIC int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream)
{
	return copy(to, (uint64_t)(uintptr_t)from, bytes, stream, false);
}

SIM_PUBLIC int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream)
{
	return copy((uint64_t)(uintptr_t)to, from, bytes, stream, false);
}

SIM_PUBLIC int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream)
{
	return copy(to, from, bytes, stream, false);
}

SIM_PUBLIC int cuMemcpyPeerAsync(uint64_t to, void *to_ctx, uint64_t from, void *from_ctx,
				 size_t bytes, void *stream)
{
	(void)to_ctx;
	(void)from_ctx;
	return copy(to, from, bytes, stream, false);
}

SIM_PUBLIC int cuMemcpy2DAsync_v2(const void *params, void *stream)
{
	const struct copy_2d *c = params;
	struct sim_node n = { .work = SIM_COPY_NODE,
			      .bytes = c->width,
			      .rows = c->height,
			      .to_pitch = c->to_pitch,
			      .from_pitch = c->from_pitch };

	n.to = c->to_type == 1 ? c->to_host : (char *)(uintptr_t)c->to_device;
	n.from = c->from_type == 1 ? c->from_host : (const char *)(uintptr_t)c->from_device;
	n.to += c->to_y * c->to_pitch + c->to_x;
	n.from += c->from_y * c->from_pitch + c->from_x;
	if (!c->height || !c->width)
		return sim_enter();
	return run_in(stream, &n, false);
}

/* Nothing moves, but for as long as any command it is in flight. */
static int prefetch(uint64_t at, void *stream)
{
	return copy(at, at, 0, stream, false);
}

SIM_PUBLIC int cuMemPrefetchAsync(uint64_t at, size_t bytes, int device, void *stream)
{
	(void)bytes, (void)device;
	return prefetch(at, stream);
}

SIM_PUBLIC int cuMemPrefetchAsync_v2(uint64_t at, size_t bytes, uint64_t location, unsigned flags,
				     void *stream)
{
	(void)bytes, (void)location, (void)flags;
	return prefetch(at, stream);
}

static int fill(uint64_t to, unsigned value, size_t bytes, int width, void *stream, bool waits)
{
	struct sim_node n = { .work = SIM_FILL_NODE,
			      .to = (char *)(uintptr_t)to,
			      .bytes = bytes,
			      .value = value,
			      .width = width };

	return run_in(stream, &n, waits);
}

SIM_PUBLIC int cuMemsetD8_v2(uint64_t to, unsigned char value, size_t n)
{
	return fill(to, value, n, 1, NULL, true);
}

SIM_PUBLIC int cuMemsetD32_v2(uint64_t to, unsigned value, size_t n)
{
	return fill(to, value, 4 * n, 4, NULL, true);
}

SIM_PUBLIC int cuMemsetD8Async(uint64_t to, unsigned char value, size_t n, void *stream)
{
	return fill(to, value, n, 1, stream, false);
}

SIM_PUBLIC int cuMemsetD32Async(uint64_t to, unsigned value, size_t n, void *stream)
{
	return fill(to, value, 4 * n, 4, stream, false);
}
