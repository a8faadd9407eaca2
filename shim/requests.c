/* SPDX-License-Identifier: MIT */
#include "requests.h"

#include "../policy/text.h"

#define LOOKED_AT 64

/* The bit of the first sequence that token i is of. */
static uint64_t bit_of(const int32_t *const *ids, int32_t i)
{
	return ids[i] ? 1ull << ((uint32_t)ids[i][0] & 63) : 1;
}

void taf_requests_came(struct taf_requests *r, uint64_t now, uint64_t many)
{
	uint32_t most = (uint32_t)__builtin_popcountll(now);

	r->began +=
		(uint32_t)__builtin_popcountll((now & ~r->last) | (many & r->last & ~r->last_many));
	r->most = most > r->most ? most : r->most;
	r->last = now;
	r->last_many = many;
}

void taf_requests_see(struct taf_requests *r, int32_t n, const int32_t *const *ids)
{
	int32_t looked = n < LOOKED_AT ? n : LOOKED_AT;
	uint64_t now = 0, many = 0, bit;

	if (!ids)
		return;
	for (int32_t i = 0; i < looked; i++) {
		bit = bit_of(ids, i);
		many |= now & bit;
		now |= bit;
	}
	if (n > looked) {
		bit = bit_of(ids, n - 1);
		many |= bit;
		now |= bit;
	}
	taf_requests_came(r, now, many);
}

void taf_requests_put(const struct taf_requests *r, struct taf_text *out)
{
	if (!r->began)
		return;
	taf_text_put(out, ",\"requests\":");
	taf_text_u64(out, r->began);
	taf_text_put(out, ",\"sequences\":");
	taf_text_u64(out, r->most);
}
