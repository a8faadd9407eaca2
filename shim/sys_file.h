/* SPDX-License-Identifier: MIT */
/* sys_file.h -- what the segment writer asks of the system besides sys.h. */
#ifndef TAF_SYS_FILE_H
#define TAF_SYS_FILE_H

#include "sys.h"

/* Moves fd to a number of at least from, close-on-exec; fd itself is closed.
 * Returns the new number, or fd unchanged when there is no room above. */
int taf_sys_move_fd(int fd, int from);
/* The same, out of the way of programs that count on low numbers or close all of them. */
int taf_sys_move_high(int fd);
/* Soft limit on the number of descriptors, UINT64_MAX when there is none. */
uint64_t taf_sys_fd_limit(void);
/* Blocks every signal in this thread but those that a fault of its own raises
 * (SIGSEGV, SIGSYS of a sandbox...): blocked, they kill. Returns the old mask. */
uint64_t taf_sys_block_outside(void);
/* Signals pending for this thread or its process, one bit each, signal 1 lowest. */
uint64_t taf_sys_pending(void);
/* Takes one pending signo away; it must be blocked. */
void taf_sys_take_signal(int signo);
/* Wakes one of those who taf_sys_wait for word. */
void taf_sys_wake_one(_Atomic(uint32_t) *word);
/* Puts zeroed private memory in the place of a mapping. */
int taf_sys_cover(void *p, size_t n);
/* Pages for n bytes of a mapping, so that no store to them can fail. p lies where a page
 * of 4 KiB begins, or in one. -EINVAL: this kernel cannot; -EFAULT: there is no space. */
int taf_sys_populate(void *p, size_t n);
/* how: LOCK_SH, LOCK_EX or LOCK_UN, or-ed with LOCK_NB, of <sys/file.h>. */
int taf_sys_flock(int fd, int how);
int taf_sys_rename(const char *from, const char *to);
/* A second name for what from names. */
int taf_sys_link(const char *from, const char *to);
/* What one read of a small file gives, at most room - 1 bytes, closed by a NUL. Bytes or -errno. */
int64_t taf_sys_text(const char *path, char *buf, size_t room);
/* A socket for datagrams to local ones, close-on-exec, or -errno. */
int taf_sys_socket(void);
/* One datagram to the local socket at path, never waiting. 0 or -errno. */
int taf_sys_send(int fd, const char *path, const void *buf, size_t n);
/* Flushes a directory, so that a name in it survives. */
int taf_sys_sync_dir(const char *path);

#endif
