/* SPDX-License-Identifier: MIT */
/* fuzz_state.c -- any bytes as STATE/state, STATE/events, and metal-guard's hold.
 *
 * Random bytes never carry a right checksum; so each line is given one before the
 * second half: " crc=" at its end and the sum of what stands before it.  What was
 * taken must be whole, and be read back as it was when it is written again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/sentinel.h"
#include "../../policy/cooldown.h"
#include "../../shim/crumb.h"
#include "../../shim/share_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM (1u << 20)
#define LINES_MAX 600u

static struct taf_ledger ledger, again;
static char text[ROOM], out[ROOM];

/* The lines of data behind the first line of that file, each with its checksum. */
static size_t seal(enum taf_share_file file, const uint8_t *data, size_t size)
{
	static const char *const seeds[] = { "taffrail state ", "taffrail events " };
	struct taf_text t;
	const char *p = (const char *)data, *end = p + size;

	taf_text_init(&t, text, sizeof(text));
	taf_share_put_head(&t, file);
	for (unsigned n = 0; p < end && n < LINES_MAX; n++) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((stop ? stop : end) - p);
		uint32_t seed = taf_crc32c(0, seeds[file], strlen(seeds[file]));

		if (t.used + len + 32 > sizeof(text))
			break;
		taf_text_put_n(&t, p, len);
		taf_text_put(&t, " crc=");
		taf_text_hex(&t, taf_crc32c(seed, p, len), 8);
		taf_text_char(&t, '\n');
		p += len + 1;
	}
	return t.used;
}

static void check_whole(const struct taf_ledger *l)
{
	if (l->n_models > TAF_LEDGER_MODELS || l->n_events > TAF_LEDGER_EVENTS)
		abort();
	for (uint32_t i = 0; i < l->n_models; i++)
		if (!taf_is_ended(l->model[i].id, sizeof(l->model[i].id)) || !l->model[i].id[0])
			abort();
	for (uint32_t i = 0; i < l->n_events; i++) {
		const struct taf_ledger_event *e = &l->event[i];

		if (!taf_is_ended(e->class, sizeof(e->class)) || !e->severity ||
		    e->severity > TAF_SEVERITY_PANIC || e->pid < 0)
			abort();
	}
}

static void take_all(struct taf_ledger *l, enum taf_share_file file, const char *from, size_t n)
{
	struct taf_share_flaw flaw;

	memset(l, 0, sizeof(*l));
	if (file == TAF_SHARE_STATE)
		taf_share_take_state(l, from, n, &flaw);
	else
		taf_share_take_events(l, from, n, &flaw);
	check_whole(l);
}

/* No ledger makes the gate wait longer than the policy allows. */
static void ask_gate(const struct taf_ledger *l)
{
	static struct taf_rules rules;
	struct taf_gate_question q = { .rules = &rules, .ledger = l };
	struct taf_gate g;
	char words[256];
	struct taf_text t;

	taf_rules_default(&rules);
	q.now = (struct taf_moment){ .boot = 1, .boot_ms = 1000, .utc_ms = 2000000000000 };
	taf_gate_judge(&q, &g);
	if (g.is_held && g.pass_ms != TAF_PASS_UNKNOWN && g.pass_ms > rules.cooldown_max_ms)
		abort();
	taf_text_init(&t, words, sizeof(words));
	taf_gate_text(&g, &q, &t);
}

static void round_trip(enum taf_share_file file, const uint8_t *data, size_t size)
{
	struct taf_text t;
	size_t n = seal(file, data, size);

	take_all(&ledger, file, text, n);
	ask_gate(&ledger);
	taf_text_init(&t, out, sizeof(out));
	if (file == TAF_SHARE_STATE)
		taf_share_put_state(&t, &ledger, 1);
	else
		taf_share_put_head(&t, file);
	for (uint32_t i = 0; file == TAF_SHARE_EVENTS && i < ledger.n_events; i++)
		taf_share_put_event(&t, &ledger.event[i], TAF_SHARE_CARRIED);
	if (t.is_cut)
		return;
	take_all(&again, file, out, t.used);
	/* Two ids that differ only in bytes which are never written become one. */
	if (again.n_events != ledger.n_events || again.n_models > ledger.n_models)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t until;

	if (size > ROOM / 4)
		return 0;
	take_all(&ledger, TAF_SHARE_STATE, (const char *)data, size);
	take_all(&ledger, TAF_SHARE_EVENTS, (const char *)data, size);
	(void)taf_share_turn_of((const char *)data, size);
	(void)taf_sentinel_read((const char *)data, size, &until);
	round_trip(TAF_SHARE_STATE, data, size);
	round_trip(TAF_SHARE_EVENTS, data, size);
	return 0;
}
