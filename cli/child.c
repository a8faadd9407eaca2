/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0, or an errno. */
static int start(char *const *argv, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return err;
	err = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!err)
		err = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (!err)
		err = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

/* Until the other end is closed or the time is over; what has no room is thrown away. */
static void drain(int fd, long until, char *buf, size_t room)
{
	long left;
	size_t used = 0;
	char waste[512];

	while ((left = until - now_ms()) > 0) {
		struct pollfd p = { fd, POLLIN, 0 };
		size_t free = room - 1 - used;
		ssize_t n;

		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, free ? buf + used : waste, free ? free : sizeof(waste));
		if (!n || (n < 0 && errno != EINTR))
			break;
		used += free && n > 0 ? (size_t)n : 0;
	}
	buf[used] = '\0';
}

/* The child's status; one that has closed its output and goes on is killed in time. */
static int reap(pid_t pid, long until)
{
	const struct timespec pause = { 0, 2000000 };
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 && now_ms() < until)
		nanosleep(&pause, NULL);
	if (!got) {
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		return -ETIMEDOUT;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

int taf_child_read(char *const *argv, int ms, char *buf, size_t room)
{
	long until = now_ms() + ms;
	int ends[2], err;
	pid_t pid;

	buf[0] = '\0';
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	err = -start(argv, ends[1], &pid);
	close(ends[1]);
	if (!err) {
		drain(ends[0], until, buf, room);
		err = reap(pid, until);
	}
	close(ends[0]);
	return err;
}
