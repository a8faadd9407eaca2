/* SPDX-License-Identifier: MIT */
/* fuzz_gguf.c -- any bytes as a GGUF header: no crash, bounded work, sane figures. */
#include "../../shim/gguf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t window[256];
	struct taf_reader r;
	struct taf_gguf g;
	struct taf_cache_ask ask = { .context = 131072, .sequences = 4 };
	/* The last byte chooses the window, so that edges fall anywhere. */
	size_t room = size ? 1 + data[size - 1] : 1;

	taf_reader_of_memory(&r, data, size);
	taf_reader_window(&r, window, room);
	r.budget = 1u << 20;
	if (!taf_gguf_read(&r, &g)) {
		if (r.at > size || g.data_bytes > size || g.n_pairs > TAF_GGUF_PAIRS_MAX)
			abort();
	} else if (r.err >= 0 || !r.flaw || r.flaw_at > size) {
		abort();
	}
	if (strnlen(g.name, sizeof(g.name)) == sizeof(g.name) ||
	    strnlen(g.shape.arch, sizeof(g.shape.arch)) == sizeof(g.shape.arch))
		abort();
	(void)taf_gguf_quant(&g);
	(void)taf_gguf_kv_bytes(&g, &ask);
	return 0;
}
