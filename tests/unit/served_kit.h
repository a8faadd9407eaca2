/* SPDX-License-Identifier: MIT */
/* served_kit.h -- an engine of fakes whose thread computes in an order that is written down
 * (rounds_kit.h), and what its records and drains were, as a line of words.
 *
 * For one test program, which is linked with -Wl,--wrap for what is wrapped here.
 */
#ifndef SERVED_KIT_H
#define SERVED_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../shim/coarse.h"
#include "../../shim/life.h"
#include "../../shim/owner.h"
#include "../../shim/served.h"
#include "rounds_kit.h"

/* What was written and drained, a word each: "b1", begin of record 1; "e1:5", its end with 5
 * tokens; "s", a synchronize; "c", a clear. */
static char told[4096];
static uint64_t numbers, tokens, submits;
static uint32_t begun, ended, requests, most;
static uint64_t evals, steps;
static uint32_t wide[64]; /* by the record: sequences in its end */
static char label[160]; /* of the latest drain */
static bool is_refusing; /* a turn */

static void say(const char *format, ...)
{
	size_t at = strlen(told);
	va_list args;

	va_start(args, format);
	vsnprintf(told + at, sizeof(told) - at, format, args);
	va_end(args);
}

static uint32_t number_in(const char *extra, const char *key)
{
	const char *at = extra ? strstr(extra, key) : NULL;
	unsigned n = 0;

	if (at)
		sscanf(at + strlen(key), "%u", &n);
	return n;
}

uint64_t __wrap_taf_crumb(const struct taf_rec *r);
uint64_t __wrap_taf_crumb(const struct taf_rec *r)
{
	uint32_t n;

	if (r->kind == TAF_DRAIN && r->phase == TAF_BEGIN)
		snprintf(label, sizeof(label), "%s", r->msg ? r->msg : "");
	if (r->kind != TAF_INFER)
		return ++numbers;
	if (r->phase == TAF_BEGIN) {
		begun++;
		say("b%u ", (unsigned)++numbers);
		return numbers;
	}
	ended++;
	tokens += r->tokens;
	submits += r->submits;
	requests += number_in(r->extra, ",\"requests\":");
	n = number_in(r->extra, ",\"sequences\":");
	most = n > most ? n : most;
	if (r->of < 64)
		wide[r->of] = n;
	evals += number_in(r->extra, ",\"evals\":");
	steps += number_in(r->extra, ",\"steps\":");
	say("e%u:%u ", (unsigned)r->of, (unsigned)r->tokens);
	return numbers;
}

bool __wrap_taf_turn_take(struct taf_work *w, const struct taf_call *c);
bool __wrap_taf_turn_take(struct taf_work *w, const struct taf_call *c)
{
	(void)w;
	(void)c;
	return !is_refusing;
}

void __wrap_taf_turn_give(struct taf_work *w);
void __wrap_taf_turn_give(struct taf_work *w)
{
	(void)w;
}

static void tell(const void *home, struct taf_text *out)
{
	(void)home;
	(void)out;
}

static int synchronize(void *handle, const void *home)
{
	(void)handle;
	(void)home;
	say("s ");
	return 0;
}

static int trim(void *handle, const void *home)
{
	(void)handle;
	(void)home;
	say("c ");
	return 0;
}

static const struct taf_ops ops = { .sync = synchronize, .trim = trim };
static const struct taf_by_thread threads = { .tell = tell };
static const struct taf_row rows[] = { { .name = 0, .kind = TAF_SUBMIT } };
static const struct taf_table engine = { .engine = TAF_ENGINE_MLX,
					 .rows = rows,
					 .n_rows = 1,
					 .names = "eval",
					 .ops = &ops,
					 .by_thread = &threads };
const struct taf_table *const taf_tables[] = { &engine };
const int taf_table_count = 1;

static struct taf_live_model *model;

static int setup(void **state)
{
	static int handle;

	(void)state;
	taf_life.pid = taf_sys_pid();
	taf_rules_default(&taf_rules);
	taf_rules.drain_idle_ms = 3600000; /* nothing of this is idle, however slow the machine */
	taf_work_forget_all();
	taf_tls.own = NULL;
	taf_coarse_find();
	model = taf_work_add_model(&(struct taf_maker){ .table = &engine }, &handle, "tiny");
	taf_owner_set_model(model);
	numbers = tokens = submits = 0;
	begun = ended = requests = most = 0;
	evals = steps = 0;
	is_refusing = false;
	told[0] = '\0';
	return 0;
}

/* Returns how many evaluations that were. */
static uint64_t compute(const char *text)
{
	uint64_t n = 0;

	while (*text) {
		struct taf_call c = { .table = &engine, .is_counted = true };
		struct taf_step step;

		if (*text == ' ') {
			text++;
			continue;
		}
		step = step_of(&text);
		assert_true(taf_owner_begin(&c, &step));
		taf_owner_end(&c, &step, 0);
		n++;
	}
	return n;
}

static void expect(const char *order, const char *records)
{
	uint64_t n = compute(order);

	taf_owner_settle(true);
	if (strcmp(told, records))
		fail_msg("%s: \"%s\", not \"%s\"", order, told, records);
	assert_int_equal(begun, ended);
	assert_int_equal(submits, n);
}

#endif
