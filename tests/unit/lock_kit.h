/* SPDX-License-Identifier: MIT */
/* lock_kit.h -- processes that take, join, wait for and give back the GPU lock when told.
 *
 *   struct actor a = actor_of("1111111111111111", "");    a process of that run
 *   assert_int_equal(ask(&a, 't'), 'O');                   O ours, B busy, U unknown
 *
 *   t try   w wait at most 10 s, then try   r release   h holder (in a->says)
 *   f fork: the child takes over, the parent goes on sleeping   x close every descriptor
 *   e forget, as a fork child does, then name itself and try
 */
#ifndef LOCK_KIT_H
#define LOCK_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/lockfile.h"

#define RUN_A "aaaaaaaaaaaaaaaa"
#define RUN_B "bbbbbbbbbbbbbbbb"
#define RUN_C "cccccccccccccccc"
#define WAIT_MS 10000

static char kit_dir[] = "/tmp/taf-lock-XXXXXX";
static char kit_runtime[64];
static char *kit_env[] = { kit_runtime, NULL };

struct actor {
	pid_t pid;
	int to, from;
	char says[512]; /* why or holder of the last answer */
};

static void kit_name(const char *run, const char *label)
{
	struct taf_lock_who who = {
		.run = run, .label = label, .command = "actor", .env = kit_env, .theirs = kit_env
	};

	taf_lock_name(&who);
}

static char kit_answer(char what, const struct taf_rules *rules, struct taf_text *why)
{
	static const char letters[] = { 'U', 'O', 'B' };

	if (what == 'w' && taf_lock_try(rules, why) == TAF_LOCK_BUSY)
		taf_lock_wait(WAIT_MS);
	if (what == 'r')
		taf_lock_release();
	if (what == 'h')
		taf_lock_holder(why);
	if (what == 'x')
		for (int fd = 3; fd < 4096; fd++)
			if (fcntl(fd, F_GETFD) >= 0 && fd != 100 && fd != 101)
				close(fd);
	if (what == 't' || what == 'w' || what == 'e')
		return letters[taf_lock_try(rules, why)];
	return 'k';
}

/* Never returns. Commands come on 100, answers go to 101. */
static void kit_play(const char *run, const struct taf_rules *rules)
{
	char what, line[512];
	struct taf_text why;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	kit_name(run, "kit");
	while (read(100, &what, 1) == 1) {
		if (what == 'f' && fork())
			for (;;)
				pause();
		if (what == 'e')
			kit_name(run, "kit");
		memset(line, 0, sizeof(line));
		taf_text_init(&why, line + 1, sizeof(line) - 1);
		line[0] = kit_answer(what, rules, &why);
		if (write(101, line, sizeof(line)) != (ssize_t)sizeof(line))
			_exit(90);
	}
	_exit(0);
}

static struct actor actor_of(const char *run, const char *set)
{
	static struct taf_rules rules;
	struct actor a = { 0 };
	int to[2], from[2];

	taf_rules_default(&rules);
	assert_int_equal(taf_rules_set_many(&rules, set, NULL, NULL), 0);
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	a.pid = fork();
	assert_true(a.pid >= 0);
	if (!a.pid) {
		dup2(to[0], 100);
		dup2(from[1], 101);
		/* Else other actors would keep pipes of this one open. */
		for (int fd = 3; fd < 100; fd++)
			close(fd);
		kit_play(run, &rules);
	}
	close(to[0]);
	close(from[1]);
	a.to = to[1];
	a.from = from[0];
	return a;
}

static void tell_actor(struct actor *a, char what)
{
	assert_int_equal(write(a->to, &what, 1), 1);
}

/* The answer to what was told, or 0 when it ended. */
static char hear(struct actor *a)
{
	char line[512];
	size_t n = 0;
	ssize_t got = 1;

	while (n < sizeof(line) && (got = read(a->from, line + n, sizeof(line) - n)) > 0)
		n += (size_t)got;
	if (n < sizeof(line))
		return 0;
	memcpy(a->says, line + 1, sizeof(line) - 1);
	return line[0];
}

static char ask(struct actor *a, char what)
{
	tell_actor(a, what);
	return hear(a);
}

static void dismiss(struct actor *a)
{
	kill(a->pid, SIGKILL);
	waitpid(a->pid, NULL, 0);
	close(a->to);
	close(a->from);
}

static inline const char *kit_path(const char *leaf)
{
	static char path[4][256];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/taffrail/lock/%s", kit_dir, leaf);
	return p;
}

static inline void kit_write(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

static int kit_fresh(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s/*", kit_dir);
	return system(command);
}

static int kit_begin(void **state)
{
	(void)state;
	if (!access("/run/taffrail", F_OK)) {
		puts("this machine has a lock of all its users, /run/taffrail: no test may take "
		     "it");
		_exit(77);
	}
	if (!mkdtemp(kit_dir))
		return -1;
	snprintf(kit_runtime, sizeof(kit_runtime), "XDG_RUNTIME_DIR=%s", kit_dir);
	return 0;
}

static int kit_end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", kit_dir);
	return system(command);
}

#endif
