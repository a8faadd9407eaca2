/* SPDX-License-Identifier: MIT */
/* gate_kit.h -- a ledger, a clock and rules of the test's own for the gate and the
 * breaker: add events so long ago, then judge or ask both as rules. */
#ifndef TAF_TEST_GATE_KIT_H
#define TAF_TEST_GATE_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../policy/breaker.h"
#include "../../policy/cooldown.h"
#include "../../policy/policy.h"

#define NOW 2000000000000ull
#define UP TAF_HOUR_MS /* since when this boot runs */
#define HERE 9 /* its key */
#define MIN (uint64_t) TAF_MINUTE_MS
#define HOUR (uint64_t) TAF_HOUR_MS

static struct taf_rules rules;
static struct taf_ledger l;
static struct taf_gate_question q;

static inline int setup(void **state)
{
	(void)state;
	taf_rules_default(&rules);
	memset(&l, 0, sizeof(l));
	q = (struct taf_gate_question){ .rules = &rules, .ledger = &l };
	q.now = (struct taf_moment){ .boot = HERE, .boot_ms = UP, .utc_ms = NOW };
	return 0;
}

static inline void set(const char *path, const char *value)
{
	assert_int_equal(taf_rules_set(&rules, path, value, NULL), 0);
}

/* Of an earlier boot when it is older than this one. */
static inline struct taf_moment ago(uint64_t ms)
{
	struct taf_moment m = { .utc_ms = NOW - ms };

	if (ms < UP) {
		m.boot = HERE;
		m.boot_ms = UP - ms;
	} else {
		m.boot = 1 + ms;
	}
	return m;
}

static inline struct taf_ledger_event *add(enum taf_severity severity, uint64_t age,
					   const char *class)
{
	struct taf_ledger_event *e = &l.event[l.n_events++];

	memset(e, 0, sizeof(*e));
	e->at = ago(age);
	e->severity = (uint8_t)severity;
	snprintf(e->class, sizeof(e->class), "%s", class);
	return e;
}

static inline void panic(uint64_t age)
{
	add(TAF_SEVERITY_PANIC, age, "iogpu_panic");
}

static inline struct taf_ledger_event *abort_at(uint64_t age)
{
	struct taf_ledger_event *e = add(TAF_SEVERITY_PROCESS, age, "SIGABRT");

	e->is_abort = true;
	return e;
}

static inline const struct taf_answer *decide(enum taf_kind kind, struct taf_verdict *v)
{
	static struct taf_facts f;
	struct taf_event ev = { .kind = kind, .phase = TAF_BEGIN };
	struct taf_question ask = { &rules, &ev, &f };

	f.now = q.now;
	f.ledger = &l;
	taf_verdict_init(v);
	taf_cooldown(&ask, v);
	taf_breaker(&ask, v);
	return taf_verdict_why(v);
}

#define CASE(f) cmocka_unit_test_setup(f, setup)

#endif
