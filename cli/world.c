/* SPDX-License-Identifier: MIT */
/* world.c -- where and when the reader itself is (struct taf_world of sessions.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../policy/text.h"
#include "../shim/ring.h"
#include "../shim/state.h"
#include "sessions.h"

/* State letter of a process: Z and X are gone, whatever else /proc says. */
static char state_of(int32_t pid)
{
	char path[40], stat[512];
	const char *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 'X';
	n = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	stat[n > 0 ? n : 0] = '\0';
	p = strrchr(stat, ')');
	return p && p[1] == ' ' ? p[2] : 'X';
}

static bool is_alive(int32_t pid, uint64_t start)
{
	char state = state_of(pid);

	return state != 'Z' && state != 'X' && taf_sys_start_ticks(pid) == start;
}

void taf_world_now(struct taf_world *w)
{
	memset(w, 0, sizeof(*w));
	taf_sys_boot_id(w->boot);
	taf_sys_machine_id(w->machine);
	w->pid_ns = taf_sys_pid_ns();
	w->tsc = taf_stamp_tsc();
	w->mono_ns = taf_sys_mono_ns();
	w->utc_us = taf_sys_utc_us();
	w->is_alive = is_alive;
}

int taf_crumbs_dir(char *dir, const char *state)
{
	size_t n;
	int err;

	dir[0] = '\0';
	/* As `run` takes it: a relative one is from here. */
	if (!state)
		state = getenv("TAFFRAIL_STATE");
	if (state && *state)
		err = taf_copy(dir, state, TAF_PATH_MAX) ? 0 : -ENAMETOOLONG;
	else
		err = taf_dir_find(environ, dir, NULL);
	n = strlen(dir);
	if (err || n + sizeof("/crumbs") > TAF_PATH_MAX)
		return err ? err : -ENAMETOOLONG;
	memcpy(dir + n, "/crumbs", sizeof("/crumbs"));
	return 0;
}
