/* SPDX-License-Identifier: MIT */
#include "lock_also.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "crumb_read.h"
#include "lock_text.h"
#include "scan.h"
#include "scratch.h"
#include "state.h"
#include "sys_file.h"
#include "sys_lock.h"

#define TEXT_MAX 4096 /* of a lock file; metal-guard's has some 500 bytes */
#define LOCKS_MAX (64 * 1024) /* of /proc/locks */
#define ENVIRON_MAX (64 * 1024)
#define TICKS 100 /* a second: USER_HZ is the same on every Linux that we build for */
#define SLACK_US 2000000 /* their time is in whole seconds, and they take their time */

struct note_of_theirs {
	int64_t pid; /* -1: there is none */
	uint64_t started_us; /* UTC; 0 unknown */
	char label[64], cmdline[80];
};

int taf_lock_also_path(const struct taf_lock_also *who, const char *name, char *out, size_t room)
{
	const char *asked = taf_env(who->env, "MLX_LOCK_PATH"), *home = taf_env(who->env, "HOME");
	struct taf_text t;

	taf_text_init(&t, out, room);
	if (name[0] == '/') {
		taf_text_put(&t, name);
	} else if (asked && asked[0] == '/') {
		taf_text_put(&t, asked);
	} else if (home && home[0] == '/') {
		taf_text_put(&t, home);
		if (asked && asked[0] == '~' && asked[1] == '/')
			taf_text_put(&t, asked + 1);
		else
			taf_text_put(&t, "/.metal-guard/locks/mlx_exclusive.lock");
	}
	return t.is_cut || !t.used ? -ENOENT : 0;
}

static void take(void *to, const char *key, const struct taf_scan *s, enum taf_scan_token t)
{
	struct note_of_theirs *x = to;

	if (taf_same(key, "pid") && t == TAF_SCAN_NUMBER && s->is_whole && s->number <= INT32_MAX)
		x->pid = (int64_t)s->number;
	if (t != TAF_SCAN_STRING)
		return;
	if (taf_same(key, "label"))
		taf_copy(x->label, s->text, sizeof(x->label));
	else if (taf_same(key, "cmdline"))
		taf_copy(x->cmdline, s->text, sizeof(x->cmdline));
	else if (taf_same(key, "started_at"))
		taf_rfc3339_us(s->text, taf_len(s->text), &x->started_us);
}

static bool read_theirs(int fd, struct note_of_theirs *x)
{
	char *text = taf_scratch_take(TEXT_MAX);
	int64_t n = text ? taf_sys_pread(fd, text, TEXT_MAX, 0) : 0;
	bool is_read;

	*x = (struct note_of_theirs){ .pid = -1 };
	is_read = n > 0 && taf_scan_members(text, (size_t)n, take, x) && x->pid > 0;
	taf_scratch_give(text);
	return is_read;
}

/* Whether word stands in what is left of the file. */
static bool has_word(int fd, const char *word, size_t n)
{
	char buf[512];
	uint64_t left = ENVIRON_MAX;
	size_t kept = 0;
	int64_t got;

	while (left && (got = taf_sys_read(fd, buf + kept, sizeof(buf) - kept)) > 0) {
		size_t end = kept + (size_t)got;

		for (size_t i = 0; i + n <= end; i++)
			if (taf_equal(buf + i, word, n))
				return true;
		/* A word may lie across two readings. */
		kept = end < n ? end : n - 1;
		taf_move(buf, buf + end - kept, kept);
		left -= (uint64_t)got < left ? (uint64_t)got : left;
	}
	return false;
}

/* Whether the process carries our run in its environment; only a hint, since a
 * run may have been named after it began. */
static bool is_of_run(int32_t pid, const char *run)
{
	char path[48], word[48];
	struct taf_text t;
	bool is_ours;
	int fd;

	if (pid == taf_sys_pid())
		return true;
	if (!run[0])
		return false;
	taf_text_init(&t, path, sizeof(path));
	taf_text_put(&t, "/proc/");
	taf_text_i64(&t, pid);
	taf_text_put(&t, "/environ");
	fd = taf_sys_open_any(path);
	if (fd < 0)
		return false;
	taf_text_init(&t, word, sizeof(word));
	taf_text_put(&t, "TAFFRAIL_RUN=");
	taf_text_put(&t, run);
	is_ours = has_word(fd, word, t.used);
	taf_sys_close(fd);
	return is_ours;
}

/* A process that is younger than the lock has only inherited the number. */
static bool is_recycled(int32_t pid, uint64_t lock_us)
{
	uint64_t ticks = taf_sys_start_ticks(pid), up_us = taf_sys_boot_ns() / 1000;
	uint64_t began_us = ticks * (1000000 / TICKS), now_us = taf_sys_utc_us();

	if (!lock_us || !ticks || began_us > up_us)
		return false;
	return now_us - (up_us - began_us) > lock_us + SLACK_US;
}

static void show(struct taf_lock_foreign *f, const char *name, const char *label)
{
	struct taf_text t;

	taf_text_init(&t, f->holder, sizeof(f->holder));
	taf_lock_plain(&t, name);
	if (!f->pid)
		return;
	taf_text_put(&t, " (pid ");
	taf_text_i64(&t, f->pid);
	taf_text_put(&t, label[0] ? ", " : "");
	taf_lock_plain(&t, label);
	taf_text_char(&t, ')');
}

static void say(struct taf_lock_foreign *f, const char *path, const char *what)
{
	struct taf_text t;

	taf_text_init(&t, f->note, sizeof(f->note));
	taf_text_put(&t, path);
	taf_text_put(&t, what);
}

static void look_at_json(const struct taf_lock_also *who, int fd, const char *path,
			 struct taf_lock_foreign *f)
{
	struct note_of_theirs x;
	char state;

	if (!read_theirs(fd, &x)) {
		say(f, path, ": no lock that can be read: it is not honoured");
		return;
	}
	state = taf_sys_proc_state((int32_t)x.pid);
	if (!state || state == 'Z' || state == 'X' || is_recycled((int32_t)x.pid, x.started_us) ||
	    is_of_run((int32_t)x.pid, who->run))
		return;
	f->is_held = true;
	f->pid = (int32_t)x.pid;
	show(f, x.cmdline[0] ? x.cmdline : "a program under metal-guard", x.label);
}

/* Who locked it, from the kernel's list: lines like
 * "1: FLOCK  ADVISORY  WRITE 708 08:02:1234 0 EOF". 0: not found. */
static int32_t locker_of(const struct taf_stat *st)
{
	char word[32], *buf = taf_sys_map(LOCKS_MAX);
	struct taf_text t;
	const char *at, *p;
	int64_t n = 0, got = 1;
	uint64_t pid = 0;
	int fd = taf_sys_open_any("/proc/locks");

	while (buf && fd >= 0 && got > 0 && n < LOCKS_MAX - 1) {
		got = taf_sys_read(fd, buf + n, (size_t)(LOCKS_MAX - 1 - n));
		n += got > 0 ? got : 0;
	}
	if (fd >= 0)
		taf_sys_close(fd);
	taf_text_init(&t, word, sizeof(word));
	taf_text_char(&t, ':');
	taf_text_u64(&t, st->ino);
	taf_text_char(&t, ' ');
	at = buf ? taf_find(buf, word) : NULL;
	/* Back over "08:02" to the number before it. */
	for (p = at; p && p > buf && p[-1] != ' '; p--)
		;
	for (p = p && p > buf ? p - 1 : NULL; p && p > buf && p[-1] != ' '; p--)
		;
	if (!p || !taf_read_u64(p, NULL, &pid) || pid > INT32_MAX)
		pid = 0;
	taf_sys_unmap(buf, LOCKS_MAX);
	return (int32_t)pid;
}

static void look_at_flock(const struct taf_lock_also *who, int fd, const char *path,
			  struct taf_lock_foreign *f)
{
	struct taf_stat st;
	int err = taf_sys_flock(fd, LOCK_SH | LOCK_NB);

	if (!err)
		return;
	if (err != -EWOULDBLOCK) {
		say(f, path, ": cannot be locked there: it is not honoured");
		return;
	}
	if (!taf_sys_fstat(fd, &st))
		f->pid = locker_of(&st);
	if (f->pid && is_of_run(f->pid, who->run))
		return;
	f->is_held = true;
	show(f, path, "it is locked");
}

void taf_lock_also_look(const struct taf_lock_also *who, const char *name,
			struct taf_lock_foreign *f)
{
	char path[TAF_PATH_MAX];
	struct taf_stat st;
	int fd;

	taf_zero(f, sizeof(*f));
	if (taf_lock_also_path(who, name, path, sizeof(path)))
		return;
	fd = taf_sys_open_any(path);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return;
	if (fd < 0 || taf_sys_fstat(fd, &st) || !S_ISREG(st.mode))
		say(f, path, ": cannot be read: it is not honoured");
	else if (name[0] == '/')
		look_at_flock(who, fd, path, f);
	else
		look_at_json(who, fd, path, f);
	/* Closing gives back what we locked of it. */
	if (fd >= 0)
		taf_sys_close(fd);
}
