/* SPDX-License-Identifier: MIT */
/* fuzz_grace.c -- files of supervisors: whatever the bytes are, each reader ends, stays
 * inside them, and what it gives is a time. */
#include <stdlib.h>
#include <string.h>

#include "../../policy/grace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool is_so)
{
	if (!is_so)
		abort();
}

static void read_all(const char *text, size_t n)
{
	static struct taf_grace all[8];
	struct taf_grace g;
	uint64_t ms = 7;
	unsigned count;

	taf_grace_unit_init(&g);
	taf_grace_unit(text, n, &g);
	expect(!g.is_bad || (g.ms == TAF_GRACE_UNIT_MS || g.ms == TAF_GRACE_NEVER));
	expect(g.is_unit || !g.line);
	if (taf_grace_plist(text, n, &g))
		expect(!g.is_bad || g.ms == TAF_GRACE_PLIST_MS);
	count = taf_grace_compose(text, n, all, 8);
	for (unsigned i = 0; i < count && i < 8; i++) {
		expect(strnlen(all[i].name, sizeof(all[i].name)) < sizeof(all[i].name));
		expect(!all[i].is_bad || all[i].ms == TAF_GRACE_COMPOSE_MS);
	}
	expect(taf_grace_span(text, n, n & 1, &ms) || ms == 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	/* In a block of its own size, so that one byte too far is seen. */
	char *text = malloc(n ? n : 1);

	if (!text)
		return 0;
	memcpy(text, data, n);
	read_all(text, n);
	free(text);
	return 0;
}
