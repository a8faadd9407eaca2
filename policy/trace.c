/* SPDX-License-Identifier: MIT */
#include "trace.h"

static const char names[][12] = {
#define PART(NAME, name) #name,
#include "parts.def"
#undef PART
};

const char *taf_part_name(enum taf_part part)
{
	return (unsigned)part < TAF_PARTS ? names[part] : "";
}

bool taf_trace_picks(uint64_t n)
{
	return n % TAF_TRACE_CYCLE != 1;
}

static uint64_t between(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void taf_trace_begin(struct taf_trace *t, uint64_t arrived_ns)
{
	t->arrived_ns = arrived_ns;
	t->is_on = t->is_first = t->has_tokens = false;
}

struct taf_trace_span taf_trace_open(const struct taf_trace *t, uint64_t now_ns)
{
	return (struct taf_trace_span){ now_ns, t->counted_ns };
}

/* Both are lower bounds of what is new in this span: all but what was counted while it was
 * open, and what lies behind everything that was counted. */
static uint64_t fresh(const struct taf_trace *t, const struct taf_trace_span *s, uint64_t now_ns)
{
	uint64_t within = between(s->counted_ns, t->counted_ns);

	return most(between(within, between(s->from_ns, now_ns)),
		    between(most(s->from_ns, t->mark_ns), now_ns));
}

static void count(struct taf_trace *t, enum taf_part part, uint64_t ns, uint64_t now_ns)
{
	t->ns[part] += ns;
	t->counted_ns += ns;
	t->mark_ns = most(t->mark_ns, now_ns);
}

void taf_trace_close(struct taf_trace *t, enum taf_part part, const struct taf_trace_span *s,
		     uint64_t now_ns)
{
	uint64_t ns = fresh(t, s, now_ns);

	count(t, part, ns, now_ns);
	if (part == TAF_PART_DRAIN)
		t->wait_ns += ns;
}

uint64_t taf_trace_wait(struct taf_trace *t, enum taf_part part, uint64_t from_ns, uint64_t now_ns)
{
	uint64_t ns = between(most(most(from_ns, t->mark_ns), t->arrived_ns), now_ns);

	count(t, part, ns, now_ns);
	return ns;
}

void taf_trace_owes(struct taf_trace *t, enum taf_part part, uint64_t ns)
{
	t->ns[part] += ns;
	t->before_ns += ns;
	if (part == TAF_PART_DRAIN)
		t->wait_ns += ns;
}

void taf_trace_step(struct taf_trace *t, const struct taf_trace_step *step)
{
	t->wait_ns += step->wait_ns;
	t->has_tokens = t->has_tokens || !step->is_prompt;
	if (step->is_prompt) {
		t->prompt_submits++;
		t->prompt_syncs += step->is_sync;
		return;
	}
	t->submits++;
	t->syncs += step->is_sync;
	t->tokens += step->tokens;
}

void taf_trace_synced(struct taf_trace *t, uint64_t wait_ns)
{
	t->wait_ns += wait_ns;
	if (t->has_tokens)
		t->syncs++;
	else
		t->prompt_syncs++;
}

void taf_trace_was_prompt(struct taf_trace *t)
{
	t->ns[TAF_PART_PREFILL] += t->ns[TAF_PART_DECODE];
	t->ns[TAF_PART_DECODE] = 0;
	t->prompt_submits += t->submits;
	t->prompt_syncs += t->syncs;
	t->submits = t->syncs = t->tokens = 0;
	t->has_tokens = false;
}

void taf_trace_end(const struct taf_trace *t, uint64_t last_ns, struct taf_trace_sum *sum)
{
	uint64_t wall = between(t->arrived_ns, most(last_ns, t->mark_ns)) + t->before_ns;

	for (int i = 0; i < TAF_PARTS; i++)
		sum->us[i] = t->ns[i] / 1000;
	sum->wall_us = wall / 1000;
	sum->wait_us = least(t->wait_ns, wall) / 1000;
	sum->host_us = sum->wall_us - sum->wait_us;
}
