/* SPDX-License-Identifier: MIT */
/* sys.h -- the operating system, as the shim sees it.
 *
 * Raw system calls: no libc, no errno, no allocation, callable before main,
 * in a fork child, in a signal handler and while every libc symbol is hooked.
 * One implementation a system: sys_linux.c.  Every function returns 0 or more
 * on success and -errno on failure unless its line says otherwise.
 */
#ifndef TAF_SYS_H
#define TAF_SYS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAF_BOOT_ID_LEN 32 /* hexadecimal digits */

struct taf_stat {
	uint64_t dev, ino, size;
	int64_t mtime_ns;
	uint32_t mode, uid, nlink;
};

/* One name of a directory; the next one is len bytes further. */
struct taf_dirent {
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

enum taf_open_flag {
	TAF_O_READ = 0,
	TAF_O_WRITE = 1,
	TAF_O_RDWR = 2,
	TAF_O_CREATE = 4, /* O_CREAT|O_EXCL: never opens what is there */
	TAF_O_DIR = 8,
};

/* Always O_CLOEXEC, O_NOFOLLOW and O_NOCTTY; creates with mode 0600. Follows
 * links only with taf_sys_open_any. */
int taf_sys_open(const char *path, unsigned flags);
int taf_sys_open_any(const char *path); /* read only, follows links */
int taf_sys_close(int fd);
int64_t taf_sys_read(int fd, void *buf, size_t n);
int64_t taf_sys_pread(int fd, void *buf, size_t n, uint64_t at);
int64_t taf_sys_write(int fd, const void *buf, size_t n);
int64_t taf_sys_pwrite(int fd, const void *buf, size_t n, uint64_t at);
int taf_sys_fdatasync(int fd);
int taf_sys_fsync(int fd);
int taf_sys_ftruncate(int fd, uint64_t size);
int taf_sys_allocate(int fd,
		     uint64_t size); /* real blocks: a later store cannot fail for lack of space */
int taf_sys_fstat(int fd, struct taf_stat *st);
int taf_sys_stat(const char *path, struct taf_stat *st); /* does not follow a link at the end */
int taf_sys_mkdir(const char *path); /* mode 0700 */
int taf_sys_unlink(const char *path);
int64_t taf_sys_readlink(const char *path, char *buf, size_t room); /* NUL-terminates */
int64_t taf_sys_getdents(int fd, void *buf, size_t n); /* rows of struct taf_dirent */
void *taf_sys_map(size_t n); /* anonymous, zeroed, private; NULL on failure */
void *taf_sys_map_file(int fd, size_t n, bool is_writable); /* shared; NULL on failure */
void taf_sys_unmap(void *p, size_t n);
int taf_sys_wipe_on_fork(void *p, size_t n); /* a fork child reads zeroes there */
int taf_sys_protect(void *p, size_t n, bool is_writable);

uint64_t taf_sys_mono_ns(void); /* CLOCK_MONOTONIC */
uint64_t taf_sys_boot_ns(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps */
uint64_t taf_sys_utc_us(void); /* since 1970 */
void taf_sys_sleep_ms(uint32_t ms);
void taf_sys_sleep_us(uint32_t us);

/* Sleeps while *word is seen, at most ms milliseconds (UINT32_MAX: no limit). */
int taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms);
void taf_sys_wake_all(_Atomic(uint32_t) *word);

int32_t taf_sys_pid(void);
int32_t taf_sys_ppid(void);
/* The current directory, absolute. 0 or -errno; -ENOENT: it is gone, or out of reach. */
int taf_sys_cwd(char *buf, size_t room);
int32_t taf_sys_tid(void);
uint32_t taf_sys_uid(void); /* effective */
/* Fills 32 hexadecimal digits and a NUL. */
int taf_sys_boot_id(char out[TAF_BOOT_ID_LEN + 1]);
int taf_sys_machine_id(char out[TAF_BOOT_ID_LEN + 1]);
/* Start time of a process in clock ticks since boot; pid 0 is oneself. 0 when
 * there is no such process. */
uint64_t taf_sys_start_ticks(int32_t pid);
uint64_t taf_sys_pid_ns(void); /* inode of the pid namespace, 0 unknown */
int taf_sys_random(void *buf, size_t n);
/* Soft limit on file size, UINT64_MAX when there is none. */
uint64_t taf_sys_fsize_limit(void);
/* Blocks SIGXFSZ in this thread and returns the mask to put back. */
uint64_t taf_sys_block_signal(int signo);
uint64_t taf_sys_block_all(void);
void taf_sys_restore_mask(uint64_t mask);
/* Ends every thread now. */
_Noreturn void taf_sys_exit_group(int status);
/* A bare thread without libc state that ends the process with *status after ms
 * milliseconds unless *is_done becomes non-zero. It calls nothing but the
 * kernel, so it works while libc is tearing itself down. */
int taf_sys_watchdog(uint32_t ms, _Atomic(uint32_t) *is_done, int status, void (*last_words)(void));
/* Whether this thread lets in any signal whose handler ends waits: one without SA_RESTART. */
bool taf_sys_may_break(void);
/* This thread is not cancelled until what that gave is put back. */
int taf_sys_bar_cancel(void);
void taf_sys_let_cancel(int was);
/* Puts the default action of signo back, unblocks it in this thread and raises it here. */
void taf_sys_die_of(int signo);
int taf_sys_tgkill(int32_t pid, int32_t tid, int signo);
int taf_sys_kill(int32_t pid, int signo);

#endif
