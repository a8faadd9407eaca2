/* SPDX-License-Identifier: MIT */
/* test_rules.c -- every row of rules.def, the built-in policy and profiles. */
#include <errno.h>
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

#define ROOM 16384

static char shown[ROOM], why_buf[2048];
static struct taf_text why;

static const char *show(const struct taf_rules *r, int rule)
{
	struct taf_text t;

	taf_text_init(&t, shown, sizeof(shown));
	taf_rules_show(r, rule, &t);
	return shown;
}

static struct taf_text *fresh(void)
{
	taf_text_init(&why, why_buf, sizeof(why_buf));
	return &why;
}

static void rows_are_whole(void **state)
{
	(void)state;
	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		const struct taf_rule_info *row = taf_rule_info(i);
		struct taf_text t;

		assert_non_null(memchr(row->path, 0, sizeof(row->path)));
		assert_non_null(memchr(row->dflt, 0, sizeof(row->dflt)));
		assert_non_null(memchr(row->min, 0, sizeof(row->min)));
		assert_non_null(memchr(row->max, 0, sizeof(row->max)));
		assert_non_null(memchr(row->text, 0, sizeof(row->text)));
		assert_true(row->text[0] && row->path[0]);
		assert_int_equal(taf_rule_of(row->path), i);
		taf_text_init(&t, shown, sizeof(shown));
		taf_rule_range(i, &t);
		assert_true(t.used > 0);
	}
	assert_null(taf_rule_info(-1));
	assert_null(taf_rule_info(TAF_RULE_COUNT));
}

/* A default that its own row refuses would leave zeroes behind, silently. */
static void defaults_are_in_range(void **state)
{
	struct taf_rules r, s;

	(void)state;
	taf_rules_default(&r);
	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		const struct taf_rule_info *row = taf_rule_info(i);
		const unsigned char *mine = (const unsigned char *)&r + row->offset;

		memset(&s, 0, sizeof(s));
		assert_int_equal(taf_rules_set(&s, row->path, row->dflt, fresh()), 0);
		assert_memory_equal((unsigned char *)&s + row->offset, mine, row->bytes);
		memset(&s, 0, sizeof(s));
		assert_int_equal(taf_rules_set(&s, row->path, show(&r, i), fresh()), 0);
		assert_memory_equal((unsigned char *)&s + row->offset, mine, row->bytes);
	}
}

/* Both ends of a range are inside it, and what lies beyond is refused and changes nothing. */
static void bounds_hold(void **state)
{
	struct taf_rules r, before;

	(void)state;
	taf_rules_default(&r);
	before = r;
	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		const struct taf_rule_info *row = taf_rule_info(i);

		if (row->min[0]) {
			assert_int_equal(taf_rules_set(&r, row->path, row->min, fresh()), 0);
			assert_int_equal(taf_rules_set(&r, row->path, row->max, fresh()), 0);
		}
		r = before;
		assert_true(taf_rules_set(&r, row->path, "\001nonsense", fresh()) < 0);
		assert_true(why.used > 0);
		assert_memory_equal(&r, &before, sizeof(r));
		if (row->type == TAF_TYPE_MS) {
			assert_int_equal(taf_rules_set(&r, row->path, "4000d", fresh()), -ERANGE);
			assert_non_null(strstr(why_buf, row->max));
		} else if (row->type == TAF_TYPE_INT) {
			assert_int_equal(taf_rules_set(&r, row->path, "4294967297", fresh()),
					 -ERANGE);
			assert_int_equal(taf_rules_set(&r, row->path, "-1", fresh()), -ERANGE);
		} else if (row->type == TAF_TYPE_PCT) {
			assert_int_equal(taf_rules_set(&r, row->path, "101%", fresh()), -ERANGE);
		}
		assert_memory_equal(&r, &before, sizeof(r));
	}
}

static void builtin_only_warns(void **state)
{
	struct taf_rules r;
	int n = 0;

	(void)state;
	taf_rules_default(&r);
	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		if (taf_rule_info(i)->type != TAF_TYPE_ON)
			continue;
		assert_string_equal(show(&r, i), "warn");
		n++;
	}
	assert_true(n >= 9);
	assert_int_equal(r.mode, TAF_MODE_ENFORCE);
	assert_true(r.drain_before_unload && r.drain_between_models && r.drain_at_exit);
	assert_false(r.drain_pre_clear || r.drain_post_sync || r.drain_post_clear ||
		     r.drain_serialize);
	assert_int_equal(r.drain_every_submits, 0);
	assert_int_equal(r.drain_settle_after_unload_ms, 0);
	assert_int_equal(r.drain_deadline_ms, 2000);
	assert_int_equal(r.drain_idle_ms, 250);
	assert_int_equal(r.exit_deadline_ms, 3000);
	assert_int_equal(r.exit_signals, 0);
	assert_int_equal(r.watch_action, TAF_WATCH_LOG);
	assert_int_equal(r.limits_wired.is, TAF_AMOUNT_NONE);
	assert_int_equal(r.cadence_same_model_ms, 180000);
	assert_int_equal(r.crumbs_keep_bytes, 256ull << 20);
	assert_false(r.strict || r.trace || r.state_guard);
}

static void unknown_paths(void **state)
{
	static const struct {
		const char *typed, *meant;
	} near[] = {
		{ "drain.post_synk", "drain.post_sync" },
		{ "drian.post_sync", "drain.post_sync" },
		{ "post_sync", "drain.post_sync" },
		{ "mod", "mode" },
		{ "crumb.ring", "crumbs.ring" },
		{ "cooldwon.stage1", "cooldown.stage1" },
		{ "drian", "drain" },
	};
	struct taf_rules r;

	(void)state;
	taf_rules_default(&r);
	for (size_t i = 0; i < sizeof(near) / sizeof(*near); i++) {
		assert_int_equal(taf_rules_set(&r, near[i].typed, "on", fresh()), -ENOENT);
		assert_non_null(strstr(why_buf, near[i].meant));
		assert_non_null(strstr(why_buf, "did you mean"));
	}
	assert_int_equal(taf_rules_set(&r, "completely.elsewhere", "on", fresh()), -ENOENT);
	assert_null(strstr(why_buf, "did you mean"));
	assert_int_equal(taf_rules_set(&r, "nope", "on", fresh()), -ENOENT);
	assert_null(strstr(why_buf, "did you mean"));
	assert_int_equal(taf_rules_set(&r, "", "on", fresh()), -ENOENT);
	assert_int_equal(taf_rules_set(&r, "drain", "on", fresh()), -ENOENT);
	assert_int_equal(taf_rules_set(&r, "drain.post_sync.x", "on", NULL), -ENOENT);
}

static void lists(void **state)
{
	struct taf_rules r;

	(void)state;
	taf_rules_default(&r);
	assert_int_equal(taf_rules_set(&r, "env.set.GGML_X", "a,b=c\\d", fresh()), 0);
	assert_int_equal(taf_rules_set(&r, "env.set.B", "", fresh()), 0);
	assert_int_equal(taf_rules_set(&r, "env.set.GGML_X", "2,\\", fresh()), 0);
	assert_int_equal(r.env_set.n, 2);
	assert_string_equal(r.env_set.at[0].value, "2,\\");
	assert_string_equal(show(&r, TAF_RULE_env_set), "GGML_X=2\\,\\\\,B=");
	assert_int_equal(taf_rules_set(&r, "env.set", "X=1,Y", fresh()), -EINVAL);
	assert_int_equal(taf_rules_set(&r, "env.set.LD_PRELOAD", "x", fresh()), -EINVAL);
	assert_int_equal(taf_rules_set(&r, "env.set.1X", "x", fresh()), -EINVAL);
	assert_int_equal(r.env_set.n, 2);
	assert_int_equal(taf_rules_set(&r, "cadence.families", "g*:90s:3s,x:y:1m:0s", fresh()), 0);
	assert_int_equal(r.cadence_families.n, 2);
	assert_string_equal(r.cadence_families.at[1].name, "x:y");
	assert_int_equal(r.cadence_families.at[0].floor_ms, 90000);
	assert_int_equal(r.cadence_families.at[0].settle_ms, 3000);
	assert_int_equal(taf_rules_set(&r, "cooldown.classes.xid_79", "5", fresh()), 0);
	assert_int_equal(taf_rules_set(&r, "cooldown.classes.xid_79", "6", fresh()), -EINVAL);
	assert_int_equal(r.cooldown_classes.at[0].severity, 5);
	assert_int_equal(taf_rules_set(&r, "lock.also", "metal-guard,/a/b", fresh()), 0);
	assert_int_equal(r.lock_also.n, 2);
	assert_int_equal(taf_rules_set(&r, "lock.also", "metalguard", fresh()), -EINVAL);
	assert_int_equal(taf_rules_set(&r, "drain.no_clear", "mlx:banana", fresh()), -EINVAL);
	assert_int_equal(taf_rules_set(&r, "drain.no_clear", "mlx:==1.x", fresh()), -EINVAL);
	assert_int_equal(taf_rules_set(&r, "drain.no_clear", "mlx:==0.31.*", fresh()), 0);
	/* Of one engine all that is written counts, and the same twice is one. */
	assert_int_equal(taf_rules_set(&r, "drain.no_clear", "mlx:==1,mlx:<0.9,mlx:==1", fresh()),
			 0);
	assert_int_equal(r.drain_no_clear.n, 2);
	assert_string_equal(r.drain_no_clear.at[0].versions, "==1");
	assert_string_equal(r.drain_no_clear.at[1].versions, "<0.9");
	assert_int_equal(taf_rules_set(&r, "drain.no_clear", "none", fresh()), 0);
	assert_int_equal(r.drain_no_clear.n, 0);
}

static void full_lists(void **state)
{
	char path[64] = "env.set.V00", big[300];
	struct taf_rules r;

	(void)state;
	taf_rules_default(&r);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(taf_rules_set(&r, "env.set.BIG", big, fresh()), -ERANGE);
	big[128] = '\0';
	assert_int_equal(taf_rules_set(&r, "env.set.BIG", big, fresh()), -ERANGE);
	big[127] = '\0';
	assert_int_equal(taf_rules_set(&r, "env.set.BIG", big, fresh()), 0);
	for (int i = 0; i < 31; i++) {
		path[9] = (char)('0' + i / 10);
		path[10] = (char)('0' + i % 10);
		assert_int_equal(taf_rules_set(&r, path, "1", fresh()), 0);
	}
	assert_int_equal(taf_rules_set(&r, "env.set.ONE_MORE", "1", fresh()), -ERANGE);
	assert_int_equal(taf_rules_set(&r, "env.set.V05", "2", fresh()), 0);
	assert_int_equal(r.env_set.n, 32);
}

static void many_at_once(void **state)
{
	uint8_t origin[TAF_RULE_COUNT] = { 0 };
	struct taf_rules r;

	(void)state;
	taf_rules_default(&r);
	assert_int_equal(taf_rules_set_many(&r,
					    " mode = observe ; ;drain.deadline=2;bad;drian.x=1;"
					    "env.set.A=b=c;exit.signals=TERM,INT",
					    origin, fresh()),
			 3);
	assert_string_equal(
		why_buf,
		"drain.deadline: \"2\" has no unit and none is assumed; write \"2s\"\n"
		"\"bad\" has no value; write key=value\n"
		"there is no setting \"drian.x\"; `taffrail check --effective` lists them all");
	assert_int_equal(taf_rules_set(&r, "drain.idle_ms", "90", fresh()), -EINVAL);
	assert_string_equal(why_buf, "\"90\" has no unit and none is assumed; write \"90ms\"");
	assert_int_equal(taf_rules_set(&r, "drain.deadline", "3600", fresh()), -EINVAL);
	assert_string_equal(why_buf, "\"3600\" has no unit and none is assumed; write 1ms to 10m");
	assert_int_equal(taf_rules_set(&r, "memory.warn", "167%", fresh()), -ERANGE);
	assert_string_equal(why_buf, "\"167%\" is out of range; write 1% to 100%");
	assert_int_equal(r.mode, TAF_MODE_OBSERVE);
	assert_int_equal(origin[TAF_RULE_mode], TAF_FROM_ENV);
	assert_int_equal(origin[TAF_RULE_drain_deadline_ms], TAF_FROM_BUILTIN);
	assert_string_equal(r.env_set.at[0].value, "b=c");
	assert_int_equal(r.exit_signals, 1ull << (SIGTERM - 1) | 1ull << (SIGINT - 1));
	assert_int_equal(taf_rules_set_many(&r, "", NULL, NULL), 0);
	assert_int_equal(taf_rules_set_many(&r, ";;;", NULL, NULL), 0);
	assert_int_equal(taf_rules_set_many(&r, "=;=x;mode=;", NULL, fresh()), 3);
}

static void amounts(void **state)
{
	struct taf_rules r;

	(void)state;
	taf_rules_default(&r);
	assert_int_equal(taf_rules_set(&r, "limits.wired", "off", fresh()), 0);
	assert_int_equal(r.limits_wired.is, TAF_AMOUNT_SWALLOW);
	assert_string_equal(show(&r, TAF_RULE_limits_wired), "swallow");
	assert_int_equal(taf_rules_set(&r, "limits.cache", "swallow", fresh()), -EINVAL);
	assert_int_equal(taf_rules_set(&r, "limits.cache", "off", fresh()), -EINVAL);
	assert_int_equal(taf_rules_set(&r, "limits.cache", "2GiB", fresh()), 0);
	assert_int_equal(r.limits_cache.bytes, 2ull << 30);
	assert_int_equal(taf_rules_set(&r, "memory.limit", "67%", fresh()), 0);
	assert_int_equal(r.memory_limit.pct, 67);
	assert_int_equal(taf_rules_set(&r, "memory.limit", "as_asked", fresh()), -EINVAL);
	assert_int_equal(taf_rules_set(&r, "memory.limit", "off", fresh()), 0);
	assert_int_equal(r.memory_limit.is, TAF_AMOUNT_NONE);
	assert_int_equal(taf_rules_set(&r, "cooldown.on_hold", "exit", fresh()), 0);
	assert_int_equal(r.cooldown_on_hold, TAF_ON_EXIT);
	assert_int_equal(taf_rules_set(&r, "lock.on_conflict", "exit", fresh()), -EINVAL);
	assert_int_equal(taf_rules_set(&r, "crumbs.dir", "relative", fresh()), -EINVAL);
}

static void profiles(void **state)
{
	struct taf_policy *p = calloc(1, sizeof(*p));
	struct taf_who node = { "/usr/bin/node", "node serve.mjs", "llama", NULL };
	struct taf_who other = { "/opt/node/ruby", "ruby", "", NULL };
	uint8_t origin[TAF_RULE_COUNT];
	struct taf_rules r;

	(void)state;
	assert_non_null(p);
	taf_policy_builtin(p);
	taf_rules_set(&p->base, "env.set.A", "base", NULL);
	p->n_profiles = 2;
	for (int i = 0; i < 2; i++) {
		taf_rules_default(&p->profiles[i].rules);
		taf_copy(p->profiles[i].exe, "nod?", TAF_GLOB_ROOM);
		taf_rules_set(&p->profiles[i].rules, "drain.deadline", i ? "5s" : "4s", NULL);
		taf_rules_set(&p->profiles[i].rules, i ? "env.set.A" : "env.set.B", "profile",
			      NULL);
		taf_profile_mark(&p->profiles[i], TAF_RULE_drain_deadline_ms);
		taf_profile_mark(&p->profiles[i], TAF_RULE_env_set);
	}
	taf_policy_for(p, &node, &r, origin);
	assert_int_equal(r.drain_deadline_ms, 5000);
	assert_int_equal(origin[TAF_RULE_drain_deadline_ms], TAF_FROM_PROFILE + 1);
	assert_int_equal(origin[TAF_RULE_mode], TAF_FROM_BUILTIN);
	assert_string_equal(show(&r, TAF_RULE_env_set), "A=profile,B=profile");
	taf_policy_for(p, &other, &r, NULL);
	assert_int_equal(r.drain_deadline_ms, 2000);
	taf_copy(p->profiles[1].engine, "mlx*", TAF_GLOB_ROOM);
	taf_policy_for(p, &node, &r, NULL);
	assert_int_equal(r.drain_deadline_ms, 4000);
	taf_copy(p->profiles[0].exe, "/opt/*", TAF_GLOB_ROOM);
	taf_copy(p->profiles[0].argv, "*serve*", TAF_GLOB_ROOM);
	assert_false(taf_profile_matches(&p->profiles[0], &other));
	assert_false(taf_profile_matches(&p->profiles[0], &node));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_whole), cmocka_unit_test(defaults_are_in_range),
		cmocka_unit_test(bounds_hold),	  cmocka_unit_test(builtin_only_warns),
		cmocka_unit_test(unknown_paths),  cmocka_unit_test(lists),
		cmocka_unit_test(full_lists),	  cmocka_unit_test(many_at_once),
		cmocka_unit_test(amounts),	  cmocka_unit_test(profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
