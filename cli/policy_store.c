/* SPDX-License-Identifier: MIT */
#include "policy_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "replace.h"

/* Up to room bytes of a plain file. Their number or -errno. */
static ssize_t read_plain(int fd, void *buf, size_t room)
{
	struct stat st;
	size_t n = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EBADF;
	while (n < room) {
		ssize_t got = read(fd, (char *)buf + n, room - n);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)n;
}

bool taf_store_path(const char *state, const char *sha256, char *path, size_t room)
{
	int n = snprintf(path, room, "%s/policy/%s.bin", state, sha256);

	return n > 0 && (size_t)n < room;
}

int taf_store_hash(const char *file, char sha256[TAF_SHA256_HEX])
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = malloc(TAF_CONFIG_MAX + 1);
	ssize_t n = -ENOMEM;

	if (fd < 0)
		n = -errno;
	else if (text)
		n = read_plain(fd, text, TAF_CONFIG_MAX + 1);
	if (n > (ssize_t)TAF_CONFIG_MAX)
		n = -EFBIG;
	if (n >= 0)
		taf_sha256_hex(text, (size_t)n, sha256);
	if (fd >= 0)
		close(fd);
	free(text);
	return n < 0 ? (int)n : 0;
}

bool taf_store_take(const char *path, const char *sha256, struct taf_policy *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	memset(out, 0, sizeof(*out));
	if (!fstat(fd, &st) && st.st_uid == geteuid() && st.st_size <= (off_t)sizeof(*out))
		n = read_plain(fd, out, sizeof(*out));
	close(fd);
	return n >= 0 && taf_policy_is_valid(out, (size_t)n, NULL) && !strcmp(out->sha256, sha256);
}

/* 0 or -errno; a link or somebody else's directory is refused. */
static int own_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR;
	return st.st_uid == geteuid() ? 0 : -EPERM;
}

/* Every folder on the way to path. The last one's owner is checked by the caller. */
static void make_parents(const char *path)
{
	char part[PATH_MAX];

	if (!taf_copy(part, path, sizeof(part)))
		return;
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(part, 0700);
		*p = '/';
	}
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* Whether the file at path is what would be written. */
static bool is_there(const char *path, const struct taf_policy *p)
{
	struct taf_policy *old = malloc(sizeof(*old));
	bool is_same = old && taf_store_take(path, p->sha256, old) && old->check == p->check;

	free(old);
	return is_same;
}

/* Keeps n bytes as STATE/<what>/<sha256>.bin, which path is. 0 or -errno. */
static int put(const char *state, const char *what, const char *path, const void *data, size_t n)
{
	char dir[PATH_MAX];
	int err;

	if (snprintf(dir, sizeof(dir), "%s/%s", state, what) >= (int)sizeof(dir))
		return -ENAMETOOLONG;
	make_parents(state);
	err = own_dir(state);
	if (!err)
		err = own_dir(dir);
	if (!err)
		err = taf_replace(path, data, n, true);
	return err ? err : sync_dir(dir);
}

int taf_store_put(const char *state, const struct taf_policy *p)
{
	char path[PATH_MAX];

	if (!taf_store_path(state, p->sha256, path, sizeof(path)))
		return -ENAMETOOLONG;
	if (is_there(path, p))
		return 0;
	return put(state, "policy", path, p, taf_policy_bytes(p));
}

static bool registry_path(const char *state, const char *sha256, char *path, size_t room)
{
	int n = snprintf(path, room, "%s/registry/%s.bin", state, sha256);

	return n > 0 && (size_t)n < room;
}

bool taf_store_take_registry(const char *state, const char *sha256, struct taf_registry *out)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t n = -1;
	int fd;

	if (!registry_path(state, sha256, path, sizeof(path)))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && st.st_uid == geteuid() && st.st_size <= TAF_REGISTRY_MAX)
		n = read_plain(fd, out, TAF_REGISTRY_MAX);
	close(fd);
	return n >= 0 && taf_registry_is_valid(out, (size_t)n, NULL) &&
	       !strcmp(out->sha256, sha256);
}

int taf_store_put_registry(const char *state, const struct taf_registry *r)
{
	char path[PATH_MAX];

	if (!registry_path(state, r->sha256, path, sizeof(path)))
		return -ENAMETOOLONG;
	return put(state, "registry", path, r, r->bytes);
}
