/* SPDX-License-Identifier: MIT */
#include "stacks.h"

#include <errno.h>

#include "../policy/text.h"
#include "rec.h"
#include "state.h"

#define THREADS_MAX 512u
#define PART_MAX 16384u /* bytes of one file of a thread */
#define MAPS_MAX (1u << 20)

struct capture {
	int fd;
	int32_t pid;
	uint32_t threads;
	int err; /* of the first write that failed */
};

static void put(struct capture *c, const char *s, size_t n)
{
	int64_t done = c->err ? 0 : taf_sys_write(c->fd, s, n);

	if (done < 0)
		c->err = (int)done;
}

static void say(struct capture *c, const char *s)
{
	put(c, s, taf_len(s));
}

/* /proc/PID/task/TID/leaf, or without a thread /proc/PID/leaf. */
static void proc_path(char *path, size_t room, const struct capture *c, const char *tid,
		      const char *leaf)
{
	struct taf_text t;

	taf_text_init(&t, path, room);
	taf_text_put(&t, "/proc/");
	taf_text_i64(&t, c->pid);
	if (tid) {
		taf_text_put(&t, "/task/");
		taf_text_put(&t, tid);
	}
	taf_text_char(&t, '/');
	taf_text_put(&t, leaf);
}

static void say_unreadable(struct capture *c, int64_t err)
{
	char line[64];
	struct taf_text t;

	taf_text_init(&t, line, sizeof(line));
	if (err == -EACCES || err == -EPERM) {
		taf_text_put(&t, "(not allowed)");
	} else {
		taf_text_put(&t, "(not readable, errno ");
		taf_text_i64(&t, -err);
		taf_text_char(&t, ')');
	}
	say(c, line);
}

/* Copies the file, at most max bytes of it, and closes it with a newline. */
static void copy(struct capture *c, const char *path, size_t max)
{
	char buf[1024], last = '\n';
	int fd = taf_sys_open_any(path);
	int64_t got = fd;
	size_t n = 0;

	while (fd >= 0 && n < max &&
	       (got = taf_sys_read(fd, buf, max - n < sizeof(buf) ? max - n : sizeof(buf))) > 0) {
		put(c, buf, (size_t)got);
		last = buf[got - 1];
		n += (size_t)got;
	}
	if (fd >= 0)
		taf_sys_close(fd);
	if (!n && got < 0)
		say_unreadable(c, got);
	if (n >= max)
		say(c, "\n(cut)");
	if (!n || last != '\n' || n >= max)
		say(c, "\n");
}

static void copy_part(struct capture *c, const char *tid, const char *leaf, const char *label)
{
	char path[96];

	say(c, label);
	proc_path(path, sizeof(path), c, tid, leaf);
	copy(c, path, PART_MAX);
}

static void put_thread(struct capture *c, const char *tid)
{
	say(c, "== thread ");
	say(c, tid);
	copy_part(c, tid, "comm", " ");
	copy_part(c, tid, "wchan", "wchan: ");
	copy_part(c, tid, "syscall", "syscall: ");
	copy_part(c, tid, "stack", "kernel stack:\n");
	c->threads++;
}

/* Calls fn for each name of a directory but those that begin with a dot. */
static void each_name(const char *path, void (*fn)(struct capture *c, const char *name),
		      struct capture *c)
{
	_Alignas(struct taf_dirent) char rows[1024];
	int fd = taf_sys_open(path, TAF_O_READ | TAF_O_DIR);
	int64_t got;

	while (fd >= 0 && (got = taf_sys_getdents(fd, rows, sizeof(rows))) > 0)
		for (int64_t at = 0; at < got && c->threads < THREADS_MAX;) {
			struct taf_dirent *row = (struct taf_dirent *)(void *)(rows + at);

			if (row->name[0] != '.')
				fn(c, row->name);
			at += row->len;
		}
	if (fd >= 0)
		taf_sys_close(fd);
}

static void count(struct capture *c, const char *name)
{
	(void)name;
	c->threads++;
}

static int make_dir(const char *dir)
{
	struct capture seen = { 0 };
	int err = taf_dir_make(dir, NULL);

	if (err)
		return err;
	each_name(dir, count, &seen);
	return seen.threads >= TAF_STACKS_MAX ? -EDQUOT : 0;
}

/* "20261125T200812Z" */
static void put_stamp(struct taf_text *t)
{
	char full[40];
	struct taf_text u;

	taf_text_init(&u, full, sizeof(full));
	taf_rec_put_time(&u, taf_sys_utc_us());
	for (const char *p = full; *p && *p != '.'; p++)
		if (*p != '-' && *p != ':')
			taf_text_char(t, *p);
	taf_text_char(t, 'Z');
}

static int create(const char *dir, const char *name, char path[TAF_PATH_MAX])
{
	struct taf_text t;
	int fd;

	for (unsigned i = 0; i < 10; i++) {
		taf_text_init(&t, path, TAF_PATH_MAX);
		taf_text_put(&t, dir);
		taf_text_char(&t, '/');
		taf_text_put(&t, name);
		taf_text_char(&t, '-');
		put_stamp(&t);
		if (i) {
			taf_text_char(&t, '-');
			taf_text_u64(&t, i);
		}
		taf_text_put(&t, ".txt");
		if (t.is_cut)
			return -ENAMETOOLONG;
		fd = taf_sys_open(path, TAF_O_WRITE | TAF_O_CREATE);
		if (fd != -EEXIST)
			return fd;
	}
	return -EEXIST;
}

static void put_all(struct capture *c)
{
	char line[96];
	struct taf_text t;

	taf_text_init(&t, line, sizeof(line));
	taf_text_put(&t, "taffrail stacks of pid ");
	taf_text_i64(&t, c->pid);
	taf_text_char(&t, '\n');
	say(c, line);
	proc_path(line, sizeof(line), c, NULL, "task");
	each_name(line, put_thread, c);
	say(c,
	    c->threads >= THREADS_MAX ? "(further threads are left out)\n== maps\n" : "== maps\n");
	proc_path(line, sizeof(line), c, NULL, "maps");
	copy(c, line, MAPS_MAX);
}

int taf_stacks_write(const char *dir, const char *name, int32_t pid, char path[TAF_PATH_MAX])
{
	struct capture c = { .pid = pid };
	int err;

	path[0] = '\0';
	err = make_dir(dir);
	if (err)
		return err;
	c.fd = create(dir, name, path);
	if (c.fd < 0) {
		path[0] = '\0';
		return c.fd;
	}
	put_all(&c);
	taf_sys_close(c.fd);
	return c.err;
}
