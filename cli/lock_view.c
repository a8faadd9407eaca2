/* SPDX-License-Identifier: MIT */
#include "lock_view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../shim/lock_take.h"
#include "../shim/sys_lock.h"

bool taf_lock_look_at(int32_t pid, struct taf_lock_holder *h)
{
	char path[40], text[512], *name, *end;
	struct stat st;
	int ppid = 0;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	h->uid = fstat(fileno(f), &st) ? 0 : st.st_uid;
	fclose(f);
	text[n] = '\0';
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end || end < name || end[1] != ' ' || end[2] == 'Z' || end[2] == 'X')
		return false;
	*end = '\0';
	snprintf(h->name, sizeof(h->name), "%.31s", name + 1);
	ppid = end[3] == ' ' ? atoi(end + 4) : 0;
	h->is_stopped = end[2] == 'T';
	h->pid = pid;
	h->ppid = ppid;
	h->start = taf_sys_start_ticks(pid);
	return h->start != 0;
}

/* Who only looks at the slot, or waits for it, has it open for a moment, and no lock on it.
 * Where that cannot be read the descriptor has to do. */
static bool has_lock(int32_t pid, const char *fd)
{
	char path[64], text[1024];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", (int)pid, fd);
	f = fopen(path, "re");
	if (!f)
		return true;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return !n || strstr(text, "FLOCK");
}

bool taf_lock_has_open(int32_t pid, uint64_t dev, uint64_t ino)
{
	char path[40];
	bool has = false;
	struct dirent *d;
	struct stat st;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && !has && (d = readdir(dir)))
		has = d->d_name[0] != '.' && !fstatat(dirfd(dir), d->d_name, &st, 0) &&
		      st.st_dev == dev && st.st_ino == ino && has_lock(pid, d->d_name);
	if (dir)
		closedir(dir);
	return has;
}

/* Where we may not look into processes, the one that the text names must do. */
static void believe_text(struct taf_slot_view *s)
{
	struct taf_lock_holder *h = &s->holder[0];

	if (s->n || !s->has_text || s->text.boot != taf_lock_boot() ||
	    s->text.pid_ns != taf_sys_pid_ns())
		return;
	s->n = taf_lock_look_at(s->text.pid, h) && h->start == s->text.start;
	s->is_by_text = s->n != 0;
}

void taf_lock_find_holders(const struct taf_lock_place *place, struct taf_slot_view *s)
{
	char path[TAF_PATH_MAX];
	struct dirent *d;
	struct stat st;
	DIR *proc;

	s->n = 0;
	s->is_by_text = false;
	if (taf_lock_path(place, TAF_LOCK_SLOT, s->slot, path) || stat(path, &st))
		return;
	proc = opendir("/proc");
	while (proc && s->n < TAF_LOCK_HOLDERS && (d = readdir(proc))) {
		int32_t pid = atoi(d->d_name);

		if (pid > 0 && pid != getpid() && taf_lock_has_open(pid, st.st_dev, st.st_ino) &&
		    taf_lock_look_at(pid, &s->holder[s->n]))
			s->n++;
	}
	if (proc)
		closedir(proc);
	believe_text(s);
}

static void read_text(const struct taf_lock_place *place, struct taf_slot_view *s)
{
	int fd = taf_lock_open(place, TAF_LOCK_HOLDER, s->slot, false);

	s->has_text = fd >= 0 && taf_lock_text_read(fd, &s->text);
	if (fd >= 0)
		close(fd);
}

static bool is_spoken_for(const struct taf_lock_text *t)
{
	uint64_t now = taf_lock_now_ms();

	return t->hold == TAF_HOLD_INFERENCE && t->since_ms <= now &&
	       now - t->since_ms < t->turn_ms && taf_lock_text_is_alive(t);
}

void taf_lock_view_slot(const struct taf_lock_place *place, struct taf_slot_view *s, int *keep)
{
	int fd = taf_lock_open(place, TAF_LOCK_SLOT, s->slot, keep != NULL);

	if (keep)
		*keep = -1;
	s->err = 0;
	s->state = TAF_SLOT_FREE;
	read_text(place, s);
	if (fd == -ENOENT)
		return;
	s->err = fd < 0 ? fd : flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
	if (s->err)
		s->state = s->err == -EWOULDBLOCK ? TAF_SLOT_HELD : TAF_SLOT_UNKNOWN;
	else if (s->has_text && is_spoken_for(&s->text))
		s->state = TAF_SLOT_SPOKEN_FOR;
	if (keep && !s->err)
		*keep = fd;
	else if (fd >= 0)
		close(fd);
}

static bool is_there(const struct taf_lock_place *place, uint32_t slot)
{
	char path[TAF_PATH_MAX];
	struct stat st;

	return !taf_lock_path(place, TAF_LOCK_SLOT, slot, path) && !lstat(path, &st);
}

int taf_lock_view(struct taf_lock_view *v, uint32_t slots)
{
	int guard = taf_lock_guard(&v->place, false), queue;

	v->n = slots < TAF_LOCK_SLOTS ? slots : TAF_LOCK_SLOTS;
	/* A policy with more slots may have been in force. */
	while (v->n < TAF_LOCK_SLOTS && is_there(&v->place, v->n + 1))
		v->n++;
	for (uint32_t i = 0; i < v->n; i++)
		v->slot[i].slot = i + 1;
	if (guard == -ENOENT && !is_there(&v->place, 1))
		return 0;
	if (guard < 0 && guard != -ENOENT)
		return guard;
	for (uint32_t i = 0; i < v->n; i++)
		taf_lock_view_slot(&v->place, &v->slot[i], NULL);
	queue = taf_lock_open(&v->place, TAF_LOCK_QUEUE, 0, false);
	if (queue >= 0) {
		taf_lock_queue_read(queue, taf_lock_now_ms(), &v->queue);
		close(queue);
	}
	if (guard >= 0)
		close(guard);
	for (uint32_t i = 0; i < v->n; i++)
		if (v->slot[i].state == TAF_SLOT_HELD)
			taf_lock_find_holders(&v->place, &v->slot[i]);
	return 0;
}
