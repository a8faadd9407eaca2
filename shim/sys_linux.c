/* SPDX-License-Identifier: MIT */
/* sys_linux.c -- files, memory and time by raw system calls.
 *
 * Calls that a signal may cut short are made again; everything else is the
 * kernel's answer as it stands.  The one call into libc is clock_gettime: it
 * is the vDSO behind a jump, ten times faster than the system call, and
 * touches errno only for clocks that do not exist.
 */
#include "sys_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "../policy/text.h"
#include "sys.h"
#include "sys_file.h"

#define HIGH_FD 1000u

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static int open_with(const char *path, int flags)
{
	long r;

	do
		r = taf_raw(SYS_openat, AT_FDCWD, TAF_PTR(path), flags | O_CLOEXEC | O_NOCTTY,
			    0600);
	while (r == -EINTR);
	return (int)r;
}

int taf_sys_open(const char *path, unsigned flags)
{
	int how = O_NOFOLLOW;

	how |= flags & TAF_O_RDWR ? O_RDWR : flags & TAF_O_WRITE ? O_WRONLY : O_RDONLY;
	how |= flags & TAF_O_CREATE ? O_CREAT | O_EXCL : 0;
	how |= flags & TAF_O_DIR ? O_DIRECTORY : 0;
	/* A fifo in the place of a file must not hold us up. */
	return open_with(path, how | O_NONBLOCK);
}

int taf_sys_open_any(const char *path)
{
	return open_with(path, O_RDONLY | O_NONBLOCK);
}

int taf_sys_close(int fd)
{
	return (int)taf_raw(SYS_close, fd);
}

int64_t taf_sys_read(int fd, void *buf, size_t n)
{
	long r;

	do
		r = taf_raw(SYS_read, fd, TAF_PTR(buf), (long)n);
	while (r == -EINTR);
	return r;
}

int64_t taf_sys_pread(int fd, void *buf, size_t n, uint64_t at)
{
	long r;

	do
		r = taf_raw(SYS_pread64, fd, TAF_PTR(buf), (long)n, (long)at);
	while (r == -EINTR);
	return r;
}

int64_t taf_sys_write(int fd, const void *buf, size_t n)
{
	long r;

	do
		r = taf_raw(SYS_write, fd, TAF_PTR(buf), (long)n);
	while (r == -EINTR);
	return r;
}

int64_t taf_sys_pwrite(int fd, const void *buf, size_t n, uint64_t at)
{
	long r;

	do
		r = taf_raw(SYS_pwrite64, fd, TAF_PTR(buf), (long)n, (long)at);
	while (r == -EINTR);
	return r;
}

int taf_sys_fdatasync(int fd)
{
	long r;

	do
		r = taf_raw(SYS_fdatasync, fd);
	while (r == -EINTR);
	return (int)r;
}

int taf_sys_fsync(int fd)
{
	long r;

	do
		r = taf_raw(SYS_fsync, fd);
	while (r == -EINTR);
	return (int)r;
}

int taf_sys_sync_dir(const char *path)
{
	int fd = taf_sys_open(path, TAF_O_READ | TAF_O_DIR), err;

	if (fd < 0)
		return fd;
	err = taf_sys_fsync(fd);
	taf_sys_close(fd);
	return err;
}

int taf_sys_ftruncate(int fd, uint64_t size)
{
	long r;

	do
		r = taf_raw(SYS_ftruncate, fd, (long)size);
	while (r == -EINTR);
	return (int)r;
}

/* File systems without fallocate get their blocks by being written. */
static int write_zeroes(int fd, uint64_t size)
{
	static const char zero[4096];
	uint64_t at = 0;

	while (at < size) {
		uint64_t n = size - at < sizeof(zero) ? size - at : sizeof(zero);
		int64_t r = taf_sys_pwrite(fd, zero, n, at);

		if (r <= 0)
			return r ? (int)r : -ENOSPC;
		at += (uint64_t)r;
	}
	return 0;
}

int taf_sys_allocate(int fd, uint64_t size)
{
	long r;

	do
		r = taf_raw(SYS_fallocate, fd, 0, 0, (long)size);
	while (r == -EINTR);
	if (r == -EOPNOTSUPP || r == -ENOSYS)
		return write_zeroes(fd, size);
	return (int)r;
}

static void take_stat(struct taf_stat *to, const struct stat *st)
{
	to->dev = st->st_dev;
	to->ino = st->st_ino;
	to->size = (uint64_t)st->st_size;
	to->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	to->mode = st->st_mode;
	to->uid = st->st_uid;
	to->nlink = (uint32_t)st->st_nlink;
}

int taf_sys_fstat(int fd, struct taf_stat *st)
{
	struct stat k;
	long r = taf_raw(SYS_fstat, fd, TAF_PTR(&k));

	if (!r)
		take_stat(st, &k);
	return (int)r;
}

int taf_sys_stat(const char *path, struct taf_stat *st)
{
	struct stat k;
	long r = taf_raw(SYS_newfstatat, AT_FDCWD, TAF_PTR(path), TAF_PTR(&k), AT_SYMLINK_NOFOLLOW);

	if (!r)
		take_stat(st, &k);
	return (int)r;
}

int taf_sys_socket(void)
{
	return (int)taf_raw(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int taf_sys_send(int fd, const char *path, const void *buf, size_t n)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	long r;

	if (!taf_copy(to.sun_path, path, sizeof(to.sun_path)))
		return -ENAMETOOLONG;
	do
		r = taf_raw(SYS_sendto, fd, TAF_PTR(buf), (long)n, MSG_NOSIGNAL | MSG_DONTWAIT,
			    TAF_PTR(&to), (long)sizeof(to));
	while (r == -EINTR);
	return r < 0 ? (int)r : 0;
}

int taf_sys_mkdir(const char *path)
{
	return (int)taf_raw(SYS_mkdirat, AT_FDCWD, TAF_PTR(path), 0700);
}

int taf_sys_unlink(const char *path)
{
	return (int)taf_raw(SYS_unlinkat, AT_FDCWD, TAF_PTR(path), 0);
}

int taf_sys_flock(int fd, int how)
{
	long r;

	do
		r = taf_raw(SYS_flock, fd, how);
	while (r == -EINTR);
	return (int)r;
}

/* As the C library calls it: a filter of system calls may know no other. */
int taf_sys_rename(const char *from, const char *to)
{
#ifdef SYS_rename
	return (int)taf_raw(SYS_rename, TAF_PTR(from), TAF_PTR(to));
#else
	return (int)taf_raw(SYS_renameat2, AT_FDCWD, TAF_PTR(from), AT_FDCWD, TAF_PTR(to), 0);
#endif
}

int taf_sys_link(const char *from, const char *to)
{
	return (int)taf_raw(SYS_linkat, AT_FDCWD, TAF_PTR(from), AT_FDCWD, TAF_PTR(to), 0);
}

int64_t taf_sys_readlink(const char *path, char *buf, size_t room)
{
	long r;

	if (!room)
		return -EINVAL;
	r = taf_raw(SYS_readlinkat, AT_FDCWD, TAF_PTR(path), TAF_PTR(buf), (long)room - 1);
	buf[r > 0 ? r : 0] = '\0';
	return r;
}

int64_t taf_sys_getdents(int fd, void *buf, size_t n)
{
	return taf_raw(SYS_getdents64, fd, TAF_PTR(buf), (long)n);
}

int taf_sys_move_fd(int fd, int from)
{
	long r = taf_raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, from);

	if (r < 0)
		return fd;
	taf_sys_close(fd);
	return (int)r;
}

int taf_sys_move_high(int fd)
{
	uint64_t half = taf_sys_fd_limit() / 2;

	return taf_sys_move_fd(fd, (int)(half < HIGH_FD ? half : HIGH_FD));
}

static void *map(int fd, size_t n, int protection, int flags)
{
	long r = taf_raw(SYS_mmap, 0, (long)n, protection, flags, fd, 0);

	return r < 0 && r > -4096 ? NULL : (void *)r;
}

void *taf_sys_map(size_t n)
{
	return map(-1, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

void *taf_sys_map_file(int fd, size_t n, bool is_writable)
{
	return map(fd, n, PROT_READ | (is_writable ? PROT_WRITE : 0), MAP_SHARED);
}

void taf_sys_unmap(void *p, size_t n)
{
	if (p)
		taf_raw(SYS_munmap, TAF_PTR(p), (long)n);
}

int taf_sys_cover(void *p, size_t n)
{
	long r = taf_raw(SYS_mmap, TAF_PTR(p), (long)n, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return r < 0 && r > -4096 ? (int)r : 0;
}

int taf_sys_wipe_on_fork(void *p, size_t n)
{
	return (int)taf_raw(SYS_madvise, TAF_PTR(p), (long)n, MADV_WIPEONFORK);
}

int taf_sys_populate(void *p, size_t n)
{
	uintptr_t from = (uintptr_t)p & ~(uintptr_t)4095;
	long r;

	do
		r = taf_raw(SYS_madvise, (long)from, (long)((uintptr_t)p + n - from),
			    MADV_POPULATE_WRITE);
	while (r == -EINTR);
	return (int)r;
}

int taf_sys_protect(void *p, size_t n, bool is_writable)
{
	return (int)taf_raw(SYS_mprotect, TAF_PTR(p), (long)n,
			    PROT_READ | (is_writable ? PROT_WRITE : 0));
}

static uint64_t clock_ns(clockid_t which)
{
	struct timespec t = { 0, 0 };

	clock_gettime(which, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t taf_sys_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t taf_sys_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t taf_sys_utc_us(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000;
}

static void sleep_for(struct timespec t)
{
	while (taf_raw(SYS_nanosleep, TAF_PTR(&t), TAF_PTR(&t)) == -EINTR)
		;
}

void taf_sys_sleep_ms(uint32_t ms)
{
	sleep_for((struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 });
}

void taf_sys_sleep_us(uint32_t us)
{
	sleep_for((struct timespec){ us / 1000000, (long)(us % 1000000) * 1000 });
}

int taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	long limit = ms == UINT32_MAX ? 0 : TAF_PTR(&t);

	return (int)taf_raw(SYS_futex, TAF_PTR(word), FUTEX_WAIT_PRIVATE, (long)seen, limit);
}

void taf_sys_wake_all(_Atomic(uint32_t) *word)
{
	taf_raw(SYS_futex, TAF_PTR(word), FUTEX_WAKE_PRIVATE, INT32_MAX);
}

void taf_sys_wake_one(_Atomic(uint32_t) *word)
{
	taf_raw(SYS_futex, TAF_PTR(word), FUTEX_WAKE_PRIVATE, 1);
}
