/* SPDX-License-Identifier: MIT */
/* share_kit.h -- a state directory for each test, and what the tests of the shared
 * state do with it: mark, note, look as another process would. */
#ifndef TAF_TEST_SHARE_KIT_H
#define TAF_TEST_SHARE_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/share.h"
#include "../../shim/share_text.h"

#define HOUR 3600000ull

static char dir[64];

static inline int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/taf-share-XXXXXX");
	assert_non_null(mkdtemp(dir));
	taf_share_open(dir);
	return 0;
}

static inline int teardown(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static inline const char *path(const char *leaf)
{
	static char p[4][128];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(p[turn], sizeof(p[0]), "%s/%s", dir, leaf);
	return p[turn];
}

static inline int mark(const char *id, enum taf_kind kind, enum taf_share_change change)
{
	int err;
	struct taf_ledger *l = taf_share_enter(&err);
	struct taf_ledger_stamp s = { .id = id, .kind = kind, .now = taf_moment_now() };

	taf_ledger_mark(l, &s);
	return taf_share_leave(change);
}

static inline struct taf_ledger_event event(const char *class)
{
	struct taf_ledger_event e = { .severity = TAF_SEVERITY_PANIC, .pid = 5 };

	e.at = taf_moment_now();
	e.at.boot = 0;
	e.seen = taf_moment_now();
	snprintf(e.class, sizeof(e.class), "%s", class);
	strcpy(e.source, "panic_file");
	return e;
}

static inline int note(const struct taf_ledger_event *e)
{
	int err;

	taf_ledger_note(taf_share_enter(&err), e);
	return taf_share_leave(TAF_SHARE_DURABLE);
}

/* As another process would see it. */
static struct taf_ledger seen;

static inline int look(void)
{
	int err;

	seen = *taf_share_enter(&err);
	taf_share_leave(TAF_SHARE_SAME);
	return err;
}

static inline int look_afresh(void)
{
	taf_share_open(dir);
	return look();
}

static inline const char *trouble(void)
{
	static char buf[600];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	return taf_share_trouble(&t) ? buf : "";
}

static inline void read_file(const char *leaf, char *buf, size_t room)
{
	int fd = open(path(leaf), O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, buf, room - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
}

static inline void write_file(const char *leaf, const char *text)
{
	FILE *f = fopen(path(leaf), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Files whose names begin so. */
static inline int count_files(const char *head)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)))
		n += !strncmp(e->d_name, head, strlen(head));
	closedir(d);
	return n;
}

static inline int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
