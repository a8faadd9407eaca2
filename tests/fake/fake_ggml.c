/* SPDX-License-Identifier: MIT */
/* fake_ggml.c -- a ggml made of the rows of hooks/ggml.def (fake.h).
 *
 *   FAKE_ALLOC_FAILS=N    the first N allocations find no memory
 *   FAKE_GRAPH_RC=N       what a scheduler's graphs return
 *   FAKE_BUFFER_BYTES=N   how large all buffers are; 4096
 */
#define FAKE_ROWS "../../hooks/ggml.def"
#define HAND_ggml_backend_buffer_get_size FAKE_HAND
#define HAND_ggml_backend_sched_graph_compute_async FAKE_HAND
#define HAND_ggml_backend_buft_alloc_buffer FAKE_HAND
#include "fake.h"

#include <stdarg.h>
#include <stdio.h>

FAKE_PUBLIC void ggml_abort(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* All buffers are alike. */
size_t ggml_backend_buffer_get_size(void *buffer)
{
	fake_called(FAKE_ggml_backend_buffer_get_size);
	if (!buffer)
		return 0;
	return fake_setting("FAKE_BUFFER_BYTES") ? (size_t)fake_setting("FAKE_BUFFER_BYTES") : 4096;
}

void *ggml_backend_buft_alloc_buffer(void *type, size_t size)
{
	int row = FAKE_ggml_backend_buft_alloc_buffer;
	void *p = NULL;

	(void)type;
	(void)size;
	fake_called(row);
	if (fake_counts[row] > fake_setting("FAKE_ALLOC_FAILS"))
		p = fake_cells[row];
	fake_last[row] = (int64_t)(intptr_t)p;
	return p;
}

/* As the real one: the place, the message, SIGABRT. */
void ggml_abort(const char *file, int line, const char *format, ...)
{
	char text[256];
	va_list ap;

	fake_called(FAKE_ggml_abort);
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	dprintf(2, "%s:%d: %s\n", file, line, text);
	abort();
}

int ggml_backend_sched_graph_compute_async(void *sched, void *graph)
{
	int row = FAKE_ggml_backend_sched_graph_compute_async;
	int rc = (int)fake_setting("FAKE_GRAPH_RC");

	(void)sched;
	(void)graph;
	fake_called(row);
	if (!rc)
		rc = (int)fake_number(row);
	fake_last[row] = rc;
	return rc;
}
