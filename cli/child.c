/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../shim/sys.h"

#define ERR_ROOM 4096u

struct listener {
	int fd;
	char *text;
	size_t n, room;
	bool is_cut;
};

/* Pipes that the child does not keep; to[0] is our end. */
static int make_pipe(int to[2])
{
	return pipe2(to, O_CLOEXEC) ? -errno : 0;
}

static int start(char *const argv[], int out, int err, pid_t *pid)
{
	static char *const bare[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&how);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawn_file_actions_adddup2(&files, err, 2);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(pid, argv[0], &files, &how, argv, bare);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	return -rc;
}

/* True as long as there may be more. */
static bool listen_once(struct listener *l)
{
	char spill[512];
	ssize_t got;

	if (l->n < l->room) {
		got = read(l->fd, l->text + l->n, l->room - l->n);
		l->n += got > 0 ? (size_t)got : 0;
	} else {
		got = read(l->fd, spill, sizeof(spill));
		l->is_cut = l->is_cut || got > 0;
	}
	return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Until both are closed; false when the time was over first, or out overflowed. */
static bool listen_all(struct listener *out, struct listener *err, uint64_t end_ns)
{
	struct pollfd p[2] = { { .fd = out->fd, .events = POLLIN },
			       { .fd = err->fd, .events = POLLIN } };

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		uint64_t now = taf_sys_mono_ns();

		if (now >= end_ns || out->is_cut)
			return false;
		if (poll(p, 2, (int)((end_ns - now) / 1000000) + 1) < 0 && errno != EINTR)
			return false;
		if (p[0].fd >= 0 && p[0].revents && !listen_once(out))
			p[0].fd = -1;
		if (p[1].fd >= 0 && p[1].revents && !listen_once(err))
			p[1].fd = -1;
	}
	return true;
}

/* The status of a child that has closed its output and may still run. */
static int await(pid_t pid, uint64_t end_ns, bool is_done)
{
	int status;

	while (is_done && taf_sys_mono_ns() < end_ns) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return status;
		if (got < 0 && errno != EINTR)
			return -1;
		taf_sys_sleep_ms(1);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return -1;
}

static int ask(char *const argv[], struct listener *out, struct listener *err, uint32_t limit_ms,
	       struct taf_child_said *said)
{
	uint64_t end_ns = taf_sys_mono_ns() + (uint64_t)limit_ms * 1000000;
	int o[2] = { -1, -1 }, e[2] = { -1, -1 }, rc;
	bool is_done;
	pid_t pid;

	rc = make_pipe(o);
	if (!rc)
		rc = make_pipe(e);
	if (!rc)
		rc = start(argv, o[1], e[1], &pid);
	close(o[1]);
	close(e[1]);
	if (!rc) {
		out->fd = o[0];
		err->fd = e[0];
		is_done = listen_all(out, err, end_ns);
		said->status = await(pid, end_ns, is_done);
	}
	close(o[0]);
	close(e[0]);
	return rc;
}

int taf_child_ask(char *const argv[], size_t room, uint32_t limit_ms, struct taf_child_said *said)
{
	struct listener out = { .text = malloc(room + 1), .room = room },
			err = { .text = malloc(ERR_ROOM + 1), .room = ERR_ROOM };
	int rc;

	memset(said, 0, sizeof(*said));
	said->out = out.text;
	said->err = err.text;
	rc = out.text && err.text ? ask(argv, &out, &err, limit_ms, said) : -ENOMEM;
	if (rc) {
		taf_child_free(said);
		return rc;
	}
	out.text[out.n] = '\0';
	err.text[err.n] = '\0';
	said->n_out = out.n;
	said->n_err = err.n;
	said->is_cut = out.is_cut;
	return 0;
}

void taf_child_free(struct taf_child_said *said)
{
	free(said->out);
	free(said->err);
	memset(said, 0, sizeof(*said));
}
