/* SPDX-License-Identifier: MIT */
/* test_config.c -- policy files, good and bad: what is set, what is said, and where. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../cli/config.h"

static struct taf_policy *policy;
static char dir[] = "/tmp/taf-config-XXXXXX";
static char file[64], told[65536];
static int n_told;

static void tell(void *ctx, const char *line)
{
	size_t n = strlen(file);

	assert_ptr_equal(ctx, told);
	/* The name of the file is not what is being compared. */
	if (!strncmp(line, file, n) && line[n] == ':')
		line += n + 1;
	assert_true(strlen(told) + strlen(line) + 2 < sizeof(told));
	strcat(told, line);
	strcat(told, "\n");
	n_told++;
}

static int load_n(const char *text, size_t n)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), (ssize_t)n);
	close(fd);
	told[0] = '\0';
	n_told = 0;
	memset(policy, 0xa5, sizeof(*policy));
	err = taffrail_policy_load(file, policy, sizeof(*policy), TAF_POLICY_VERSION, tell, told);
	/* Whatever the text was, what came of it is accepted when it is read back. */
	assert_true(taf_policy_is_valid(policy, taf_policy_bytes(policy), NULL));
	return err;
}

static int load(const char *text)
{
	return load_n(text, strlen(text));
}

/* text gives just that one line, and every other setting its default. */
static void says(const char *text, const char *line)
{
	load(text);
	assert_string_equal(told, line);
	assert_int_equal(policy->n_bad, 1);
	assert_true(taf_policy_is_valid(policy, taf_policy_bytes(policy), NULL));
}

static void reads_values(void **state)
{
	const char *text =
		"// first\n{ /* a { in a comment */ \"mode\": \"observe\",\n"
		"  \"drain\": { \"post_sync\": true, \"deadline\": \"1.5s\", \"every_submits\": 8 "
		"},\n"
		"  \"memory\": { \"warn\": 50, \"critical\": \"90%\", \"limit\": \"3GiB\", "
		"\"oom_score_adj\": -5 },\n"
		"  \"env\": { \"set\": { \"GGML_X\": \"// \\u00e9\", \"N\": 32 } },\n"
		"  \"exit\": { \"signals\": [\"TERM\", \"SIGINT\"] } } // end";

	(void)state;
	assert_int_equal(load(text), 0);
	assert_string_equal(told, "");
	assert_int_equal(policy->n_bad, 0);
	assert_int_equal(policy->base.mode, TAF_MODE_OBSERVE);
	assert_int_equal(policy->line[TAF_RULE_mode], 2);
	assert_int_equal(policy->origin[TAF_RULE_mode], TAF_FROM_FILE);
	assert_int_equal(policy->origin[TAF_RULE_strict], TAF_FROM_BUILTIN);
	assert_int_equal(policy->line[TAF_RULE_drain_deadline_ms], 3);
	assert_int_equal(policy->base.drain_deadline_ms, 1500);
	assert_int_equal(policy->base.drain_every_submits, 8);
	assert_int_equal(policy->base.memory_warn_pct, 50);
	assert_int_equal(policy->base.memory_critical_pct, 90);
	assert_int_equal(policy->base.memory_oom_score_adj, -5);
	assert_string_equal(policy->base.env_set.at[0].value, "// \xc3\xa9");
	assert_string_equal(policy->base.env_set.at[1].value, "32");
	assert_int_equal(policy->base.exit_signals, 1ull << (SIGTERM - 1) | 1ull << (SIGINT - 1));
	assert_int_equal(strlen(policy->sha256), 64);
	assert_string_equal(policy->path, file);
}

static void positions(void **state)
{
	(void)state;
	says("{\n\t\"mode\": \"enfroce\"\n}",
	     "2:10: mode: \"enfroce\" is not one of its words; write enforce, observe or off\n");
	says("{\"drain\": {\n  \"post_synk\": true}}",
	     "2:3: drain.post_synk: there is no such setting; did you mean drain.post_sync?\n");
	says("/* \xc3\xa9 \xe2\x82\xac */ {\"drian\": {\"at_exit\": false}}",
	     "1:12: drian: there is no such setting; did you mean drain?\n");
	says("{\"drain\": {\"deadline\": 90}}",
	     "1:24: drain.deadline: a number alone has no unit; write \"90s\"\n");
	says("{\"drain\": {\"idle_ms\": 90}}",
	     "1:23: drain.idle_ms: a number alone has no unit; write \"90ms\"\n");
	/* What is to be written instead is taken. */
	says("{\"limits\": {\"cache\": -1}}",
	     "1:22: limits.cache: a number alone has no unit; write as_asked, a size, or 0% to "
	     "100%\n");
	says("{\"limits\": {\"cache\": 4096}}", "1:22: limits.cache: a number alone has no unit; "
						"write \"4096B\", or as in \"8GiB\"\n");
	says("{\"drain\": {\"deadline\": 3600}}",
	     "1:24: drain.deadline: a number alone has no unit; write 1ms to 10m\n");
	says("{\"drain\": {\"every_submits\": \"8\"}}",
	     "1:29: drain.every_submits: a number belongs here, without quotes; write 0 to "
	     "1000000\n");
	says("{\"drain\": {\"at_exit\": \"yes\"}}",
	     "1:23: drain.at_exit: a switch has no quotes; write true or false\n");
	says("{\"drain\": {\"every_submits\": 1e3}}",
	     "1:29: drain.every_submits: \"1e3\" is no whole number; write digits alone, as in "
	     "4\n");
	says("{\"drain\": {\"every_submits\": 99999999999999999999}}",
	     "1:29: drain.every_submits: \"99999999999999999999\" is no whole number; "
	     "write digits alone, as in 4\n");
	says("{\"drain\": {\"deadline\": \"1h\"}}",
	     "1:24: drain.deadline: \"1h\" is out of range; write 1ms to 10m\n");
	says("{\"drain\": true}", "1:11: drain: this is a section of settings; write { ... }\n");
	says("{\"drain.at_exit\": true}",
	     "1:2: drain.at_exit: a key holds no dot; write sections inside each other, as in "
	     "{\"drain\": {\"at_exit\": true}}\n");
	says("{\"mode\": null}",
	     "1:10: mode: null is no value: leave the key out to keep the default; "
	     "write enforce, observe or off\n");
	says("{\"limits\": {\"wired\": false}}", "1:22: limits.wired: this is no switch; write "
						 "as_asked, swallow (or off), a size, or 0% to "
						 "100%\n");
	says("{\"mode\": \"observe\", \"strict\": true,\n \"mode\": \"off\"}",
	     "2:2: mode: given before in line 1; this one is left out, remove one of them\n");
	assert_int_equal(policy->base.mode, TAF_MODE_OBSERVE);
	assert_true(policy->base.strict);
}

/* Refused as a whole: the built-in policy, and the place. */
static void broken_text(void **state)
{
	static const struct {
		const char *text, *line;
	} broken[] = {
		{ "", "1:1: it is empty; write {} for a file that says nothing\n" },
		{ "  // nothing\n", "1:1: it is empty; write {} for a file that says nothing\n" },
		{ "[]", "1:1: such a file is an object; begin with {\n" },
		{ "{", "1:2: a key is missing here; write \"key\": value\n" },
		{ "{\"mode\"}", "1:8: a colon is missing between the key and its value\n" },
		{ "{\"mode\": }", "1:10: a value is missing before this\n" },
		{ "{\"mode\": \"off\",}", "1:15: a comma with nothing behind it; remove it\n" },
		{ "{\"a\": [1,\n]}", "1:9: a comma with nothing behind it; remove it\n" },
		{ "{\"mode\": \"off\" \"strict\": true}",
		  "1:16: a comma or } is missing before this\n" },
		{ "{\"mode\": \"off}",
		  "1:10: this string has no end; close it with \" on the same line\n" },
		{ "{\"a\": 'x'}", "1:7: a string begins with \", not with '\n" },
		{ "{\"a\": nul}",
		  "1:7: this word is no value; write true, false, a number or a \"string\"\n" },
		{ "{\"a\": 01}", "1:7: this is no number; write digits, as in 4 or -1 "
				 "(JSON has no NaN and no Infinity)\n" },
		{ "{\"a\": -Infinity}", "1:7: this is no number; write digits, as in 4 or -1 "
					"(JSON has no NaN and no Infinity)\n" },
		{ "{\"a\": NaN}",
		  "1:7: this word is no value; write true, false, a number or a \"string\"\n" },
		{ "{\"a\": \"\\x\"}",
		  "1:8: JSON has no such escape; write \\\\ for a backslash\n" },
		{ "{\"a\": \"\\u0000\"}", "1:8: a string holds no NUL; leave \\u0000 out\n" },
		{ "{\"a\": \"\t\"}",
		  "1:8: a control character in a string; write it as an escape\n" },
		{ "{ /* ", "1:3: this comment has no end; close it with */\n" },
		{ "{} {}", "1:4: text behind the end of the policy; remove it\n" },
		{ "\xef\xbb\xbf{}",
		  "1:1: it begins with a byte order mark; save it as UTF-8 without one\n" },
		{ "{\"\xff\": 1}", "1:3: this is no UTF-8; save the file as UTF-8\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		assert_int_equal(load(broken[i].text), -EINVAL);
		assert_string_equal(told, broken[i].line);
		assert_int_equal(policy->n_bad, 1);
		assert_int_equal(policy->base.mode, TAF_MODE_ENFORCE);
		assert_true(taf_policy_is_valid(policy, taf_policy_bytes(policy), NULL));
	}
	assert_int_equal(load_n("{}\0", 3), -EINVAL);
	assert_string_equal(told, "1:3: a NUL byte; this is no text file\n");
}

static void bounds(void **state)
{
	char *big = malloc(TAF_CONFIG_MAX + 2);
	size_t n = 0;

	(void)state;
	assert_non_null(big);
	memset(big, ' ', TAF_CONFIG_MAX + 2);
	taf_move(big, "{}", 2);
	assert_int_equal(load_n(big, TAF_CONFIG_MAX), 0);
	assert_int_equal(load_n(big, TAF_CONFIG_MAX + 1), -EFBIG);
	for (; n < 5000; n++)
		big[n] = '[';
	taf_move(big, "{\"a\":", 5);
	assert_int_equal(load_n(big, n), -EINVAL);
	assert_non_null(strstr(told, "nested deeper"));
	n = (size_t)sprintf(big, "{\"a\": [0");
	for (int i = 0; i < 5000; i++)
		n += (size_t)sprintf(big + n, ",0");
	n += (size_t)sprintf(big + n, "]}");
	assert_int_equal(load_n(big, n), -EINVAL);
	assert_non_null(strstr(told, "more than 4096 values"));
	n = (size_t)sprintf(big, "{\"x\": 0");
	for (int i = 0; i < 1000; i++)
		n += (size_t)sprintf(big + n, ",\"x%d\": 0", i);
	n += (size_t)sprintf(big + n, "}");
	assert_int_equal(load_n(big, n), 0);
	assert_int_equal(policy->n_bad, 1001);
	assert_int_equal(n_told, TAF_CONFIG_TOLD + 1);
	free(big);
}

static void lists(void **state)
{
	(void)state;
	assert_int_equal(
		load("{\"cadence\": {\"families\": [{\"match\": \"gemma:4*\", \"floor\": \"90s\", "
		     "\"settle\": \"3s\"}, {\"floor\": \"1m\", \"match\": \"x\"}]},"
		     "\"drain\": {\"no_clear\": []}, \"lock\": {\"also\": [\"metal-guard\"]},"
		     "\"cooldown\": {\"classes\": {\"xid_79\": 5}}}"),
		0);
	assert_string_equal(told, "");
	assert_string_equal(policy->base.cadence_families.at[0].name, "gemma:4*");
	assert_int_equal(policy->base.cadence_families.at[1].floor_ms, 60000);
	assert_int_equal(policy->base.drain_no_clear.n, 0);
	assert_int_equal(policy->base.lock_also.n, 1);
	assert_int_equal(policy->base.cooldown_classes.at[0].severity, 5);
	/* What protects stays when one entry is wrong. */
	says("{\"drain\": {\"no_clear\": [{\"engine\": \"llama\", \"versions\": \"<1\"}, "
	     "{\"engine\": \"lama\", \"versions\": \"<1\"}]}}",
	     "1:75: drain.no_clear: \"lama\" is no engine; `taffrail hooks` lists them\n");
	assert_int_equal(policy->base.drain_no_clear.n, 2);
	assert_string_equal(policy->base.drain_no_clear.at[0].name, "mlx");
	/* It could match no version that there is. */
	says("{\"drain\": {\"no_clear\": [{\"engine\": \"mlx\", \"versions\": \"banana\"}]}}",
	     "1:25: drain.no_clear: \"banana\" begins with none of == != < <= > >= ~= ===\n");
	/* Nor does a good entry for the same engine take the place of the default one. */
	says("{\"drain\": {\"no_clear\": [{\"engine\": \"mlx\", \"versions\": \"banana\"}, "
	     "{\"engine\": \"mlx\", \"versions\": \"==0.30.0\"}]}}",
	     "1:25: drain.no_clear: \"banana\" begins with none of == != < <= > >= ~= ===\n");
	assert_int_equal(policy->base.drain_no_clear.n, 2);
	assert_string_equal(policy->base.drain_no_clear.at[0].versions, "==0.31.2");
	assert_string_equal(policy->base.drain_no_clear.at[1].versions, "==0.30.0");
	says("{\"cadence\": {\"families\": [{\"match\": \"a\", \"floor\": 90}]}}",
	     "1:51: cadence.families: a number alone has no unit; write as in \"90s\"\n");
	says("{\"env\": {\"set\": {\"OK\": \"1\",\n\"LD_PRELOAD\": \"x\"}}}",
	     "2:15: env.set.LD_PRELOAD: \"LD_PRELOAD\" is how the guard itself is started; leave "
	     "it out\n");
	assert_int_equal(policy->base.env_set.n, 1);
	says("{\"exit\": {\"signals\": [\"TERM\", \"KILL\"]}}",
	     "1:31: exit.signals: \"KILL\" cannot be caught by any program; leave it out\n");
	assert_int_equal(policy->base.exit_signals, 1ull << (SIGTERM - 1));
	says("{\"exit\": {\"signals\": \"TERM\"}}",
	     "1:22: exit.signals: a list belongs here; write [ ... ]\n");
}

static void profiles(void **state)
{
	struct taf_who who = { "/usr/bin/node", "node a.mjs", "", NULL };
	struct taf_rules r;

	(void)state;
	assert_int_equal(load("{\"exit\": {\"deadline\": \"1s\"}, \"profiles\": [\n{\"name\": "
			      "\"n\", \"match\": "
			      "{\"exe\": \"node\"},\n\"settings\": {\"exit\": {\"deadline\": "
			      "\"9s\"}}}, {\"match\": "
			      "{\"argv\": \"*b.mjs\"}}]}"),
			 0);
	assert_int_equal(policy->n_profiles, 2);
	assert_string_equal(policy->profiles[1].name, "profile 2");
	assert_int_equal(policy->profiles[0].line[TAF_RULE_exit_deadline_ms], 3);
	taf_policy_for(policy, &who, &r, NULL);
	assert_int_equal(r.exit_deadline_ms, 9000);
	says("{\"profiles\": [{\"match\": {}}]}",
	     "1:25: profiles.match: it would match every program; write {\"exe\": \"node\"}, argv "
	     "or engine\n");
	assert_int_equal(policy->n_profiles, 0);
	says("{\"profiles\": [{\"settings\": {\"mode\": \"off\"}}]}",
	     "1:15: profiles: it has no match; write \"match\": {\"exe\": \"node\"}\n");
	assert_int_equal(policy->n_profiles, 0);
	says("{\"profiles\": [{\"match\": {\"engine\": \"lama\"}, \"settings\": {\"mode\": "
	     "\"off\"}}]}",
	     "1:36: profiles.match: no engine has this name; `taffrail hooks` lists them\n");
	assert_int_equal(policy->n_profiles, 0);
	says("{\"profiles\": [{\"match\": {\"exe\": \"x\"}, \"settings\": {\"strict\": true}}]}",
	     "1:52: strict: this counts for the whole file; write it outside the profiles\n");
	says("{\"profiles\": [{\"match\": {\"exe\": \"x\"}, \"settings\": {\"mode\": \"on\"}}]}",
	     "1:60: mode: \"on\" is not one of its words; write enforce, observe or off\n");
	assert_false(taf_profile_sets(&policy->profiles[0], TAF_RULE_mode));
}

static void role_of_profile(void **state)
{
	struct taf_who who = { "/usr/bin/node", "node a.mjs", "", NULL };
	uint8_t origin[TAF_RULE_COUNT];
	struct taf_rules r;

	(void)state;
	assert_int_equal(load("{\"watch\": {\"infer_after\": \"7s\"}, \"profiles\": [\n"
			      "{\"match\": {\"exe\": \"node\"},\n\"role\": \"server\", "
			      "\"settings\": {\"drain\": {\"every\": \"5s\"}}}]}"),
			 0);
	assert_int_equal(policy->profiles[0].role, TAF_ROLE_SERVER);
	assert_int_equal(policy->profiles[0].role_line, 3);
	taf_policy_for(policy, &who, &r, origin);
	assert_int_equal(r.watch_infer_after_ms, 60000);
	assert_int_equal(r.drain_every_ms, 5000);
	assert_int_equal(r.memory_max_single_alloc.bytes, 4000000000u);
	assert_int_equal(origin[TAF_RULE_watch_infer_after_ms], TAF_FROM_PROFILE);
	assert_int_equal(origin[TAF_RULE_mode], TAF_FROM_BUILTIN);
	assert_int_equal(taf_policy_role(policy, &who), TAF_ROLE_SERVER);
	who.exe = "/usr/bin/other";
	taf_policy_for(policy, &who, &r, NULL);
	assert_int_equal(r.watch_infer_after_ms, 7000);
	assert_int_equal(taf_policy_role(policy, &who), TAF_ROLE_NONE);
	says("{\"profiles\": [{\"match\": {\"exe\": \"x\"}, \"role\": \"servant\"}]}",
	     "1:47: profiles.role: there is no such role; write server, embedded, notebook, cli "
	     "or worker\n");
	assert_int_equal(policy->n_profiles, 1);
	assert_int_equal(policy->profiles[0].role, TAF_ROLE_NONE);
	says("{\"profiles\": [{\"match\": {\"exe\": \"x\"}, \"role\": 1}]}",
	     "1:47: profiles.role: there is no such role; write server, embedded, notebook, cli "
	     "or worker\n");
}

static void too_many_profiles(void **state)
{
	char text[1024] = "{\"profiles\": [";

	(void)state;
	for (int i = 0; i < 10; i++)
		strcat(text, i ? ",{\"match\":{\"exe\":\"x\"}}" : "{\"match\":{\"exe\":\"x\"}}");
	strcat(text, "]}");
	assert_int_equal(load(text), 0);
	assert_int_equal(policy->n_profiles, 8);
	assert_int_equal(policy->n_bad, 1);
	assert_non_null(strstr(told, "there is room for 8"));
}

static int load_path(const char *path)
{
	told[0] = '\0';
	return taffrail_policy_load(path, policy, sizeof(*policy), TAF_POLICY_VERSION, tell, told);
}

static void files(void **state)
{
	char fifo[64];

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(load_path("/nowhere/x.json"), -ENOENT);
	assert_string_equal(told, "/nowhere/x.json: there is no such file; name one that exists\n");
	assert_int_equal(load_path(dir), -EISDIR);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(load_path(fifo), -EBADF);
	unlink(fifo);
	if (geteuid()) {
		assert_int_equal(load("{}"), 0);
		chmod(file, 0);
		assert_int_equal(load_path(file), -EACCES);
		chmod(file, 0600);
	}
}

static void strangers(void **state)
{
	(void)state;
	memset(policy, 0x5a, sizeof(*policy));
	told[0] = '\0';
	assert_int_equal(taffrail_policy_load("/x", policy, sizeof(*policy) - 8, TAF_POLICY_VERSION,
					      tell, told),
			 -EPROTO);
	assert_non_null(strstr(told, "another version"));
	assert_int_equal(taffrail_policy_load("/x", policy, sizeof(*policy), TAF_POLICY_VERSION + 1,
					      NULL, NULL),
			 -EPROTO);
	assert_int_equal(policy->magic, 0x5a5a5a5a);
	errno = 42;
	load("{\"mode\": 1}");
	errno = 42;
	load_path(file);
	assert_int_equal(errno, 42);
}

/* Every start of a good file is refused with one line and does no harm. */
static void every_prefix(void **state)
{
	const char *text =
		"{\"drain\": {\"no_clear\": [{\"engine\": \"mlx\", \"versions\": \"<1\"}]}, /* c */"
		"\"mode\": \"\\u00e9\\n\", \"memory\": {\"warn\": 6.5e+1, \"limit\": null}}";

	(void)state;
	for (size_t n = 0; n < strlen(text); n++) {
		assert_int_equal(load_n(text, n), -EINVAL);
		assert_int_equal(policy->n_bad, 1);
	}
	assert_int_equal(load(text), 0);
	assert_int_equal(policy->n_bad, 3);
}

static int set_up(void **state)
{
	(void)state;
	policy = malloc(sizeof(*policy));
	if (!policy || !mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/policy.json", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	rmdir(dir);
	free(policy);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_values),	   cmocka_unit_test(positions),
		cmocka_unit_test(broken_text),	   cmocka_unit_test(bounds),
		cmocka_unit_test(lists),	   cmocka_unit_test(profiles),
		cmocka_unit_test(role_of_profile), cmocka_unit_test(too_many_profiles),
		cmocka_unit_test(files),	   cmocka_unit_test(strangers),
		cmocka_unit_test(every_prefix),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
