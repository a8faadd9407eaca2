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

struct taf_requests {
	uint64_t last, last_many; /* sequences of the last batch, a bit each; with several tokens */
	uint64_t began;
	uint32_t most; /* sequences in one batch */
};

/* One batch: n tokens, and for each the sequences that it is of; ids NULL: it does not say,
 * as with a warm-up, and counts for nothing. */
void taf_requests_see(struct taf_requests *r, int32_t n, const int32_t *const *ids);
/* The same of a batch with these sequences, a bit each, of which many have several tokens. */
void taf_requests_came(struct taf_requests *r, uint64_t now, uint64_t many);
/* ,"requests":3,"sequences":2; nothing when no batch was seen. */
void taf_requests_put(const struct taf_requests *r, struct taf_text *out);

#endif
