/* SPDX-License-Identifier: MIT */
/* trace.h -- where the time of one request goes: spans that are closed one by one.
 *
 *   taf_trace_begin     the request arrives
 *   taf_trace_open      a span begins; what is closed until its own end lies in it
 *   taf_trace_close     it ends: what lies in it counts there and not here
 *   taf_trace_wait      a span that nothing lies in, known at its end alone
 *   taf_trace_step      a computation came back
 *   taf_trace_end       the request is over
 *
 * Every moment counts once, whichever threads had spans open in it: parts never sum up
 * to more than the wall time.  Where spans of several threads overlap, that costs an
 * exact sum: what is counted is at least the longest of them and never too much.
 * The struct is zero when no request is under way: a drain that the one before still
 * owed is closed when the next has arrived, and kept by taf_trace_begin.
 */
#ifndef TAF_TRACE_H
#define TAF_TRACE_H

#include <stdbool.h>
#include <stdint.h>

enum taf_part {
#define PART(NAME, name) TAF_PART_##NAME,
#include "parts.def"
#undef PART
	TAF_PARTS
};

struct taf_trace {
	uint64_t arrived_ns;
	uint64_t mark_ns; /* where the latest span ended */
	uint64_t ns[TAF_PARTS];
	uint64_t counted_ns; /* all parts since it arrived */
	uint64_t before_ns; /* parts that were over when it arrived, and are its own: the load */
	uint64_t wait_ns; /* of all these: waiting for the device */
	uint64_t tokens, submits, syncs; /* since the prompt was computed */
	uint64_t prompt_submits, prompt_syncs;
	bool is_on;
	bool is_first; /* on its model: warms up */
	bool has_tokens; /* the prompt is computed */
};

struct taf_trace_span {
	uint64_t from_ns, counted_ns;
};

/* A computation that came back. */
struct taf_trace_step {
	uint64_t tokens; /* 0: of the prompt, or it failed */
	uint64_t wait_ns; /* of its span: waiting for the device */
	bool is_prompt;
	bool is_sync; /* it is a synchronize of the program as well */
};

/* What a request comes to, in microseconds. */
struct taf_trace_sum {
	uint64_t us[TAF_PARTS];
	uint64_t wall_us, wait_us, host_us; /* host and wait make up the wall time */
};

const char *taf_part_name(enum taf_part part); /* lower case: "load" */

/* One in so many requests goes untraced: tracing makes the device wait, and what it costs
 * shows beside one that did not. n counts from 0; the first is always traced. */
#define TAF_TRACE_CYCLE 4u
bool taf_trace_picks(uint64_t n);

/* arrived_ns may lie before spans that are closed already. */
void taf_trace_begin(struct taf_trace *t, uint64_t arrived_ns);
struct taf_trace_span taf_trace_open(const struct taf_trace *t, uint64_t now_ns);
void taf_trace_close(struct taf_trace *t, enum taf_part part, const struct taf_trace_span *s,
		     uint64_t now_ns);
/* Returns what of it was not counted yet. */
uint64_t taf_trace_wait(struct taf_trace *t, enum taf_part part, uint64_t from_ns, uint64_t now_ns);
/* Of before it arrived, but its own all the same. */
void taf_trace_owes(struct taf_trace *t, enum taf_part part, uint64_t ns);
void taf_trace_step(struct taf_trace *t, const struct taf_trace_step *step);
/* A synchronize of the program came back. */
void taf_trace_synced(struct taf_trace *t, uint64_t wait_ns);
/* All that was computed so far was the prompt: shown by what follows. */
void taf_trace_was_prompt(struct taf_trace *t);
/* last_ns: the latest sign of it beside the spans. */
void taf_trace_end(const struct taf_trace *t, uint64_t last_ns, struct taf_trace_sum *sum);

#endif
