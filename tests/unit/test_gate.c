/* SPDX-License-Identifier: MIT */
/* test_gate.c -- the gate: every branch and edge, and what no input may do to it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "gate_kit.h"

static struct taf_gate g;

static void ack(uint64_t age)
{
	l.ack = ago(age);
}

static void judged(const char *reason, bool is_held, uint64_t pass_ms)
{
	taf_gate_judge(&q, &g);
	assert_string_equal(taf_gate_word(g.reason), reason);
	assert_int_equal(g.is_held, is_held);
	assert_true(g.pass_ms == pass_ms);
}

static void test_stage_one(void **state)
{
	(void)state;
	judged("none", false, 0);
	panic(2 * HOUR - 1);
	judged("cooldown", true, 1);
	assert_int_equal(g.panics_24h, 1);
	l.n_events = 0;
	panic(2 * HOUR);
	judged("expired", false, 0);
	l.n_events = 0;
	panic(24 * HOUR);
	judged("expired", false, 0);
	l.n_events = 0;
	panic(24 * HOUR + 1);
	judged("none", false, 0);
	assert_int_equal(g.panics_72h, 1);
	l.n_events = 0;
	panic(72 * HOUR + 1);
	judged("none", false, 0);
	assert_int_equal(g.panics_72h, 0);
}

static void test_lockout(void **state)
{
	(void)state;
	panic(1 * HOUR);
	panic(20 * HOUR);
	judged("lockout", true, TAF_PASS_UNKNOWN);
	assert_int_equal(taf_gate_rule(&g, &rules), TAF_RULE_cooldown_lockout_24h);
	/* W15: three allowed in a day still leaves the cooldown after the newest. */
	set("cooldown.lockout_24h", "3");
	judged("cooldown", true, HOUR);
	panic(70 * HOUR);
	judged("lockout", true, TAF_PASS_UNKNOWN);
	assert_int_equal(taf_gate_rule(&g, &rules), TAF_RULE_cooldown_lockout_72h);
	set("cooldown.max", "70h");
	judged("absolute_max", false, 0);
}

static void test_ack(void **state)
{
	(void)state;
	panic(3 * HOUR);
	panic(2 * HOUR);
	ack(HOUR);
	judged("ack", false, 0);
	ack(2 * HOUR);
	judged("ack", false, 0);
	ack(2 * HOUR + 1);
	judged("lockout", true, TAF_PASS_UNKNOWN);
	l.event[0].at = ago(71 * HOUR);
	l.event[1].at = ago(70 * HOUR);
	panic(69 * HOUR);
	ack(24 * HOUR - 1);
	judged("ack", false, 0);
	ack(24 * HOUR);
	judged("lockout", true, TAF_PASS_UNKNOWN);
	set("cooldown.ack_ttl", "25h");
	judged("ack", false, 0);
	/* W18: 5 minutes ahead are a clock, more is none. */
	l.ack = (struct taf_moment){ .utc_ms = NOW + 5 * MIN };
	judged("ack", false, 0);
	l.ack.utc_ms++;
	judged("lockout", true, TAF_PASS_UNKNOWN);
	/* It does not shorten stage 1. */
	l.n_events = 0;
	panic(HOUR);
	ack(0);
	judged("cooldown", true, HOUR);
}

static void test_the_future_is_now(void **state)
{
	struct taf_ledger_event *e = add(TAF_SEVERITY_PANIC, 0, "iogpu_panic");

	(void)state;
	e->at = (struct taf_moment){ .utc_ms = NOW + 48 * HOUR };
	judged("cooldown", true, 2 * HOUR);
	/* It was noted an hour ago: the wait runs from then, and ends. */
	e->seen = ago(HOUR - 1);
	judged("cooldown", true, HOUR + 1);
	/* The acknowledgement came later, whatever the stamp says. */
	panic(2 * HOUR);
	ack(30 * MIN);
	judged("ack", false, 0);
}

static void test_stored_hold(void **state)
{
	(void)state;
	l.hold.set = ago(10 * MIN);
	l.hold.for_ms = HOUR;
	judged("sentinel", true, 50 * MIN);
	l.hold.for_ms = 10 * MIN;
	judged("none", false, 0);
	/* cooldown.max ends it, too. */
	l.hold.for_ms = 1000 * HOUR;
	set("cooldown.max", "1h");
	judged("sentinel", true, 50 * MIN);
	/* Who has looked afterwards lifts it; who looked before has not. */
	ack(5 * MIN);
	judged("none", false, 0);
	ack(15 * MIN);
	judged("sentinel", true, 50 * MIN);
	ack(5 * MIN);
	panic(MIN);
	judged("sentinel", true, 50 * MIN);
}

static void test_by_hand_in_words(void **state)
{
	char buf[200];
	struct taf_text t;

	(void)state;
	l.hold.set = ago(10 * MIN);
	l.hold.for_ms = HOUR;
	strcpy(l.hold.why, "the fan is loud");
	judged("sentinel", true, 50 * MIN);
	assert_true(taf_gate_by_hand_ms(&q) == 50 * MIN);
	taf_text_init(&t, buf, sizeof(buf));
	taf_gate_text(&g, &q, &t);
	assert_string_equal(buf, "held by hand: the fan is loud; taffrail hold --clear");
	ack(5 * MIN);
	assert_true(taf_gate_by_hand_ms(&q) == 0);
}

/* What people said may be lost: that is no clean slate. */
static void test_lost_state(void **state)
{
	char buf[200];
	struct taf_text t;

	(void)state;
	strcpy(l.lost, "state.damaged-1764101234");
	judged("none", false, 0);
	assert_true(g.is_blind);
	set("cooldown.blind", "hold");
	judged("blind", true, TAF_PASS_UNKNOWN);
	taf_text_init(&t, buf, sizeof(buf));
	taf_gate_text(&g, &q, &t);
	assert_non_null(strstr(buf, "see state.damaged-1764101234"));
	assert_non_null(strstr(buf, "taffrail ack"));
	assert_true(strlen(buf) < TAF_ABOUT_ROOM);
}

static void test_hold_of_another_guard(void **state)
{
	(void)state;
	q.sentinel_ms = HOUR;
	judged("sentinel", true, HOUR);
	panic(5 * HOUR);
	panic(4 * HOUR);
	judged("sentinel", true, HOUR);
	ack(0);
	judged("ack", false, 0);
	assert_int_equal(g.panics_24h, 2);
	q.sentinel_ms = UINT64_MAX;
	l.ack = (struct taf_moment){ 0 };
	judged("sentinel", true, 72 * HOUR);
}

static void test_kill_switch(void **state)
{
	(void)state;
	panic(HOUR);
	panic(2 * HOUR);
	l.hold.set = ago(0);
	l.hold.for_ms = HOUR;
	set("cooldown.mode", "off");
	judged("kill_switch", false, 0);
}

static void test_dirty_boot(void **state)
{
	(void)state;
	for (uint64_t i = 1; i < 6; i++) {
		struct taf_ledger_event *e = add(TAF_SEVERITY_PANIC, i * HOUR, "dirty_boot");

		e->is_suspected = true;
	}
	judged("suspected_panic", true, HOUR);
	assert_int_equal(g.panics_24h, 0);
	set("cooldown.dirty_boot", "warn");
	judged("none", false, 0);
	set("cooldown.dirty_boot", "count");
	ack(MIN);
	judged("none", false, 0);
	ack(2 * HOUR);
	judged("suspected_panic", true, HOUR);
	/* One panic more that is known is one panic. */
	panic(3 * HOUR);
	judged("suspected_panic", true, HOUR);
	assert_int_equal(g.panics_24h, 1);
	panic(4 * HOUR);
	l.ack = (struct taf_moment){ 0 };
	judged("lockout", true, TAF_PASS_UNKNOWN);
}

static void test_scopes(void **state)
{
	struct taf_ledger_event *e;

	(void)state;
	e = add(TAF_SEVERITY_PROCESS, MIN, "xid_31");
	e->pid = 5;
	strcpy(e->model, "org/name@1");
	judged("none", false, 0);
	q.pid = 5;
	judged("cooldown", true, 9 * MIN);
	assert_int_equal(g.scope, TAF_SCOPE_MODEL);
	q.pid = 6;
	q.model = "org/name";
	judged("cooldown", true, 9 * MIN);
	e = add(TAF_SEVERITY_DEVICE, MIN, "xid_119");
	strcpy(e->device, "0000:01:00.0");
	judged("device", true, 2 * HOUR - MIN);
	assert_int_equal(g.scope, TAF_SCOPE_GPU);
	q.device = "0000:02:00.0";
	judged("cooldown", true, 9 * MIN);
	q.device = "0000:01:00.0";
	judged("device", true, 2 * HOUR - MIN);
	add(TAF_SEVERITY_MACHINE, MIN, "xid_79");
	judged("machine", true, TAF_PASS_UNKNOWN);
	ack(0);
	judged("none", false, 0);
	/* A reboot has ended what was before it. */
	ack(TAF_DAY_MS);
	q.now.boot = HERE + 1;
	judged("none", false, 0);
}

static void test_classes_of_the_policy(void **state)
{
	(void)state;
	add(TAF_SEVERITY_MACHINE, MIN, "xid_79");
	set("cooldown.classes", "79:0");
	judged("none", false, 0);
	set("cooldown.classes", "xid_79:5");
	judged("cooldown", true, 2 * HOUR - MIN);
	assert_int_equal(g.panics_24h, 1);
	l.n_events = 0;
	panic(HOUR);
	set("cooldown.classes", "iogpu_panic:1");
	judged("none", false, 0);
}

static void test_storms(void **state)
{
	(void)state;
	abort_at(9 * MIN);
	abort_at(7 * MIN);
	judged("none", false, 0);
	abort_at(4 * MIN);
	judged("aborts", true, 6 * MIN);
	assert_int_equal(g.panics_24h, 0);
	assert_int_equal(taf_gate_rule(&g, &rules), TAF_RULE_aborts_threshold);
	/* The hold runs from the last of the storm. */
	l.n_events = 2;
	abort_at(4 * MIN - 1);
	judged("none", false, 0);
	l.n_events = 0;
	for (int i = 0; i < 3; i++)
		abort_at(10 * MIN);
	judged("none", false, 0);
	for (int i = 0; i < 3; i++)
		l.event[i].at = ago(10 * MIN - 1);
	judged("aborts", true, 1);
	ack(0);
	judged("none", false, 0);
	ack(TAF_DAY_MS);
	set("cooldown.classes", "SIGABRT:0");
	judged("none", false, 0);
}

static void test_others_and_blindness(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		add(TAF_SEVERITY_PANIC, MIN, "iogpu_panic")->is_elsewhere = true;
		abort_at(MIN)->is_elsewhere = true;
	}
	judged("none", false, 0);
	l.is_blind = true;
	judged("none", false, 0);
	assert_true(g.is_blind);
	set("cooldown.blind", "hold");
	judged("blind", true, TAF_PASS_UNKNOWN);
}

static void test_clock_steps(void **state)
{
	static const int64_t steps[] = { TAF_DAY_MS, -(int64_t)TAF_DAY_MS };

	(void)state;
	/* In one boot the wall clock does not count at all. */
	panic(30 * MIN);
	for (int i = 0; i < 2; i++) {
		q.now.utc_ms = NOW + (uint64_t)steps[i];
		judged("cooldown", true, 90 * MIN);
	}
	/* After a reboot a step back never blocks longer than once from now. */
	l.event[0].at.boot = 1;
	q.now.utc_ms = NOW - TAF_DAY_MS;
	judged("cooldown", true, HOUR); /* it cannot be younger than this boot */
}

/* ---- as a rule ---- */

static void test_as_a_rule(void **state)
{
	struct taf_verdict v;
	const struct taf_answer *a;

	(void)state;
	assert_null(decide(TAF_LOAD, &v));
	panic(30 * MIN);
	a = decide(TAF_LOAD, &v);
	assert_int_equal(v.action, TAF_ACT_WARN);
	assert_int_equal(a->rule, TAF_RULE_cooldown_stage1_ms);
	assert_true(a->have == 30 * MIN && a->need == 2 * HOUR && a->pass_ms == 90 * MIN);
	assert_string_equal(
		a->about,
		"cooldown: 1 panic in 24 h, 1 in 72 h; the last: iogpu_panic 30m 00s ago");
	set("cooldown.on_hold", "wait");
	decide(TAF_START, &v);
	assert_int_equal(v.action, TAF_ACT_WAIT);
	assert_int_equal(v.wait_ms, 10 * MIN);
	set("cooldown.max_wait", "0s");
	decide(TAF_START, &v);
	assert_int_equal(v.action, TAF_ACT_REFUSE);
	set("cooldown.on_hold", "exit");
	decide(TAF_LOAD, &v);
	assert_int_equal(v.action, TAF_ACT_REFUSE);
	assert_null(decide(TAF_INFER, &v));
	assert_null(decide(TAF_ALLOC, &v));
}

/* ---- what holds for any input ---- */

static uint64_t seed = 88172645463325252ull;

static uint64_t any(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static struct taf_moment any_moment(void)
{
	struct taf_moment m = { .utc_ms = NOW - 80 * HOUR + any(100 * HOUR) };

	if (any(3)) {
		m.boot = any(2) ? HERE : any(5);
		m.boot_ms = any(2 * UP);
	}
	return m;
}

static void any_ledger(void)
{
	static const char *const classes[] = { "iogpu_panic", "xid_79", "unknown", "" };

	memset(&l, 0, sizeof(l));
	l.ack = any(2) ? any_moment() : (struct taf_moment){ 0 };
	l.n_events = (uint32_t)any(12);
	for (uint32_t i = 0; i < l.n_events; i++) {
		struct taf_ledger_event *e = &l.event[i];

		e->at = any_moment();
		e->seen = any(2) ? any_moment() : (struct taf_moment){ 0 };
		e->severity = (uint8_t)(1 + any(5));
		e->is_suspected = !any(4);
		e->is_abort = !any(4);
		snprintf(e->class, sizeof(e->class), "%s", classes[any(4)]);
	}
}

/* However bad: a hold that passes does so within cooldown.max; nothing is younger
 * than now; one event more, without an acknowledgement, never opens the gate. */
static void test_any_input(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct taf_gate before;

		any_ledger();
		taf_gate_judge(&q, &before);
		if (before.is_held && before.pass_ms != TAF_PASS_UNKNOWN)
			assert_true(before.pass_ms <= rules.cooldown_max_ms);
		assert_true(before.is_held == (before.pass_ms != 0));
		assert_true(before.panics_24h <= before.panics_72h);
		l.ack = (struct taf_moment){ 0 };
		taf_gate_judge(&q, &before);
		add((enum taf_severity)(1 + any(5)), any(2 * HOUR), "iogpu_panic");
		taf_gate_judge(&q, &g);
		if (before.is_held && g.reason != TAF_GATE_ABSOLUTE_MAX)
			assert_true(g.is_held && g.pass_ms >= before.pass_ms);
	}
}

/* Time alone never makes it stricter (a lockout that ends gives way to stage 1). */
static void test_time_helps(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct taf_gate before;
		uint64_t step = any(HOUR);

		any_ledger();
		l.ack = (struct taf_moment){ 0 };
		for (uint32_t k = 0; k < l.n_events; k++)
			if (l.event[k].at.utc_ms > NOW || l.event[k].at.boot_ms > UP)
				l.event[k].at = ago(any(80 * HOUR));
		taf_gate_judge(&q, &before);
		q.now.utc_ms += step;
		q.now.boot_ms += step;
		taf_gate_judge(&q, &g);
		q.now.utc_ms -= step;
		q.now.boot_ms -= step;
		if (!before.is_held && before.reason != TAF_GATE_ABSOLUTE_MAX)
			assert_false(g.is_held);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_stage_one),
		CASE(test_lockout),
		CASE(test_ack),
		CASE(test_the_future_is_now),
		CASE(test_stored_hold),
		CASE(test_hold_of_another_guard),
		CASE(test_by_hand_in_words),
		CASE(test_lost_state),
		CASE(test_kill_switch),
		CASE(test_dirty_boot),
		CASE(test_scopes),
		CASE(test_classes_of_the_policy),
		CASE(test_storms),
		CASE(test_others_and_blindness),
		CASE(test_clock_steps),
		CASE(test_as_a_rule),
		CASE(test_any_input),
		CASE(test_time_helps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
