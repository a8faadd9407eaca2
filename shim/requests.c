/* SPDX-License-Identifier: MIT */
#include "requests.h"

#include <stdbool.h>

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

#define BEHIND_PROMPT 3 /* the last of the others or none, the first and the second of its own */

/* Behind a prompt, one sequence as before. True: it is another one's. */
static bool is_follower(struct taf_requests *r)
{
	if (++r->last_many < TAF_REQUESTS_PROMPT + BEHIND_PROMPT)
		return false;
	r->last_many = 0;
	r->began++;
	return true;
}

uint32_t taf_requests_changed(struct taf_requests *r, uint32_t width)
{
	uint64_t small = r->last_many, came;

	if (small >= TAF_REQUESTS_PROMPT) {
		if (width == r->last)
			return is_follower(r);
		small = 0;
	}
	r->most = width > r->most ? width : r->most;
	r->last_many = 0;
	if (!small && width < r->last) { /* some are done, or it is one that comes in */
		r->last_many = width;
		return 0;
	}
	/* What came in by itself is with the others now, some of which may be done. */
	came = small && width > small ? small : width > r->last ? width - r->last : 0;
	r->last = width;
	r->began += came;
	return (uint32_t)came;
}

void taf_requests_note(struct taf_requests *r, uint64_t ms, uint64_t tokens)
{
	uint32_t n = r->n_steps;

	if (r->last_many || (n && r->width == (uint32_t)r->last))
		return;
	r->width = (uint32_t)r->last;
	if (n < TAF_BATCH_STEPS)
		r->steps[n] = (struct taf_batch_step){ ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX,
						       r->width, tokens };
	r->n_steps++;
}

static void put_step(const struct taf_batch_step *s, struct taf_text *out)
{
	taf_text_char(out, '[');
	taf_text_u64(out, s->ms);
	taf_text_char(out, ',');
	taf_text_u64(out, s->width);
	taf_text_char(out, ',');
	taf_text_u64(out, s->tokens);
	taf_text_char(out, ']');
}

void taf_requests_put_steps(const struct taf_requests *r, struct taf_text *out)
{
	size_t from = out->used;
	bool was_cut = out->is_cut;

	if (r->n_steps < 2)
		return;
	for (uint32_t i = 0; i < r->n_steps && i < TAF_BATCH_STEPS; i++) {
		taf_text_put(out, i ? "," : ",\"batch\":[");
		put_step(&r->steps[i], out);
	}
	taf_text_char(out, ']');
	if (r->n_steps > TAF_BATCH_STEPS) {
		taf_text_put(out, ",\"batch_more\":");
		taf_text_u64(out, r->n_steps - TAF_BATCH_STEPS);
	}
	if (out->is_cut) {
		out->used = from;
		out->start[from] = '\0';
		out->is_cut = was_cut;
	}
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
