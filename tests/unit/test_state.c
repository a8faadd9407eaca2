/* SPDX-License-Identifier: MIT */
/* test_state.c -- where files may lie, what is refused and in which words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/state.h"

#define NOBODY 65534

static char dir[] = "/tmp/taf-state-XXXXXX";
static char words[1024];
static struct taf_text why;
static char out[TAF_PATH_MAX];

static struct taf_text *ask(void)
{
	taf_text_init(&why, words, sizeof(words));
	return &why;
}

static const char *in_dir(const char *leaf)
{
	static char path[4][256];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, leaf);
	return p;
}

static const char *setting(const char *name, const char *value)
{
	static char text[4][2048];
	static int turn;
	char *p = text[turn++ % 4];

	snprintf(p, sizeof(text[0]), "%s=%s", name, value);
	return p;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode & 07777;
}

static void test_env(void **state)
{
	char *const env[] = { "PATHX=no", "PATH=/bin:/x=y", "EMPTY=", "PAT=2", NULL };

	(void)state;
	assert_string_equal(taf_env(env, "PATH"), "/bin:/x=y");
	assert_string_equal(taf_env(env, "EMPTY"), "");
	assert_string_equal(taf_env(env, "PAT"), "2");
	assert_null(taf_env(env, "PA"));
	assert_null(taf_env(env, "NOT"));
	assert_null(taf_env(NULL, "PATH"));
}

static void test_join(void **state)
{
	char longest[TAF_PATH_MAX + 8];

	(void)state;
	assert_int_equal(taf_dir_join(out, "/a/b//", "c"), 0);
	assert_string_equal(out, "/a/b/c");
	assert_int_equal(taf_dir_join(out, "/a/", ""), 0);
	assert_string_equal(out, "/a");
	assert_int_equal(taf_dir_join(out, "/", "c"), 0);
	assert_string_equal(out, "/c");
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[TAF_PATH_MAX] = '\0';
	assert_int_equal(taf_dir_join(out, longest, "c"), -ENAMETOOLONG);
	assert_string_equal(out, "");
}

/* Each case in the order of the search, for a user who is not root. */
static void search_as_user(void)
{
	char *env[] = { "TAFFRAIL_STATE=/one/", "STATE_DIRECTORY=/x", "XDG_STATE_HOME=/two",
			"HOME=/three", NULL };
	const char *const want[] = { "/one", "/var/lib/taffrail", "/two/taffrail",
				     "/three/.local/state/taffrail" };

	for (int i = 0; i < 4; i++)
		if (taf_dir_find(env + i, out, ask()) || strcmp(out, want[i]))
			_exit(1 + i);
	if (taf_dir_find(env + 4, out, ask()) != -ENOENT || !strstr(words, "HOME is not set"))
		_exit(10);
	/* A relative XDG variable is invalid and counts as not set. */
	env[2] = "XDG_STATE_HOME=two";
	if (taf_dir_find(env + 2, out, ask()) || strcmp(out, want[3]))
		_exit(11);
}

/* The current directory is gone: there is nothing that a relative one could be from. */
static void search_from_nowhere(void)
{
	char *const relative[] = { "TAFFRAIL_STATE=some/where", NULL };
	char gone[] = "/tmp/taf-gone-XXXXXX";

	if (!mkdtemp(gone) || chdir(gone) || rmdir(gone))
		_exit(1);
	if (taf_dir_find(relative, out, ask()) != -ENOENT ||
	    !strstr(words, "TAFFRAIL_STATE is relative, and the current directory"))
		_exit(2);
}

static void as_user(void (*body)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (!geteuid() && (setgid(NOBODY) || setuid(NOBODY)))
			_exit(99);
		body();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_search_order(void **state)
{
	char *const env[] = { "XDG_STATE_HOME=/two", "HOME=/three", NULL };
	char *const relative[] = { "TAFFRAIL_STATE=some/where//", NULL };
	char here[TAF_PATH_MAX];

	(void)state;
	as_user(search_as_user);
	as_user(search_from_nowhere);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(taf_dir_find(relative, out, ask()), 0);
	assert_true(!strncmp(out, here, strlen(here)));
	assert_string_equal(out + strlen(here), "/some/where");
	if (geteuid()) {
		print_message("not root: its default directory is not looked at\n");
		return;
	}
	assert_int_equal(taf_dir_find(env, out, ask()), 0);
	assert_string_equal(out, "/var/lib/taffrail");
	assert_int_equal(taf_dir_find(NULL, out, ask()), 0);
	assert_string_equal(out, "/var/lib/taffrail");
}

static void test_makes_what_is_missing(void **state)
{
	char *env[] = { (char *)setting("TAFFRAIL_STATE", in_dir("new/deep/state/")), NULL };
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(taf_dir_state(env, out, ask()), 0);
	umask(mask);
	assert_string_equal(out, in_dir("new/deep/state"));
	assert_int_equal(mode_of(in_dir("new")), 0700);
	assert_int_equal(mode_of(in_dir("new/deep/state")), 0700);
	assert_int_equal(mode_of(in_dir("new/deep/state/crumbs")), 0700);
	assert_int_equal(mode_of(in_dir("new/deep/state/policy")), 0700);
	assert_string_equal(words, "");
	assert_int_equal(taf_dir_state(env, out, ask()), 0);
}

static void test_refuses_a_link(void **state)
{
	char *env[] = { (char *)setting("TAFFRAIL_STATE", in_dir("link/")), NULL };

	(void)state;
	mkdir(in_dir("real"), 0700);
	assert_int_equal(symlink("real", in_dir("link")), 0);
	assert_int_equal(taf_dir_state(env, out, ask()), -ELOOP);
	assert_non_null(strstr(words, "symbolic link"));
	assert_int_equal(access(in_dir("real/crumbs"), F_OK), -1);
	/* One in the place of a folder inside is no better. */
	mkdir(in_dir("holder"), 0700);
	assert_int_equal(symlink("../real", in_dir("holder/crumbs")), 0);
	env[0] = (char *)setting("TAFFRAIL_STATE", in_dir("holder"));
	assert_int_equal(taf_dir_state(env, out, ask()), -ELOOP);
	/* A link above the last component is the user's business. */
	env[0] = (char *)setting("TAFFRAIL_STATE", in_dir("link/below"));
	assert_int_equal(taf_dir_state(env, out, ask()), 0);
}

static void test_refuses_what_others_write(void **state)
{
	(void)state;
	mkdir(in_dir("open"), 0700);
	chmod(in_dir("open"), 0770);
	assert_int_equal(taf_dir_check(in_dir("open"), ask()), -EPERM);
	assert_non_null(strstr(words, "chmod"));
	chmod(in_dir("open"), 0702);
	assert_int_equal(taf_dir_check(in_dir("open"), ask()), -EPERM);
	chmod(in_dir("open"), 0755);
	assert_int_equal(taf_dir_check(in_dir("open"), NULL), 0);
}

static void test_refuses_files_and_strangers(void **state)
{
	(void)state;
	close(open(in_dir("file"), O_CREAT | O_WRONLY, 0600));
	assert_int_equal(taf_dir_make(in_dir("file"), ask()), -ENOTDIR);
	assert_int_equal(taf_dir_make(in_dir("file/below"), ask()), -ENOTDIR);
	if (geteuid()) {
		print_message("not root: no directory of another user to show\n");
		return;
	}
	mkdir(in_dir("theirs"), 0700);
	assert_int_equal(chown(in_dir("theirs"), NOBODY, NOBODY), 0);
	assert_int_equal(taf_dir_check(in_dir("theirs"), ask()), -EPERM);
	assert_non_null(strstr(words, "another user"));
}

static void use_read_only_home(void)
{
	char *env[] = { (char *)setting("HOME", in_dir("home")), NULL };

	if (taf_dir_state(env, out, ask()) != -EACCES || !strstr(words, "permission denied"))
		_exit(1);
	env[0] = "HOME=/proc";
	if (!taf_dir_state(env, out, ask()) || !words[0])
		_exit(2);
}

static void test_read_only_home(void **state)
{
	(void)state;
	mkdir(in_dir("home"), 0755);
	chmod(dir, 0755);
	chmod(in_dir("home"), 0555);
	as_user(use_read_only_home);
	chmod(dir, 0700);
}

static void test_ring_directory(void **state)
{
	char *env[] = { (char *)setting("XDG_RUNTIME_DIR", in_dir("runtime")), NULL };
	char *missing[] = { (char *)setting("XDG_RUNTIME_DIR", in_dir("not-there")), NULL };
	char want[64];

	(void)state;
	mkdir(in_dir("runtime"), 0700);
	assert_int_equal(taf_dir_ring(env, out, ask()), 0);
	assert_string_equal(out, in_dir("runtime/taffrail"));
	assert_int_equal(mode_of(out), 0700);
	chmod(out, 0777);
	assert_int_equal(taf_dir_ring(env, out, ask()), -EPERM);
	assert_string_equal(out, "");
	snprintf(want, sizeof(want), "/dev/shm/taffrail-%u", geteuid());
	if (!taf_dir_ring(missing, out, ask()))
		assert_string_equal(out, want);
	else
		print_message("%s\n", words);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_search_order),
		cmocka_unit_test(test_makes_what_is_missing),
		cmocka_unit_test(test_refuses_a_link),
		cmocka_unit_test(test_refuses_what_others_write),
		cmocka_unit_test(test_refuses_files_and_strangers),
		cmocka_unit_test(test_read_only_home),
		cmocka_unit_test(test_ring_directory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
