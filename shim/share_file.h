/* SPDX-License-Identifier: MIT */
/* share_file.h -- the files of the shared state: read, replaced, appended to.
 *
 * For who holds the lock of share.c.  A file is replaced by writing
 * <name>.new, flushing it, and renaming it, so that a reader without the lock
 * sees the old one or the new one, and a panic leaves one of both.  Only plain
 * files of our own user are read.  RLIMIT_FSIZE is an error here, not a signal
 * for the guest.
 */
#ifndef TAF_SHARE_FILE_H
#define TAF_SHARE_FILE_H

#include "../policy/text.h"
#include "crumb.h"
#include "sys.h"

/* The end of the file, at most room bytes: how many, or -errno. st may say more. */
int64_t taf_file_take(const char *path, char *buf, size_t room, struct taf_stat *st);
/* The first bytes of the file, at most room: how many, or -errno. */
int64_t taf_file_head(const char *path, char *buf, size_t room);
/* 0 or -errno; with is_durable the directory is flushed, too. */
int taf_file_put(const char *dir, const char *name, const struct taf_text *text, bool is_durable);
/* Adds text, cutting off a last line that was never finished, and flushes. 0 or -errno. */
int taf_file_append(const char *path, const struct taf_text *text);
/* Keeps the file under a second name, <name><tag><utc>, told in kept. 0 or -errno. */
int taf_file_keep(const char *dir, const char *name, const char *tag, char kept[TAF_PATH_MAX]);

#endif
