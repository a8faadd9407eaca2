/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../policy/text.h"
#include "local_time.h"
#include "orphans.h"
#include "ring_file.h"
#include "story.h"

#define TAIL_BYTES 400000
#define WHOLE_BYTES (1024 * 1024) /* up to which a log is read whole */
#define TAIL_LINES 2000u

static uint64_t start_of(void *ctx, int32_t pid)
{
	struct taf_orphan_hunt *h = ctx;
	uint64_t start = taf_sys_start_ticks(pid);

	return start && h->world.is_alive(pid, start) ? start : 0;
}

void taf_orphans_begin(struct taf_orphan_hunt *h, uint64_t after_ms)
{
	uint64_t up_ms = taf_sys_boot_ns() / 1000000;

	memset(h, 0, sizeof(*h));
	taf_orphans_init(&h->set, h->memory, TAF_ORPHANS_MAX);
	taf_world_now(&h->world);
	/* Records have CLOCK_MONOTONIC, which stands still while the machine sleeps, as their
	 * processes do. */
	h->judge.now = (struct taf_moment){ taf_boot_key(h->world.boot), h->world.mono_ns / 1000000,
					    h->world.utc_us / 1000 };
	h->judge.up_since_ms = h->world.utc_us / 1000 > up_ms ? h->world.utc_us / 1000 - up_ms : 0;
	h->judge.after_ms = after_ms;
	h->judge.start_of = start_of;
	h->judge.ctx = h;
}

void taf_orphans_end(struct taf_orphan_hunt *h)
{
	free(h->about);
	free(h->log);
	h->about = NULL;
	h->log = NULL;
}

/* ---- Sessions ---- */

static void name_exe(const struct taf_trail *t, char *exe, size_t room)
{
	struct taf_crumb_line line;
	char path[512] = "";

	for (size_t i = 0; i < t->n_past && !path[0]; i++)
		if (t->past[i].kind == TAF_START && taf_past_line(&t->past[i], &line))
			taf_crumb_text(&line, TAF_KEY_EXE, path, sizeof(path));
	taf_copy(exe, taf_base(path), room);
}

/* The latest progress of that thread: its newest record, or the latest submit of a generation. */
static uint64_t moved_ns(const struct taf_story *s, const struct taf_open_begin *o,
			 const struct taf_ring_copy *ring)
{
	struct taf_ring_record newest;
	struct taf_ring_lane lane;
	uint64_t moved = o->since_ns;

	for (size_t i = 0; i < s->n_last; i++)
		if (s->last[i].tid == o->tid && s->last[i].mono_ns > moved)
			moved = s->last[i].mono_ns;
	for (uint32_t i = 0; ring && taf_ring_lane_view(ring, i, &lane); i++)
		if (lane.tid == o->tid && taf_ring_lane_records(ring, i, &newest, 1) &&
		    newest.call.mono_ns > moved)
			moved = newest.call.mono_ns;
	if (ring && o->kind == TAF_INFER && ring->facts.last_activity_ns > moved)
		moved = ring->facts.last_activity_ns;
	return moved;
}

static struct taf_moment moment_of(const struct taf_trail *t, uint64_t mono_ns)
{
	return (struct taf_moment){ taf_boot_key(t->boot), mono_ns / 1000000,
				    taf_trail_utc_us(t, mono_ns) / 1000 };
}

static void add_open(struct taf_orphan_hunt *h, const struct taf_trail *t,
		     const struct taf_open_begin *o, uint64_t moved)
{
	struct taf_orphan one = { .at = moment_of(t, o->since_ns),
				  .moved = moment_of(t, moved),
				  .pid = t->pid,
				  .start = t->start };
	struct taf_orphan_about *a = h->n_about < TAF_ORPHANS_MAX ? &h->about[h->n_about] : NULL;

	if (!a) {
		h->set.n_dropped++;
		return;
	}
	h->n_about++;
	a->kind = o->kind;
	a->tid = o->tid;
	taf_copy(a->session, t->id, sizeof(a->session));
	taf_copy(a->run, t->run, sizeof(a->run));
	name_exe(t, a->exe, sizeof(a->exe));
	taf_copy(a->call, o->call, sizeof(a->call));
	taf_copy(a->model, o->model, sizeof(a->model));
	one.seq = h->n_about; /* what the ring alone knows has no number of its own */
	one.model = a->model;
	one.model_n = strlen(a->model);
	one.about = a;
	taf_orphan_begin(&h->set, &one);
}

/* A wait that a rule asked for is no orphan, and neither is what waits inside it. */
static bool is_held(const struct taf_story *s, int32_t tid)
{
	for (size_t i = 0; i < s->n_open; i++)
		if (s->open[i].kind == TAF_HOLD && s->open[i].tid == tid)
			return true;
	return false;
}

/* The calls that a thread is in are one thing that hangs: the outermost names it. */
static bool is_inner(const struct taf_story *s, size_t i)
{
	for (size_t k = 0; k < s->n_open; k++)
		if (k != i && s->open[k].tid == s->open[i].tid &&
		    (s->open[k].since_ns < s->open[i].since_ns ||
		     (s->open[k].since_ns == s->open[i].since_ns && k < i)))
			return true;
	return false;
}

static int take_trail(struct taf_orphan_hunt *h, struct taf_trail *t, const char *crumbs)
{
	static struct taf_story story;
	struct taf_ring_copy ring;
	void *bytes = NULL;
	int err = taf_trail_load(t, crumbs);
	bool has_ring;

	if (err)
		return err;
	taf_story_tell(&story, t, NULL, &h->world);
	has_ring = story.is_alive && taf_ring_file_read(t, &ring, &bytes);
	if (has_ring)
		taf_ring_calibrate(&ring, h->world.tsc, h->world.mono_ns);
	for (size_t i = 0; i < story.n_open; i++)
		if (!is_held(&story, story.open[i].tid) && !is_inner(&story, i))
			add_open(h, t, &story.open[i],
				 moved_ns(&story, &story.open[i], has_ring ? &ring : NULL));
	free(bytes);
	taf_trail_unload(t);
	return 0;
}

int taf_orphans_of_crumbs(struct taf_orphan_hunt *h, const char *crumbs)
{
	struct taf_trails trails;
	int err = taf_trails_scan(&trails, crumbs, &h->world);

	h->about = calloc(TAF_ORPHANS_MAX, sizeof(*h->about));
	if (!h->about)
		err = -ENOMEM;
	for (size_t i = 0; i < trails.n && !err; i++)
		if (taf_trail_is_guest(&trails.list[i]))
			err = take_trail(h, &trails.list[i], crumbs);
	taf_trails_free(&trails);
	return err;
}

/* ---- metal-guard's log ---- */

bool taf_orphans_log_path(char *path, size_t room)
{
	const char *home = getenv("HOME");

	if (home && *home &&
	    snprintf(path, room, "%s/.harper/logs/metal_breadcrumb.log", home) < (int)room &&
	    !access(path, F_OK))
		return true;
	snprintf(path, room, "logs/metal_breadcrumb.log");
	return !access(path, F_OK);
}

static int read_tail(const char *path, char **text, size_t *n)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	off_t from = 0;
	ssize_t got = 0;

	*n = 0;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	if (st.st_size > WHOLE_BYTES)
		from = st.st_size - TAIL_BYTES;
	*text = malloc(WHOLE_BYTES + 1);
	while (*text && *n < WHOLE_BYTES &&
	       ((got = pread(fd, *text + *n, WHOLE_BYTES - *n, from + (off_t)*n)) > 0 ||
		(got < 0 && errno == EINTR)))
		*n += got > 0 ? (size_t)got : 0;
	got = got < 0 ? -errno : 0;
	close(fd);
	if (!*text)
		return -ENOMEM;
	(*text)[*n] = '\0';
	/* The first line of a tail is a part of one. */
	if (from) {
		char *line = memchr(*text, '\n', *n);
		size_t skip = line ? (size_t)(line + 1 - *text) : *n;

		memmove(*text, *text + skip, *n - skip);
		*n -= skip;
	}
	return (int)got;
}

/* Where the last TAIL_LINES lines begin. */
static size_t last_lines(const char *text, size_t n)
{
	size_t lines = 0, at = n;

	while (at) {
		if (text[at - 1] == '\n' && at != n && ++lines == TAIL_LINES)
			return at;
		at--;
	}
	return 0;
}

static int64_t utc_of(void *ctx, int64_t local_s)
{
	(void)ctx;
	return taf_local_to_utc(local_s);
}

int taf_orphans_of_log(struct taf_orphan_hunt *h, const char *path)
{
	struct taf_orphan_clock clock = { utc_of, NULL };
	size_t n, at;
	int err = read_tail(path, &h->log, &n);

	if (err)
		return err;
	h->log_n = n;
	for (at = last_lines(h->log, n); at < n;) {
		char *end = memchr(h->log + at, '\n', n - at);
		size_t length = end ? (size_t)(end - h->log) - at : n - at;

		taf_orphan_line(&h->set, h->log + at, length, &clock);
		at += length + 1;
	}
	return 0;
}
