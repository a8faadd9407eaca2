/* SPDX-License-Identifier: MIT */
/* test_policy_blob.c -- the compiled form of a policy: what is taken, and what is refused. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/policy_blob.h"
#include "../../policy/value.h"

static char why_buf[2048];
static struct taf_text why;

static struct taf_text *fresh(void)
{
	taf_text_init(&why, why_buf, sizeof(why_buf));
	return &why;
}

static void refuses_strangers(void **state)
{
	struct taf_policy *p = calloc(2, sizeof(*p));
	size_t n;

	(void)state;
	assert_non_null(p);
	taf_policy_builtin(p);
	n = taf_policy_bytes(p);
	assert_int_equal(n, TAF_POLICY_LEAST);
	assert_true(taf_policy_is_valid(p, n, fresh()));
	assert_false(taf_policy_is_valid(p, 0, fresh()));
	assert_false(taf_policy_is_valid(p, 16, fresh()));
	assert_false(taf_policy_is_valid(p, n - 1, fresh()));
	assert_false(taf_policy_is_valid(p, n + 1, fresh()));
	p->base.drain_every_submits++;
	assert_false(taf_policy_is_valid(p, n, fresh()));
	assert_non_null(strstr(why_buf, "damaged"));
	taf_policy_seal(p);
	assert_true(taf_policy_is_valid(p, n, NULL));
	p->version++;
	assert_false(taf_policy_is_valid(p, n, fresh()));
	assert_non_null(strstr(why_buf, "version"));
	taf_policy_seal(p);
	p->layout ^= 1;
	assert_false(taf_policy_is_valid(p, n, fresh()));
	taf_policy_seal(p);
	p->n_profiles = 1;
	assert_false(taf_policy_is_valid(p, n, fresh()));
	taf_policy_seal(p);
	assert_false(taf_policy_is_valid(p, n, fresh()));
	assert_true(taf_policy_is_valid(p, n + sizeof(p->profiles[0]), fresh()));
	assert_false(taf_policy_is_valid(p, TAF_POLICY_MOST, fresh()));
	p->profiles[0].line[0]++;
	assert_false(taf_policy_is_valid(p, n + sizeof(p->profiles[0]), fresh()));
	p->n_profiles = 9;
	taf_policy_seal(p);
	assert_int_equal(taf_policy_bytes(p), TAF_POLICY_MOST);
	assert_false(taf_policy_is_valid(p, TAF_POLICY_MOST, fresh()));
	p->n_profiles = 0;
	memset(p->path, 'x', sizeof(p->path));
	taf_policy_seal(p);
	assert_false(taf_policy_is_valid(p, n, fresh()));
	free(p);
}

/* Sealed again after a change: what is left to refuse it is the value itself. */
static bool is_taken(struct taf_policy *p)
{
	bool is_valid;

	taf_policy_seal(p);
	is_valid = taf_policy_is_valid(p, taf_policy_bytes(p), fresh());
	if (!is_valid)
		assert_non_null(strstr(why_buf, "damaged"));
	return is_valid;
}

/* A member filled with 0xef is no value of any type: a count, a word, a number or
 * a kind out of range, a text without an end. */
static void every_row_is_looked_at(void **state)
{
	struct taf_policy *p = calloc(1, sizeof(*p));
	struct taf_profile *f;

	(void)state;
	assert_non_null(p);
	taf_policy_builtin(p);
	f = &p->profiles[0];
	taf_rules_default(&f->rules);
	p->n_profiles = 1;
	assert_true(is_taken(p));
	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		const struct taf_rule_info *row = taf_rule_info(i);

		memset((unsigned char *)&p->base + row->offset, 0xef, row->bytes);
		assert_false(is_taken(p));
		taf_rules_default_one(&p->base, i);
		memset((unsigned char *)&f->rules + row->offset, 0xef, row->bytes);
		assert_true(is_taken(p)); /* nobody reads it */
		taf_profile_mark(f, i);
		assert_false(is_taken(p));
		taf_rules_default_one(&f->rules, i);
		assert_true(is_taken(p));
		p->origin[i] = TAF_FROM_ENV;
		assert_false(is_taken(p));
		p->origin[i] = TAF_FROM_FILE;
		assert_true(is_taken(p));
	}
	free(p);
}

/* One step beyond the end of what is allowed. */
static void edges_of_a_blob(void **state)
{
	struct taf_policy *p = calloc(1, sizeof(*p));
	struct taf_rules *r;

	(void)state;
	assert_non_null(p);
	taf_policy_builtin(p);
	r = &p->base;
#define REFUSED(change, back) \
	do { \
		change; \
		assert_false(is_taken(p)); \
		back; \
		assert_true(is_taken(p)); \
	} while (0)
	r->env_set.n = 32;
	assert_true(is_taken(p));
	REFUSED(r->env_set.n = 33, r->env_set.n = 32);
	REFUSED(r->env_set.n = 100000000, r->env_set.n = 32);
	REFUSED(memset(r->env_set.at[31].name, 'x', 64), r->env_set.at[31].name[63] = 0);
	REFUSED(memset(r->env_set.at[31].value, 'x', 128), r->env_set.at[31].value[127] = 0);
	r->env_set.n = 31;
	memset(r->env_set.at[31].name, 'x', 64);
	assert_true(is_taken(p));
	REFUSED(memset(r->drain_no_clear.at[0].versions, 'x', 64),
		r->drain_no_clear.at[0].versions[63] = 0);
	REFUSED(r->cooldown_classes.at[0].severity = 6;
		r->cooldown_classes.n = 1, r->cooldown_classes.at[0].severity = 5);
	REFUSED(r->lock_also.n = 9, r->lock_also.n = 8);
	REFUSED(memset(r->crumbs_dir, '/', 256), r->crumbs_dir[255] = 0);
	REFUSED(r->mode = TAF_MODE_OFF + 1, r->mode = TAF_MODE_OFF);
	/* A word of its type, but none that the row takes. */
	REFUSED(r->lock_on_conflict = TAF_ON_EXIT, r->lock_on_conflict = TAF_ON_REFUSE);
	REFUSED(r->exit_deadline_ms = 600001, r->exit_deadline_ms = 600000);
	REFUSED(r->exit_deadline_ms = 0, r->exit_deadline_ms = 1);
	REFUSED(r->memory_warn_pct = 101, r->memory_warn_pct = 100);
	REFUSED(r->memory_oom_score_adj = -1001, r->memory_oom_score_adj = -1000);
	REFUSED(r->crumbs_ring_size = 1, r->crumbs_ring_size = 1 << 20);
	REFUSED(r->memory_limit.is = TAF_AMOUNT_SWALLOW, r->memory_limit.is = TAF_AMOUNT_NONE);
	REFUSED(r->exit_signals = 1ull << (SIGKILL - 1), r->exit_signals = 1ull << (SIGTERM - 1));
	REFUSED(memset(p->profiles[7].argv, 'x', TAF_GLOB_ROOM);
		p->n_profiles = 8, p->profiles[7].argv[TAF_GLOB_ROOM - 1] = 0);
	REFUSED(memset(p->profiles[0].name, 'x', TAF_NAME_ROOM), p->profiles[0].name[0] = 0);
	REFUSED(p->profiles[1].role = TAF_ROLE_COUNT, p->profiles[1].role = 0);
	REFUSED(p->n_profiles = 9, p->n_profiles = 8);
#undef REFUSED
	free(p);
}

/* One flipped bit anywhere is noticed. */
static void every_bit_counts(void **state)
{
	struct taf_policy *p = calloc(1, sizeof(*p));

	(void)state;
	assert_non_null(p);
	taf_policy_builtin(p);
	p->n_profiles = TAF_PROFILES;
	taf_policy_seal(p);
	for (size_t at = 0; at < TAF_POLICY_MOST; at += at < 64 ? 1 : 997) {
		unsigned char *byte = (unsigned char *)p + at;

		*byte ^= 4;
		assert_false(taf_policy_is_valid(p, taf_policy_bytes(p), NULL));
		*byte ^= 4;
	}
	assert_true(taf_policy_is_valid(p, taf_policy_bytes(p), NULL));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_strangers),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(every_row_is_looked_at),
		cmocka_unit_test(edges_of_a_blob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
