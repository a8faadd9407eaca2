/* SPDX-License-Identifier: MIT */
/* test_opened.c -- sets of weights that are open, while the table of sets changes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../shim/opened.h"

static char folder[] = "/tmp/taffrail-opened.XXXXXX";
static const char *later; /* opened once the last set has been looked at; NULL: nothing */

static void path_of(char path[256], const char *name)
{
	snprintf(path, 256, "%s/%s.gguf", folder, name);
}

static void note(const char *name)
{
	char path[256];

	path_of(path, name);
	taf_model_note_open(path);
}

static int open_file(const char *name)
{
	char path[256];
	int fd;

	path_of(path, name);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	return fd;
}

/* The table is full, first the set that will be open. */
static void fill(const char *first)
{
	char name[32];

	taf_model_forget_all();
	note(first);
	for (int i = 1; i < TAF_MODEL_SETS; i++) {
		snprintf(name, sizeof(name), "absent%d", i);
		note(name);
	}
}

/* Another thread opens a file when the last one of the table is at hand. */
static bool is_left_out(const char *path)
{
	char last[256];

	path_of(last, "absent31");
	if (!later || strcmp(path, last) != 0)
		return false;
	note(later);
	later = NULL;
	return false;
}

static bool is_model(const char *path)
{
	(void)path;
	return true;
}

static const struct taf_opened_ask ask = { is_left_out, is_model };

static void named(const char *name, const struct taf_opened *o)
{
	char path[256];

	path_of(path, name);
	assert_int_equal(o->n, 1);
	assert_int_equal(o->models, 1);
	assert_string_equal(o->path, path);
}

static void is_found(void **state)
{
	struct taf_opened o;
	int fd = open_file("here");

	(void)state;
	later = NULL;
	fill("here");
	taf_opened_look(&o, &ask);
	named("here", &o);
	close(fd);
	taf_opened_look(&o, &ask);
	assert_int_equal(o.n, 0);
}

/* The oldest set gives its place to another one, of a file that is not open. */
static void is_never_named_by_another(void **state)
{
	struct taf_opened o;
	int fd = open_file("here");

	(void)state;
	fill("here");
	later = "other";
	taf_opened_look(&o, &ask);
	assert_null(later);
	assert_int_equal(o.n, 0);
	close(fd);
}

/* The next part of a split takes the place of the one before: looked at once more it is found. */
static void is_found_in_the_end(void **state)
{
	struct taf_opened o;
	int a = open_file("m-00001-of-00002"), b = open_file("m-00002-of-00002");

	(void)state;
	fill("m-00001-of-00002");
	later = "m-00002-of-00002";
	taf_opened_look(&o, &ask);
	assert_null(later);
	named("m-00002-of-00002", &o);
	close(a);
	close(b);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "here", "m-00001-of-00002", "m-00002-of-00002" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		path_of(path, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_found),
		cmocka_unit_test(is_never_named_by_another),
		cmocka_unit_test(is_found_in_the_end),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
