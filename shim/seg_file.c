/* SPDX-License-Identifier: MIT */
/* seg_file.c -- one segment file: made, checked, flushed, given up. */
#include <errno.h>
#include <signal.h>

#include "../policy/text.h"
#include "seg.h"
#include "sys_file.h"

#define NUMBERS_TRIED 1000u
#define LEAST_SIZE (2 * TAF_RECORD_MAX) /* a start record and one more */

static char blank[16 * 1024]; /* newlines, the same in every thread */

static int set_path(struct taf_seg_file *f, const struct taf_seg *g, uint32_t number)
{
	struct taf_text t;

	taf_text_init(&t, f->path, sizeof(f->path));
	taf_text_put(&t, g->stem);
	taf_text_pad(&t, number, 3);
	taf_text_put(&t, ".jsonl");
	f->number = number;
	return t.is_cut ? -ENAMETOOLONG : 0;
}

static bool is_ours(const struct taf_seg_file *f, uint32_t *links)
{
	struct taf_stat st;

	if (f->fd < 0 || taf_sys_fstat(f->fd, &st))
		return false;
	*links = st.nlink;
	return st.dev == f->dev && st.ino == f->ino;
}

static int create(struct taf_seg_file *f, const struct taf_seg *g, uint32_t number)
{
	struct taf_stat st;
	int fd = -EEXIST, err;

	for (uint32_t i = 0; i < NUMBERS_TRIED && fd == -EEXIST; i++) {
		err = set_path(f, g, number + i);
		if (err)
			return err;
		fd = taf_sys_open(f->path, TAF_O_WRITE | TAF_O_CREATE);
	}
	if (fd < 0)
		return fd;
	f->fd = taf_sys_move_high(fd);
	err = taf_sys_fstat(f->fd, &st);
	f->dev = st.dev;
	f->ino = st.ino;
	return err;
}

static int fill(const struct taf_seg_file *f)
{
	uint64_t at = 0;

	for (size_t i = 0; i < sizeof(blank); i++)
		blank[i] = '\n';
	while (at < f->size) {
		uint64_t n = f->size - at < sizeof(blank) ? f->size - at : sizeof(blank);
		int64_t r = taf_sys_pwrite(f->fd, blank, n, at);

		if (r <= 0)
			return r ? (int)r : -ENOSPC;
		at += (uint64_t)r;
	}
	return 0;
}

int taf_seg_file_begin(struct taf_seg_file *f, const struct taf_seg *g, uint32_t number,
		       uint64_t size)
{
	uint64_t limit = taf_sys_fsize_limit(), mask, before;
	int err;

	f->fd = -1;
	f->size = size < limit ? size : limit;
	if (f->size < LEAST_SIZE)
		return -EFBIG;
	mask = taf_sys_block_signal(SIGXFSZ);
	before = taf_sys_pending();
	err = create(f, g, number);
	if (!err)
		err = fill(f);
	/* The limit was lowered under our feet: that signal is ours. */
	if (err == -EFBIG && !(before >> (SIGXFSZ - 1) & 1))
		taf_sys_take_signal(SIGXFSZ);
	taf_sys_restore_mask(mask);
	if (err)
		taf_seg_file_drop(f, f->fd >= 0);
	return err;
}

int taf_seg_file_make(struct taf_seg_file *f, const struct taf_seg *g, uint32_t number,
		      uint64_t size)
{
	int err = taf_seg_file_begin(f, g, number, size);

	if (err)
		return err;
	err = taf_sys_fdatasync(f->fd);
	if (!err)
		err = taf_sys_sync_dir(g->dir);
	if (err)
		taf_seg_file_drop(f, true);
	return err;
}

int taf_seg_file_check(struct taf_seg_file *f)
{
	uint32_t links = 0;
	bool is_here = is_ours(f, &links);
	int fd;

	if (is_here && links)
		return 0;
	/* Somebody closed our descriptor: the number is theirs now. */
	if (!is_here) {
		f->fd = -1;
		fd = taf_sys_open(f->path, TAF_O_WRITE);
		if (fd >= 0) {
			f->fd = fd;
			is_here = is_ours(f, &links);
			f->fd = is_here ? taf_sys_move_high(fd) : -1;
			if (!is_here)
				taf_sys_close(fd);
		}
	}
	if (is_here && links)
		return 0;
	taf_seg_file_drop(f, false);
	return -ENODATA;
}

int taf_seg_file_sync(struct taf_seg_file *f)
{
	uint32_t links = 0;
	int err = taf_sys_fdatasync(f->fd);

	/* Asked afterwards: if it is ours now, it was so all the time. */
	if ((!err || err == -EIO || err == -ENOSPC || err == -EDQUOT) && is_ours(f, &links))
		return err;
	err = taf_seg_file_check(f);
	return err ? err : taf_sys_fdatasync(f->fd);
}

void taf_seg_file_drop(struct taf_seg_file *f, bool remove)
{
	uint32_t links = 0;

	if (is_ours(f, &links))
		taf_sys_close(f->fd);
	if (remove)
		taf_sys_unlink(f->path);
	f->fd = -1;
}

uint64_t taf_seg_records_end(int fd, uint64_t size)
{
	uint64_t low = 0, high = size;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		char two[2] = { 0 };

		if (taf_sys_pread(fd, two, 2, mid) < 1)
			return low;
		if (two[0] == '\n' && (two[1] == '\n' || mid + 1 == size))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}
