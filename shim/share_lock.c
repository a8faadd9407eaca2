/* SPDX-License-Identifier: MIT */
#include "share_lock.h"

#include <errno.h>
#include <sys/file.h>

#include "sys_file.h"

#define QUIET_NS 5000000000ull
/* Short against a section: who asks seldom is passed by those who ask often. */
#define STEP_US 150u

bool taf_threads_grab(struct taf_threads *t, uint32_t ms)
{
	uint64_t until, now;
	uint32_t is_free = 0;

	if (taf_threads_is_mine(t))
		return false;
	if (!atomic_compare_exchange_strong(&t->lock, &is_free, 1)) {
		until = taf_sys_mono_ns() + (uint64_t)ms * 1000000;
		while (atomic_exchange(&t->lock, 2)) {
			now = taf_sys_mono_ns();
			if (now >= until)
				return false;
			taf_sys_wait(&t->lock, 2, (uint32_t)((until - now) / 1000000 + 1));
		}
	}
	atomic_store(&t->owner, taf_sys_tid());
	return true;
}

void taf_threads_seize(struct taf_threads *t)
{
	atomic_store(&t->lock, 2);
	atomic_store(&t->owner, taf_sys_tid());
}

void taf_threads_release(struct taf_threads *t)
{
	atomic_store(&t->owner, 0);
	if (atomic_exchange(&t->lock, 0) == 2)
		taf_sys_wake_one(&t->lock);
}

bool taf_threads_is_mine(const struct taf_threads *t)
{
	int32_t owner = atomic_load(&t->owner);

	return owner && owner == taf_sys_tid();
}

static int open_file(const char *path)
{
	int fd = taf_sys_open(path, TAF_O_RDWR);

	if (fd == -ENOENT) {
		fd = taf_sys_open(path, TAF_O_RDWR | TAF_O_CREATE);
		if (fd == -EEXIST)
			fd = taf_sys_open(path, TAF_O_RDWR);
	}
	/* A lock can be taken on a read-only system, too. */
	return fd == -EROFS || fd == -EACCES ? taf_sys_open(path, TAF_O_READ) : fd;
}

static int wait_lock(struct taf_processes *p, int fd, uint32_t ms)
{
	uint64_t now = taf_sys_mono_ns(), until = now + (uint64_t)ms * 1000000;
	int err;

	if (now < p->quiet_until_ns)
		until = now + (uint64_t)ms * 100000;
	while ((err = taf_sys_flock(fd, LOCK_EX | LOCK_NB)) == -EAGAIN) {
		now = taf_sys_mono_ns();
		if (now >= until) {
			p->quiet_until_ns = now + QUIET_NS;
			return -ETIMEDOUT;
		}
		taf_sys_sleep_us(STEP_US);
	}
	return err;
}

int taf_processes_lock(struct taf_processes *p, const char *path, uint32_t ms)
{
	int fd = open_file(path), err;

	if (fd < 0)
		return fd;
	err = wait_lock(p, fd, ms);
	if (!err)
		err = taf_sys_fstat(fd, &p->at);
	if (err)
		taf_sys_close(fd);
	else
		p->fd = fd;
	return err;
}

/* The program may have closed it, and have a file of its own under that number. */
static bool is_ours(const struct taf_processes *p)
{
	struct taf_stat st;

	return p->fd >= 0 && !taf_sys_fstat(p->fd, &st) && st.dev == p->at.dev &&
	       st.ino == p->at.ino;
}

/* Unlocked first: a fork child may hold a copy, and closing ours would leave it locked. */
void taf_processes_unlock(struct taf_processes *p)
{
	if (is_ours(p)) {
		taf_sys_flock(p->fd, LOCK_UN);
		taf_sys_close(p->fd);
	}
	p->fd = -1;
}

void taf_processes_forget(struct taf_processes *p)
{
	if (is_ours(p))
		taf_sys_close(p->fd);
	p->fd = -1;
}
