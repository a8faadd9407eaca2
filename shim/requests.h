/* SPDX-License-Identifier: MIT */
/* requests.h -- how many requests a generation served, as far as a batch shows it.
 *
 * An engine that serves several clients at once puts the next token of each into one
 * batch, each with the number of its sequence; a request begins where a sequence comes
 * in, or has several tokens again.  A hint: of a request whose prompt is all in the cache,
 * on the sequence of the one before and right after it, there is no sign.  The first
 * 64 tokens of a batch and its last are looked at, and sequences up to 63 told apart.
 */
#ifndef TAF_REQUESTS_H
#define TAF_REQUESTS_H

#include <stdint.h>

struct taf_text;

#define TAF_BATCH_STEPS 12
#define TAF_REQUESTS_PROMPT (1ull << 32) /* no batch is as wide */

/* A batch that widens or narrows: when, since the generation began, and behind how many tokens. */
struct taf_batch_step {
	uint32_t ms, width;
	uint64_t tokens;
};

struct taf_requests {
	/* Sequences of the last batch, a bit each, and those with several tokens; of batches that
	 * say only how many: of the last one that stood, and of a smaller one behind it, or
	 * TAF_REQUESTS_PROMPT and how many of one sequence came since a prompt. */
	uint64_t last, last_many;
	uint64_t began;
	uint32_t most; /* sequences in one batch */
	uint32_t n_steps; /* all of them; the first are below */
	uint32_t width; /* of the latest */
	struct taf_batch_step steps[TAF_BATCH_STEPS];
};

/* One batch: n tokens, and for each the sequences that it is of; ids NULL: it does not say,
 * as with a warm-up, and counts for nothing. */
void taf_requests_see(struct taf_requests *r, int32_t n, const int32_t *const *ids);
/* The same of a batch with these sequences, a bit each, of which many have several tokens. */
void taf_requests_came(struct taf_requests *r, uint64_t now, uint64_t many);
/* The same of a batch that says only how many sequences it has. A request that comes in while
 * others go on is begun in a batch of its own, and then with them. Returns how many came in:
 * none where last is that width and last_many 0, which need not be asked. */
uint32_t taf_requests_changed(struct taf_requests *r, uint32_t width);
/* A prompt is evaluated. Where one sequence was all, it is of a request that comes in beside that
 * one or that follows it, whose first token is begun in a batch of its own: a third batch of one
 * sequence is the follower's second token. */
static inline void taf_requests_prompt(struct taf_requests *r)
{
	if (r->last == 1 && (!r->last_many || r->last_many >= TAF_REQUESTS_PROMPT))
		r->last_many = TAF_REQUESTS_PROMPT;
}
/* Behind taf_requests_changed: keeps when that was, unless it is a request by itself. */
void taf_requests_note(struct taf_requests *r, uint64_t ms, uint64_t tokens);
/* ,"requests":3,"sequences":2; nothing when no batch was seen. */
void taf_requests_put(const struct taf_requests *r, struct taf_text *out);
/* ,"batch":[[0,1,0],[120,3,15]]: ms, sequences, tokens until then; and ,"batch_more":4 where
 * that is not all. Nothing of a batch that was always as wide, or where there is no room. */
void taf_requests_put_steps(const struct taf_requests *r, struct taf_text *out);

#endif
