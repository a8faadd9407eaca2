/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tell.h"
#include "verbs.h"

/* What glibc searches when there is no PATH. */
#define PATH_DEFAULT "/bin:/usr/bin"
#define SHELL "/bin/sh"

/* As execve would see path: 0 or -errno. */
static int may_execute(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		return -errno;
	return 0;
}

static int try_path(const char *path, struct taf_target *target)
{
	int err = may_execute(path);

	if (err)
		return err;
	err = taf_target_look(path, target);
	if (err && err != -ENOENT)
		return err;
	return target->missing[0] ? -ENOENT : 0;
}

/* The errors after which execvp goes on with the next folder. */
static bool goes_on(int err)
{
	return err == -EACCES || err == -ENOENT || err == -ENOTDIR || err == -ESTALE ||
	       err == -ENODEV || err == -ETIMEDOUT;
}

/* Writes folder[0..n) "/" name into path. False when it does not fit. */
static bool join(char path[PATH_MAX], const char *folder, size_t n, const char *name)
{
	size_t len = strlen(name);

	if (n + 1 + len + 1 > PATH_MAX)
		return false;
	memcpy(path, folder, n);
	if (n)
		path[n++] = '/';
	memcpy(path + n, name, len + 1);
	return true;
}

static int search(const char *name, const char *folders, struct taf_target *target)
{
	struct taf_target broken = { .missing = "" };
	bool is_denied = false;
	char path[PATH_MAX];
	int err;

	for (const char *at = folders;; at++) {
		size_t n = strcspn(at, ":");

		if (join(path, at, n, name)) {
			err = try_path(path, target);
			if (!goes_on(err))
				return err;
			is_denied = is_denied || err == -EACCES;
			if (err == -ENOENT && target->missing[0] && !broken.missing[0])
				broken = *target;
		}
		at += n;
		if (!*at)
			break;
	}
	*target = broken;
	return is_denied ? -EACCES : -ENOENT;
}

int taf_launch_find(const char *name, struct taf_target *target)
{
	const char *folders = getenv("PATH");

	memset(target, 0, sizeof(*target));
	if (!*name)
		return -ENOENT;
	if (strchr(name, '/'))
		return strlen(name) < PATH_MAX ? try_path(name, target) : -ENAMETOOLONG;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	return search(name, folders ? folders : PATH_DEFAULT, target);
}

int taf_launch_failed(const char *name, const struct taf_target *target, int err)
{
	struct stat st;

	if (target && target->missing[0]) {
		taf_tell("%s cannot run: it asks for %s, which is not there", target->path,
			 target->missing);
		return TAF_EXIT_NOT_EXECUTABLE;
	}
	if (err == -ENOENT && !strchr(name, '/')) {
		taf_tell("there is no command \"%s\" in PATH", name);
		return TAF_EXIT_NOT_FOUND;
	}
	if (err == -ENOENT) {
		taf_tell("there is no file %s to run", *name ? name : "\"\"");
		return TAF_EXIT_NOT_FOUND;
	}
	if (err == -EACCES && strchr(name, '/') && !stat(name, &st) && S_ISDIR(st.st_mode))
		err = -EISDIR;
	taf_tell("%s cannot be executed: %s", name, strerror(-err));
	return TAF_EXIT_NOT_EXECUTABLE;
}

/* Whether the file begins as a program for a machine, which no shell can read. */
static bool is_binary(const char *path)
{
	char head[4] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_elf;

	if (fd < 0)
		return false;
	is_elf = read(fd, head, 4) == 4 && !memcmp(head, "\177ELF", 4);
	close(fd);
	return is_elf;
}

static int exec_by_shell(const struct taf_launch *l, char **env)
{
	size_t argc = 0;
	char **argv;
	int err;

	while (l->argv[argc])
		argc++;
	argv = calloc(argc + 2, sizeof(*argv));
	if (!argv)
		return -ENOMEM;
	argv[0] = (char *)(uintptr_t)SHELL;
	argv[1] = (char *)(uintptr_t)l->target->path;
	for (size_t i = 1; i < argc; i++)
		argv[i + 1] = l->argv[i];
	execve(SHELL, argv, env);
	err = -errno;
	free(argv);
	return err;
}

static int exec_once(const struct taf_launch *l, char **env)
{
	execve(l->target->path, l->argv, env);
	if (errno != ENOEXEC || is_binary(l->target->path))
		return -errno;
	return exec_by_shell(l, env);
}

int taf_launch_exec(const struct taf_launch *launch)
{
	int err = exec_once(launch, launch->env);

	/* Our additions must not be what makes it too big. */
	if (err == -E2BIG && launch->env_plain) {
		taf_tell("%s runs unguarded: its arguments and environment leave no room",
			 launch->argv[0]);
		err = exec_once(launch, launch->env_plain);
	}
	return err;
}
