/* SPDX-License-Identifier: MIT */
#include "state_cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "sessions.h"
#include "tell.h"
#include "verbs.h"

/* The first segment of a session and what a policy needs. */
#define ROOM_NEEDED (128ul * 1024)
#define FOREIGN_ADVICE "name one of your own with --state or TAFFRAIL_STATE"

static int join(char to[PATH_MAX], const char *a, const char *b)
{
	int n = snprintf(to, PATH_MAX, "%s/%s", a, b);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Makes path absolute and takes the '/' off its end, which would follow a link. */
static int settle(const char *path, char to[PATH_MAX])
{
	char here[PATH_MAX] = "";
	size_t n;
	int err;

	if (*path != '/' && !getcwd(here, sizeof(here)))
		return -errno;
	if (*path == '/')
		err = (size_t)snprintf(to, PATH_MAX, "%s", path) >= PATH_MAX ? -ENAMETOOLONG : 0;
	else
		err = join(to, strcmp(here, "/") ? here : "", path);
	n = strlen(to);
	while (!err && n > 1 && to[n - 1] == '/')
		to[--n] = '\0';
	return err;
}

int taf_state_find(const char *asked, struct taf_state_dir *dir)
{
	static const char tail[] = "/crumbs";
	char crumbs[TAF_PATH_MAX];
	size_t n;
	int err;

	memset(dir, 0, sizeof(*dir));
	if (!asked)
		asked = getenv("TAFFRAIL_STATE");
	dir->is_asked = asked && *asked;
	if (dir->is_asked)
		return settle(asked, dir->path);
	err = taf_crumbs_dir(crumbs, NULL);
	if (err)
		return err;
	n = strlen(crumbs) - (sizeof(tail) - 1);
	memcpy(dir->path, crumbs, n);
	return 0;
}

bool taf_state_is_there(const struct taf_state_dir *dir)
{
	return dir->path[0] && access(dir->path, F_OK) == 0;
}

int taf_state_is_named(const char *verb, const char *asked)
{
	if (!asked || !*asked || access(asked, F_OK) == 0)
		return 0;
	taf_tell("%s: --state %s: %s", verb, asked, strerror(errno));
	return TAF_EXIT_USAGE;
}

bool taf_state_is_own(const struct taf_state_dir *dir)
{
	struct stat st;

	return stat(dir->path, &st) ? errno != EACCES : st.st_uid == geteuid();
}

void taf_state_foreign(const struct taf_state_dir *dir, char *why, size_t room)
{
	struct stat st;

	if (stat(dir->path, &st))
		snprintf(why, room,
			 "the state directory %s cannot be reached by user %u; " FOREIGN_ADVICE,
			 dir->path, (unsigned)geteuid());
	else
		snprintf(why, room,
			 "the state directory %s belongs to user %u, not to user %u; ask as that "
			 "user, or " FOREIGN_ADVICE,
			 dir->path, (unsigned)st.st_uid, (unsigned)geteuid());
}

void taf_state_tell_unread(const char *verb, const char *crumbs, int err)
{
	char dir[PATH_MAX];
	struct stat st;
	char *slash;

	snprintf(dir, sizeof(dir), "%s", crumbs);
	slash = strrchr(dir, '/');
	if (stat(dir, &st) && slash) {
		slash[slash == dir] = '\0';
		if (stat(dir, &st))
			st.st_uid = geteuid();
	}
	if (err == -EACCES && st.st_uid != geteuid())
		taf_tell("%s: %s cannot be read: it belongs to user %u, not to user %u; ask as "
			 "that user or as root",
			 verb, crumbs, (unsigned)st.st_uid, (unsigned)geteuid());
	else
		taf_tell("%s: %s cannot be read: %s", verb, crumbs, strerror(-err));
}

void taf_state_sub(const struct taf_state_dir *dir, const char *name, char *path, size_t room)
{
	if ((size_t)snprintf(path, room, "%s/%s", dir->path, name) >= room)
		path[0] = '\0';
}

static bool say(char *why, size_t room, const char *path, const char *what)
{
	snprintf(why, room, "the state directory %s %s", path, what);
	return false;
}

/* What forbids writing at path, which exists; NULL: nothing. */
static const char *obstacle(const char *path)
{
	struct statvfs fs;
	fsblkcnt_t blocks;

	if (statvfs(path, &fs))
		return "cannot be looked at";
	if (fs.f_flag & ST_RDONLY)
		return "is on a file system that is read-only";
	if (!fs.f_blocks)
		return "is on a file system that the kernel makes up, where no folder can be made";
	if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS))
		return "is not writable";
	blocks = geteuid() ? fs.f_bavail : fs.f_bfree;
	if (blocks < (ROOM_NEEDED + fs.f_frsize - 1) / fs.f_frsize)
		return "is on a full file system";
	if (fs.f_files && !(geteuid() ? fs.f_favail : fs.f_ffree))
		return "is on a file system without free inodes";
	return NULL;
}

/* One directory that exists; what the guard itself would refuse. */
static bool check_dir(const char *path, const struct stat *st, char *why, size_t room)
{
	const char *what = NULL;
	char text[160];

	if (S_ISLNK(st->st_mode))
		return say(why, room, path, "is a symbolic link; name the directory itself");
	if (!S_ISDIR(st->st_mode))
		return say(why, room, path, "is not a directory");
	if (st->st_uid != geteuid()) {
		snprintf(text, sizeof(text), "belongs to user %u, not to user %u; " FOREIGN_ADVICE,
			 (unsigned)st->st_uid, (unsigned)geteuid());
		return say(why, room, path, text);
	}
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(text, sizeof(text), "may be written by others (mode %04o); chmod 700 it",
			 (unsigned)st->st_mode & 07777);
		return say(why, room, path, text);
	}
	what = obstacle(path);
	return what ? say(why, room, path, what) : true;
}

/* dir is not there: can it be made? */
static bool check_parent(const struct taf_state_dir *dir, char *why, size_t room)
{
	char path[PATH_MAX], text[PATH_MAX + 64];
	const char *what;
	struct stat st;
	char *slash;
	int err;

	snprintf(path, sizeof(path), "%s", dir->path);
	do {
		slash = strrchr(path, '/');
		if (!slash)
			return true;
		slash[slash == path] = '\0';
		err = stat(path, &st) ? -errno : 0;
	} while (err == -ENOENT && path[1]);
	if (err)
		what = strerror(-err);
	else if (!S_ISDIR(st.st_mode))
		what = "is not a directory";
	else
		what = obstacle(path);
	if (!what)
		return true;
	snprintf(text, sizeof(text), "cannot be made: %s %s", path, what);
	return say(why, room, dir->path, text);
}

bool taf_state_check(const struct taf_state_dir *dir, char *why, size_t room)
{
	static const char *const subs[] = { "crumbs", "policy" };
	char path[PATH_MAX];
	struct stat st;

	if (lstat(dir->path, &st)) {
		if (errno == ENOENT)
			return check_parent(dir, why, room);
		return say(why, room, dir->path, "cannot be reached");
	}
	if (!check_dir(dir->path, &st, why, room))
		return false;
	for (size_t i = 0; i < sizeof(subs) / sizeof(*subs); i++) {
		taf_state_sub(dir, subs[i], path, sizeof(path));
		if (!lstat(path, &st) && !check_dir(path, &st, why, room))
			return false;
	}
	return true;
}

/* mkdir -p, private from the last folder on. */
static int make_path(const char *path)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *at = part + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(part, 0700) && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return mkdir(part, 0700) && errno != EEXIST ? -errno : 0;
}

int taf_state_make(const struct taf_state_dir *dir)
{
	char path[PATH_MAX];

	taf_state_sub(dir, "crumbs", path, sizeof(path));
	return path[0] ? make_path(path) : -ENAMETOOLONG;
}
