/* SPDX-License-Identifier: MIT */
#include "share_file.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#include "../policy/text.h"
#include "state.h"
#include "sys_file.h"

#define TAIL 4096u /* looked at for the end of the last whole line */
#define NAMES_TRIED 16u

/* SIGXFSZ is blocked between begin and end, and taken away if it is ours. */
struct quiet {
	uint64_t mask, before;
};

static struct quiet begin_quiet(void)
{
	struct quiet q = { .mask = taf_sys_block_signal(SIGXFSZ) };

	q.before = taf_sys_pending();
	return q;
}

static int end_quiet(const struct quiet *q, int err)
{
	if (err == -EFBIG && !(q->before >> (SIGXFSZ - 1) & 1))
		taf_sys_take_signal(SIGXFSZ);
	taf_sys_restore_mask(q->mask);
	return err;
}

static int write_all(int fd, const struct taf_text *text, uint64_t at)
{
	size_t done = 0;

	while (done < text->used) {
		int64_t r = taf_sys_pwrite(fd, text->start + done, text->used - done, at + done);

		if (r <= 0)
			return r ? (int)r : -ENOSPC;
		done += (size_t)r;
	}
	return 0;
}

/* Ours, and a plain file: a fifo or device there is not read. */
static int check(int fd, struct taf_stat *st)
{
	int err = taf_sys_fstat(fd, st);

	if (err)
		return err;
	if (!S_ISREG(st->mode))
		return -EINVAL;
	return st->uid == taf_sys_uid() ? 0 : -EPERM;
}

int64_t taf_file_take(const char *path, char *buf, size_t room, struct taf_stat *st)
{
	int fd = taf_sys_open(path, TAF_O_READ);
	uint64_t from;
	int64_t got = 0, n = 0;
	int err;

	if (fd < 0)
		return fd;
	err = check(fd, st);
	from = !err && st->size > room ? st->size - room : 0;
	while (!err && (size_t)n < room &&
	       (got = taf_sys_pread(fd, buf + n, room - (size_t)n, from + (uint64_t)n)) > 0)
		n += got;
	taf_sys_close(fd);
	return err ? err : got < 0 ? got : n;
}

int64_t taf_file_head(const char *path, char *buf, size_t room)
{
	int fd = taf_sys_open(path, TAF_O_READ);
	int64_t n;

	if (fd < 0)
		return fd;
	n = taf_sys_pread(fd, buf, room, 0);
	taf_sys_close(fd);
	return n;
}

int taf_file_put(const char *dir, const char *name, const struct taf_text *text, bool is_durable)
{
	char path[TAF_PATH_MAX], fresh[TAF_PATH_MAX];
	struct taf_text t;
	struct quiet q;
	int fd, err;

	taf_dir_join(path, dir, name);
	taf_text_init(&t, fresh, sizeof(fresh));
	taf_text_put(&t, path);
	taf_text_put(&t, ".new");
	if (!path[0] || t.is_cut)
		return -ENAMETOOLONG;
	q = begin_quiet();
	taf_sys_unlink(fresh); /* of a writer that died */
	fd = taf_sys_open(fresh, TAF_O_WRITE | TAF_O_CREATE);
	err = fd < 0 ? fd : write_all(fd, text, 0);
	/* Also where losing the change is harmless: a name without its bytes is not. */
	if (!err)
		err = taf_sys_fdatasync(fd);
	if (fd >= 0)
		taf_sys_close(fd);
	if (!err)
		err = taf_sys_rename(fresh, path);
	if (err && fd >= 0)
		taf_sys_unlink(fresh);
	if (!err && is_durable)
		err = taf_sys_sync_dir(dir);
	return end_quiet(&q, err);
}

/* Where the last whole line ends, or -errno. */
static int64_t whole_end(int fd, uint64_t size)
{
	uint64_t least = size > TAIL ? size - TAIL : 0;
	char part[256];

	for (uint64_t end = size, from; end > least; end = from) {
		int64_t n;

		from = end - least > sizeof(part) ? end - sizeof(part) : least;
		n = taf_sys_pread(fd, part, (size_t)(end - from), from);
		if (n < 0)
			return n;
		while (n && part[n - 1] != '\n')
			n--;
		if (n)
			return (int64_t)from + n;
	}
	return (int64_t)least;
}

int taf_file_append(const char *path, const struct taf_text *text)
{
	struct quiet q = begin_quiet();
	int fd = taf_sys_open(path, TAF_O_RDWR);
	struct taf_stat st;
	int64_t end = 0;
	int err = fd < 0 ? fd : check(fd, &st);

	if (!err) {
		end = whole_end(fd, st.size);
		err = end < 0 ? (int)end : 0;
	}
	if (!err && (uint64_t)end < st.size)
		err = taf_sys_ftruncate(fd, (uint64_t)end);
	if (!err) {
		err = write_all(fd, text, (uint64_t)end);
		if (err)
			taf_sys_ftruncate(fd, (uint64_t)end);
	}
	if (!err)
		err = taf_sys_fsync(fd);
	if (fd >= 0)
		taf_sys_close(fd);
	return end_quiet(&q, err);
}

int taf_file_keep(const char *dir, const char *name, const char *tag, char kept[TAF_PATH_MAX])
{
	uint64_t utc_s = taf_sys_utc_us() / 1000000;
	char path[TAF_PATH_MAX];
	struct taf_text t;
	int err = taf_dir_join(path, dir, name);

	for (uint32_t i = 0; !err && i < NAMES_TRIED; i++) {
		taf_text_init(&t, kept, TAF_PATH_MAX);
		taf_text_put(&t, path);
		taf_text_put(&t, tag);
		taf_text_u64(&t, utc_s + i);
		err = t.is_cut ? -ENAMETOOLONG : taf_sys_link(path, kept);
		if (err != -EEXIST)
			return err;
		err = 0;
	}
	return err ? err : -EEXIST;
}
