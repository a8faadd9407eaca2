/* SPDX-License-Identifier: MIT */
/* test_cadence.c -- moments and their ages, the time between loads, pauses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/ledger.h"
#include "../../policy/policy.h"

#define BOOT 7
#define OTHER_BOOT 8
#define UP_MS (10ull * TAF_DAY_MS)
#define UTC_MS 2000000000000ull

static const struct taf_moment now = { BOOT, UP_MS, UTC_MS };

static struct taf_rules rules;
static struct taf_ledger ledger;
static struct taf_event event;
static struct taf_facts facts;
static struct taf_verdict v;

static struct taf_moment ago(uint64_t ms)
{
	return (struct taf_moment){ BOOT, UP_MS - ms, UTC_MS - ms };
}

static int begin(void **state)
{
	(void)state;
	taf_rules_default(&rules);
	rules.cadence_on_violation = TAF_ON_REFUSE;
	memset(&ledger, 0, sizeof(ledger));
	event = (struct taf_event){ .kind = TAF_LOAD, .phase = TAF_BEGIN, .model = "tiny" };
	facts = (struct taf_facts){ .now = now, .ledger = &ledger };
	return 0;
}

static void stamp(const char *id, enum taf_kind kind, struct taf_moment at)
{
	struct taf_ledger_stamp s = {
		.id = id, .kind = kind, .now = at, .keep_ms = 20ull * TAF_DAY_MS
	};

	taf_ledger_mark(&ledger, &s);
}

static const struct taf_answer *asked(taf_rule_fn *rule)
{
	struct taf_question q = { &rules, &event, &facts };

	taf_verdict_init(&v);
	rule(&q, &v);
	return taf_verdict_why(&v);
}

/* ---- moments ---- */

static void an_age_is_never_negative(void **state)
{
	struct taf_moment m = { 0, 0, 0 };

	(void)state;
	assert_true(taf_moment_age_ms(&m, &now) == UINT64_MAX);
	m = ago(5000);
	assert_int_equal(taf_moment_age_ms(&m, &now), 5000);
	/* In this boot the time of day does not count, whatever it was set to. */
	m.utc_ms = UTC_MS + TAF_DAY_MS;
	assert_int_equal(taf_moment_age_ms(&m, &now), 5000);
	m.utc_ms = 1;
	assert_int_equal(taf_moment_age_ms(&m, &now), 5000);
	m = (struct taf_moment){ BOOT, UP_MS + 1, UTC_MS };
	assert_int_equal(taf_moment_age_ms(&m, &now), 0);
	/* Without a boot only the time of day is left. */
	m = (struct taf_moment){ 0, 0, UTC_MS + TAF_DAY_MS };
	assert_int_equal(taf_moment_age_ms(&m, &now), 0);
	m.utc_ms = UTC_MS - 70;
	assert_int_equal(taf_moment_age_ms(&m, &now), 70);
}

static void another_boot_is_older_than_this_one(void **state)
{
	struct taf_moment m = { OTHER_BOOT, 3, UTC_MS + TAF_DAY_MS };

	(void)state;
	assert_int_equal(taf_moment_age_ms(&m, &now), UP_MS);
	m.utc_ms = UTC_MS - 2 * UP_MS;
	assert_int_equal(taf_moment_age_ms(&m, &now), 2 * UP_MS);
}

static void a_boot_id_becomes_a_number(void **state)
{
	(void)state;
	assert_true(taf_boot_key("0123456789abcdef0123456789abcdef") == 0x0123456789abcdefull);
	assert_true(taf_boot_key("01234567-89AB-cdef-0123-456789abcdef") == 0x0123456789abcdefull);
	assert_true(taf_boot_key("0123456789abcde") == 0);
	assert_true(taf_boot_key("0123456789abcdeg") == 0);
	assert_true(taf_boot_key("") == 0);
	assert_true(taf_boot_key(NULL) == 0);
}

/* ---- cadence ---- */

static void the_latest_deed_counts(void **state)
{
	static const enum taf_kind deeds[] = { TAF_LOAD, TAF_INFER, TAF_UNLOAD };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct taf_answer *a;

		begin(NULL);
		for (size_t k = 0; k < 3; k++)
			stamp("tiny", deeds[k], ago(k == i ? 1000 : 500000));
		a = asked(taf_cadence);
		assert_non_null(a);
		assert_int_equal(a->rule, TAF_RULE_cadence_same_model_ms);
		assert_int_equal(a->have, 1000);
		assert_int_equal(a->need, 180000);
		assert_int_equal(a->pass_ms, 179000);
		assert_string_equal(a->about, "tiny");
	}
}

static void the_edge_passes(void **state)
{
	(void)state;
	stamp("tiny", TAF_LOAD, ago(180000));
	assert_null(asked(taf_cadence));
	begin(NULL);
	stamp("tiny", TAF_LOAD, ago(179999));
	assert_non_null(asked(taf_cadence));
	begin(NULL);
	stamp("other", TAF_LOAD, ago(60000));
	assert_null(asked(taf_cadence));
	begin(NULL);
	stamp("other", TAF_LOAD, ago(59999));
	assert_int_equal(asked(taf_cadence)->rule, TAF_RULE_cadence_cross_model_ms);
}

static void a_revision_is_the_same_model(void **state)
{
	(void)state;
	event.model = "org/tiny@0123abcd";
	stamp("org/tiny@fedc9876", TAF_LOAD, ago(100));
	assert_int_equal(asked(taf_cadence)->rule, TAF_RULE_cadence_same_model_ms);
	begin(NULL);
	event.model = "org/tiny";
	stamp("org/tiny-2", TAF_LOAD, ago(100));
	assert_int_equal(asked(taf_cadence)->rule, TAF_RULE_cadence_cross_model_ms);
}

/* Of several the one that keeps the load back longest names the answer. */
static void the_longest_gap_wins(void **state)
{
	(void)state;
	assert_int_equal(taf_rules_set(&rules, "cadence.families", "*slow*:300s:0s", NULL), 0);
	stamp("quick", TAF_LOAD, ago(1000)); /* 59 s left */
	stamp("a-slow-one", TAF_LOAD, ago(100000)); /* 200 s left */
	assert_string_equal(asked(taf_cadence)->about, "a-slow-one");
	assert_int_equal(asked(taf_cadence)->need, 300000);
	assert_int_equal(asked(taf_cadence)->pass_ms, 200000);
}

static void what_is_no_load_of_its_own_passes(void **state)
{
	(void)state;
	stamp("tiny", TAF_LOAD, ago(1));
	event.is_companion = true;
	assert_null(asked(taf_cadence));
	begin(NULL);
	stamp("tiny", TAF_LOAD, ago(1));
	event.model = "";
	assert_null(asked(taf_cadence));
	event.model = NULL;
	assert_null(asked(taf_cadence));
	event.model = "tiny";
	facts.ledger = NULL;
	assert_null(asked(taf_cadence));
	facts.ledger = &ledger;
	event.kind = TAF_UNLOAD;
	assert_null(asked(taf_cadence));
	event.kind = TAF_LOAD;
	event.phase = TAF_END;
	assert_null(asked(taf_cadence));
	event.phase = TAF_BEGIN;
	assert_non_null(asked(taf_cadence));
}

/* A wait ends with max_wait, and then the load is let through with a remark. */
static void a_wait_has_an_end(void **state)
{
	(void)state;
	rules.cadence_on_violation = TAF_ON_WAIT;
	rules.cadence_max_wait_ms = 30000;
	stamp("tiny", TAF_LOAD, ago(170000));
	asked(taf_cadence);
	assert_int_equal(v.action, TAF_ACT_WAIT);
	assert_int_equal(v.wait_ms, 10000);
	begin(NULL);
	rules.cadence_on_violation = TAF_ON_WAIT;
	rules.cadence_max_wait_ms = 30000;
	stamp("tiny", TAF_LOAD, ago(1000));
	asked(taf_cadence);
	assert_int_equal(v.wait_ms, 30000);
	facts.waited_ms = 29000;
	asked(taf_cadence);
	assert_int_equal(v.action, TAF_ACT_WAIT);
	assert_int_equal(v.wait_ms, 1000);
	facts.waited_ms = 30000;
	asked(taf_cadence);
	assert_int_equal(v.action, TAF_ACT_WARN);
	assert_int_equal(v.wait_ms, 0);
}

static void a_clock_that_was_set_changes_nothing(void **state)
{
	(void)state;
	stamp("tiny", TAF_LOAD, ago(100000));
	for (int step = -1; step <= 1; step++) {
		facts.now.utc_ms = UTC_MS + (uint64_t)((int64_t)step * (int64_t)TAF_DAY_MS);
		assert_int_equal(asked(taf_cadence)->have, 100000);
	}
	/* From another boot with a clock a day ahead: no longer than since this boot began. */
	begin(NULL);
	facts.now.boot_ms = 20000;
	stamp("tiny", TAF_LOAD, (struct taf_moment){ OTHER_BOOT, 1, UTC_MS + TAF_DAY_MS });
	assert_int_equal(asked(taf_cadence)->have, 20000);
	facts.now.boot_ms = 180000;
	assert_null(asked(taf_cadence));
}

/* ---- pauses ---- */

static void a_load_waits_for_what_was_given_up(void **state)
{
	(void)state;
	stamp("other", TAF_UNLOAD, ago(500));
	assert_null(asked(taf_settle)); /* off unless a policy says otherwise */
	rules.drain_settle_after_unload_ms = 2000;
	assert_int_equal(asked(taf_settle)->rule, TAF_RULE_drain_settle_after_unload_ms);
	assert_int_equal(v.action, TAF_ACT_WAIT);
	assert_int_equal(v.wait_ms, 1500);
	/* Four times as long after what held more than half of the device. */
	facts.memory.total = 64ull << 30;
	ledger.model[0].bytes = 33ull << 30;
	asked(taf_settle);
	assert_int_equal(v.wait_ms, 7500);
	ledger.model[0].bytes = 32ull << 30;
	asked(taf_settle);
	assert_int_equal(v.wait_ms, 1500);
	event.is_companion = true;
	assert_null(asked(taf_settle));
	event.is_companion = false;
	facts.now.boot_ms += 1500;
	assert_null(asked(taf_settle));
}

static void a_family_pauses_before_its_first_generation(void **state)
{
	(void)state;
	assert_int_equal(taf_rules_set(&rules, "cadence.families", "*gemma-4*:90s:3s", NULL), 0);
	event = (struct taf_event){ .kind = TAF_INFER,
				    .phase = TAF_BEGIN,
				    .is_first = true,
				    .model = "mlx-community/gemma-4-31b-it-8bit" };
	assert_int_equal(asked(taf_settle)->rule, TAF_RULE_cadence_families);
	assert_int_equal(v.wait_ms, 3000);
	assert_int_equal(v.drain, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM);
	facts.waited_ms = 1000;
	asked(taf_settle);
	assert_int_equal(v.wait_ms, 2000);
	facts.waited_ms = 3000;
	assert_null(asked(taf_settle));
	facts.waited_ms = 0;
	event.is_first = false;
	assert_null(asked(taf_settle));
	assert_int_equal(v.drain, 0);
	event.is_first = true;
	event.model = "tiny";
	assert_null(asked(taf_settle));
}

/* ---- words ---- */

static void an_answer_says_what_was_compared(void **state)
{
	char buf[160];
	struct taf_text t;
	struct taf_answer a = {
		.unit = TAF_UNIT_MS, .have = 12000, .need = 180000, .pass_ms = 168000
	};

	(void)state;
	strcpy(a.about, "org/other");
	taf_text_init(&t, buf, sizeof(buf));
	taf_answer_text(&a, &t);
	assert_string_equal(buf, "12.0s of 3m 00s, org/other, passes in 2m 48s");
	a = (struct taf_answer){ .unit = TAF_UNIT_BYTES,
				 .have = 2ull << 30,
				 .need = 3ull << 30,
				 .pass_ms = TAF_PASS_UNKNOWN };
	taf_text_init(&t, buf, sizeof(buf));
	taf_answer_text(&a, &t);
	assert_string_equal(buf, "needs 3.0 GiB, has 2.0 GiB");
	a = (struct taf_answer){ .pass_ms = TAF_PASS_UNKNOWN };
	strcpy(a.about, "kernel_panic");
	taf_text_init(&t, buf, sizeof(buf));
	taf_answer_text(&a, &t);
	assert_string_equal(buf, "kernel_panic");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_age_is_never_negative),
		cmocka_unit_test(another_boot_is_older_than_this_one),
		cmocka_unit_test(a_boot_id_becomes_a_number),
		cmocka_unit_test_setup(the_latest_deed_counts, begin),
		cmocka_unit_test_setup(the_edge_passes, begin),
		cmocka_unit_test_setup(a_revision_is_the_same_model, begin),
		cmocka_unit_test_setup(the_longest_gap_wins, begin),
		cmocka_unit_test_setup(what_is_no_load_of_its_own_passes, begin),
		cmocka_unit_test_setup(a_wait_has_an_end, begin),
		cmocka_unit_test_setup(a_clock_that_was_set_changes_nothing, begin),
		cmocka_unit_test_setup(a_load_waits_for_what_was_given_up, begin),
		cmocka_unit_test_setup(a_family_pauses_before_its_first_generation, begin),
		cmocka_unit_test(an_answer_says_what_was_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
