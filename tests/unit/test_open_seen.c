/* SPDX-License-Identifier: MIT */
/* test_open_seen.c -- which opens are of one load, and when another one begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../shim/open_seen.h"

static struct taf_open_now now;
static struct taf_open_set set;

static int forget(void **state)
{
	(void)state;
	taf_open_forget();
	now = (struct taf_open_now){ .key = 7, .ms = 100000 };
	return 0;
}

/* A set of 1000 bytes that was let in, or was not. */
static void keep(bool is_passed)
{
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_NEW);
	set.size.bytes = 1000;
	set.is_passed = is_passed;
	taf_open_keep(&now, &set);
}

static void what_passed_goes_on_for_a_minute_each_time(void **state)
{
	(void)state;
	keep(true);
	for (int i = 0; i < 5; i++) {
		now.ms += TAF_OPEN_KEEP_MS - 1;
		now.live += 500;
		assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_PASSED);
	}
	now.ms += TAF_OPEN_KEEP_MS;
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_NEW);
	assert_int_equal(set.in, 0); /* more than its own came since: another load */
}

static void a_slow_load_is_asked_about_its_rest(void **state)
{
	(void)state;
	now.live = 5000;
	keep(true);
	now.ms += TAF_OPEN_KEEP_MS;
	now.live = 5600;
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_NEW);
	assert_int_equal(set.in, 600);
	set.size.bytes = 1000;
	set.is_passed = true;
	taf_open_keep(&now, &set);
	now.ms += TAF_OPEN_KEEP_MS;
	now.live = 5900;
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_NEW);
	assert_int_equal(set.in, 900);
}

static void a_refused_one_is_judged_again_but_not_read(void **state)
{
	(void)state;
	keep(false);
	now.live = 500;
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_KNOWN);
	assert_int_equal(set.size.bytes, 1000);
	assert_int_equal(set.in, 0);
	now.ms += TAF_OPEN_KEEP_MS;
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_NEW);
}

static void what_was_given_back_is_judged_again(void **state)
{
	(void)state;
	keep(true);
	now.given = 999; /* a buffer on the way */
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_PASSED);
	now.given = 1000;
	now.live = 1200;
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_KNOWN);
	assert_int_equal(set.in, 0);
	taf_open_keep(&now, &set);
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_PASSED);
}

static void the_oldest_of_too_many_goes(void **state)
{
	(void)state;
	for (now.key = 1; now.key <= 17; now.key++, now.ms++)
		keep(true);
	now.key = 1;
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_NEW);
	now.key = 2;
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_PASSED);
	taf_open_forget();
	assert_int_equal(taf_open_recall(&now, &set), TAF_OPEN_NEW);
}

static void one_key_for_a_set(void **state)
{
	char top[] = "/tmp/taf_open_seen_XXXXXX", command[64];
	uint64_t key;

	(void)state;
	assert_non_null(mkdtemp(top));
	assert_int_equal(chdir(top), 0);
	assert_int_equal(mkdir("a", 0700) | mkdir("b", 0700) | symlink("a", "link"), 0);
	key = taf_open_key("a/x-00001-of-00003.gguf");
	assert_int_not_equal(key, 0);
	assert_int_equal(taf_open_key("a/x-00003-of-00003.gguf"), key);
	assert_int_equal(taf_open_key("link/x-00002-of-00003.gguf"), key);
	assert_int_not_equal(taf_open_key("a/y-00001-of-00003.gguf"), key);
	assert_int_not_equal(taf_open_key("b/x-00001-of-00003.gguf"), key);
	key = taf_open_key("a/model.safetensors");
	assert_int_equal(taf_open_key("a/model-00001-of-00002.safetensors"), key);
	assert_int_not_equal(taf_open_key("a/model.gguf"), key);
	assert_int_not_equal(taf_open_key("b/model.safetensors"), key);
	assert_int_equal(chdir("a"), 0);
	assert_int_equal(taf_open_key("model-7.safetensors"), key);
	assert_int_equal(taf_open_key("../none/model.safetensors"), 0);
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_passed_goes_on_for_a_minute_each_time, forget),
		cmocka_unit_test_setup(a_slow_load_is_asked_about_its_rest, forget),
		cmocka_unit_test_setup(a_refused_one_is_judged_again_but_not_read, forget),
		cmocka_unit_test_setup(what_was_given_back_is_judged_again, forget),
		cmocka_unit_test_setup(the_oldest_of_too_many_goes, forget),
		cmocka_unit_test(one_key_for_a_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
