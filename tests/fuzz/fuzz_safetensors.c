/* SPDX-License-Identifier: MIT */
/* fuzz_safetensors.c -- any bytes as a safetensors header and as a config.json. */
#include "../../shim/safetensors.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct taf_reader *r, int err)
{
	if (err != r->err || (err && (!r->flaw || r->flaw_at > r->size)) || r->at > r->size)
		abort();
}

static void read_config(const uint8_t *data, size_t size, size_t room)
{
	uint8_t window[256];
	struct taf_reader r;
	struct taf_config c;
	struct taf_cache cache;
	struct taf_cache_ask ask = { .context = UINT64_MAX / 3 };

	taf_reader_of_memory(&r, data, size);
	taf_reader_window(&r, window, room);
	check(&r, taf_config_read(&r, &c));
	if (strnlen(c.model_type, sizeof(c.model_type)) == sizeof(c.model_type))
		abort();
	taf_shape_cache(&c.shape, &cache);
	(void)taf_cache_bytes(&cache, &ask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t window[256];
	struct taf_reader r;
	struct taf_safetensors s;
	/* The last byte chooses the window, so that edges fall anywhere. */
	size_t room = size ? 1 + data[size - 1] : 1;

	taf_reader_of_memory(&r, data, size);
	taf_reader_window(&r, window, room);
	check(&r, taf_safetensors_read(&r, &s, UINT64_MAX));
	if (s.data_offset > size || s.data_bytes > size ||
	    strnlen(s.dtype, sizeof(s.dtype)) == sizeof(s.dtype))
		abort();
	/* The same bytes behind the length, as a document of its own. */
	if (size > 8)
		read_config(data + 8, size - 8, room);
	return 0;
}
