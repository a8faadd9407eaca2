/* SPDX-License-Identifier: MIT */
/* log_tail.c -- reads all segments of a directory, once or again and again.
 *
 * Segments are written in place, so their size says nothing: a segment is read
 * again from where reading stopped whenever its size or its time of change
 * differs, or that time is so recent that it might not tell two writes apart.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../policy/text.h"
#include "log.h"

#define WAIT_MS 500
#define FRESH_NS 2000000000ll

static struct taf_log_cursor *cursor_of(struct taf_log_tail *t, const char *name)
{
	struct taf_log_cursor *grown;

	for (size_t i = t->n_cursors; i > 0; i--)
		if (!strcmp(t->cursors[i - 1].name, name))
			return &t->cursors[i - 1];
	grown = realloc(t->cursors, (t->n_cursors + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	t->cursors = grown;
	memset(&grown[t->n_cursors], 0, sizeof(*grown));
	taf_copy(grown[t->n_cursors].name, name, sizeof(grown->name));
	return &grown[t->n_cursors++];
}

/* Index of the boot, or -1 without memory. */
static ssize_t boot_of(struct taf_log_tail *t, const char *id, uint64_t utc_us)
{
	struct taf_log_boot *grown;
	size_t i;

	for (i = 0; i < t->n_boots; i++)
		if (!strcmp(t->boots[i].id, id)) {
			if (utc_us < t->boots[i].first_us)
				t->boots[i].first_us = utc_us;
			return (ssize_t)i;
		}
	grown = realloc(t->boots, (t->n_boots + 1) * sizeof(*grown));
	if (!grown)
		return -1;
	t->boots = grown;
	memset(&grown[i], 0, sizeof(*grown));
	taf_copy(grown[i].id, id, sizeof(grown[i].id));
	grown[i].first_us = utc_us;
	t->n_boots++;
	return (ssize_t)i;
}

/* Index of the session, or -1 without memory. */
static ssize_t session_of(struct taf_log_tail *t, const char *id)
{
	struct taf_log_session *grown;
	size_t i = t->n_sessions;

	while (i > 0 && strcmp(t->sessions[i - 1].id, id) != 0)
		i--;
	if (i > 0)
		return (ssize_t)i - 1;
	grown = realloc(t->sessions, (t->n_sessions + 1) * sizeof(*grown));
	if (!grown)
		return -1;
	t->sessions = grown;
	memset(&grown[t->n_sessions], 0, sizeof(*grown));
	taf_copy(grown[t->n_sessions].id, id, sizeof(grown->id));
	return (ssize_t)t->n_sessions++;
}

static bool passes(const struct taf_log_filter *f, const struct taf_crumb_line *line,
		   uint64_t utc_us)
{
	int kind = f->kinds ? taf_crumb_kind(line) : 0;
	char run[24];

	if (utc_us < f->since_us || kind < 0 || (f->kinds && !(f->kinds >> kind & 1)))
		return false;
	return !f->run ||
	       (taf_crumb_text(line, TAF_KEY_RUN, run, sizeof(run)) && taf_starts(run, f->run));
}

static int add_entry(struct taf_log_tail *t, const struct taf_trail *id,
		     const struct taf_crumb_line *line, size_t session)
{
	struct taf_log_entry e = { .text = line->text,
				   .n = line->n,
				   .session = session,
				   .pid = id->pid },
			     *grown;
	ssize_t boot;

	taf_crumb_utc_us(line, &e.utc_us);
	if (!passes(t->filter, line, e.utc_us))
		return 0;
	taf_crumb_u64(line, TAF_KEY_MONO_NS, &e.mono_ns);
	taf_crumb_u64(line, TAF_KEY_SEQ, &e.seq);
	boot = boot_of(t, id->boot, e.utc_us);
	if (t->n_entries == t->room) {
		size_t room = t->room ? t->room * 2 : 256;

		grown = realloc(t->entries, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		t->entries = grown;
		t->room = room;
	}
	if (boot < 0)
		return -ENOMEM;
	e.boot = (size_t)boot;
	t->entries[t->n_entries++] = e;
	return 0;
}

static int keep_text(struct taf_log_tail *t, char *text)
{
	char **grown = realloc(t->texts, (t->n_texts + 1) * sizeof(*grown));

	if (!grown) {
		free(text);
		return -ENOMEM;
	}
	t->texts = grown;
	t->texts[t->n_texts++] = text;
	return 0;
}

/* Who follows may read the rest of a segment after the next one: an end may come first. */
static int pair(struct taf_log_session *s, uint64_t seq, bool is_end)
{
	uint64_t mate = seq * 2 + !is_end;

	if (!s->loose)
		s->loose = malloc(TAF_LOG_LOOSE * sizeof(*s->loose));
	if (!s->loose)
		return -ENOMEM;
	for (uint16_t i = s->n_loose; i > 0; i--)
		if (s->loose[i - 1] == mate) {
			s->loose[i - 1] = s->loose[--s->n_loose];
			return 0;
		}
	if (s->n_loose == TAF_LOG_LOOSE)
		s->is_crowded = true;
	else
		s->loose[s->n_loose++] = seq * 2 + is_end;
	return 0;
}

unsigned taf_log_count_open(const struct taf_log_session *s)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < s->n_loose; i++)
		n += !(s->loose[i] & 1);
	return s->is_crowded ? 0 : n;
}

/* The process became another program: what it was inside is gone, and it counts anew. */
static void forget_image(struct taf_log_session *s)
{
	s->mark_seq = 0;
	s->n_loose = 0;
	s->is_crowded = false;
}

/* What a record says of its session, whether it is wanted or not. */
static int take_state(struct taf_log_session *s, const struct taf_crumb_line *line)
{
	int kind = taf_crumb_kind(line), phase = taf_crumb_phase(line);
	uint64_t seq, of;

	if (!taf_crumb_u64(line, TAF_KEY_SEQ, &seq))
		return 0;
	if (kind == TAF_START && seq == 1)
		forget_image(s);
	/* The latest mark counts, the others say nothing more. */
	if (taf_crumb_has(line, TAF_KEY_INSIDE)) {
		s->mark_seq = seq > s->mark_seq ? seq : s->mark_seq;
		return 0;
	}
	if (kind == TAF_INFER && phase == TAF_BEGIN)
		return pair(s, seq, false);
	if (kind == TAF_INFER && phase == TAF_END && taf_crumb_u64(line, TAF_KEY_OF, &of))
		return pair(s, of, true);
	return 0;
}

static int read_new(struct taf_log_tail *t, struct taf_log_cursor *c, const struct taf_trail *id,
		    uint32_t seg)
{
	struct taf_trail_file f;
	struct taf_crumb_reader r;
	struct taf_crumb_line line;
	size_t done = 0;
	ssize_t session;
	int err = taf_file_read(t->dir, c->name, c->done, &f);

	c->err = err == -ENOENT ? 0 : err;
	if (err || !f.n) {
		free(f.text);
		return 0; /* gone, or not ours to read: the others still are */
	}
	err = keep_text(t, f.text);
	session = err ? -1 : session_of(t, id->id);
	if (session < 0)
		return -ENOMEM;
	taf_crumb_read_init(&r, f.text, f.n, taf_crumb_seed(id->boot, id->start, seg));
	while (!err && taf_crumb_read_next(&r, &line)) {
		done = r.at;
		err = take_state(&t->sessions[session], &line);
		if (!err)
			err = add_entry(t, id, &line, (size_t)session);
	}
	c->bad = r.bad;
	c->done += done;
	return err;
}

/* Whether the segment may hold something new; remembers its state. */
static bool has_changed(struct taf_log_tail *t, struct taf_log_cursor *c)
{
	char path[TAF_PATH_MAX + 128];
	struct stat st;
	struct timespec now;
	int64_t mtime_ns;
	bool is_new;

	snprintf(path, sizeof(path), "%s/%s", t->dir, c->name);
	if (lstat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	is_new = mtime_ns != c->mtime_ns || (uint64_t)st.st_size != c->size ||
		 (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - mtime_ns < FRESH_NS;
	c->mtime_ns = mtime_ns;
	c->size = (uint64_t)st.st_size;
	return is_new &&
	       (mtime_ns < 0 || (uint64_t)mtime_ns / 1000 + FRESH_NS / 1000 >= t->filter->since_us);
}

static int visit(struct taf_log_tail *t, const char *name)
{
	struct taf_log_cursor *c;
	struct taf_trail id = { .pid = 0 };
	uint32_t seg;

	if (!taf_segment_name(name, &id, &seg) ||
	    (t->filter->session && strcmp(id.id, t->filter->session) != 0))
		return 0;
	c = cursor_of(t, name);
	if (!c)
		return -ENOMEM;
	return has_changed(t, c) ? read_new(t, c, &id, seg) : 0;
}

/* The boots in the order in which they were; the present one is the latest. */
static uint64_t rank(const struct taf_log_tail *t, size_t boot)
{
	return strcmp(t->boots[boot].id, t->world.boot) != 0 ? t->boots[boot].first_us : UINT64_MAX;
}

static int in_order(const void *a, const void *b, void *arg)
{
	const struct taf_log_entry *x = a, *y = b;
	const struct taf_log_tail *t = arg;

	if (x->boot != y->boot) {
		uint64_t rx = rank(t, x->boot), ry = rank(t, y->boot);

		return rx != ry ? (rx < ry ? -1 : 1) : x->boot < y->boot ? -1 : 1;
	}
	if (x->mono_ns != y->mono_ns)
		return x->mono_ns < y->mono_ns ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void drop_batch(struct taf_log_tail *t)
{
	for (size_t i = 0; i < t->n_texts; i++)
		free(t->texts[i]);
	t->n_texts = t->n_entries = 0;
}

/* By name, so that the segments of a process come in their order. */
int taf_log_read(struct taf_log_tail *t)
{
	struct dirent **names;
	int err = 0, n;

	drop_batch(t);
	n = scandir(t->dir, &names, NULL, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		if (!err)
			err = visit(t, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (t->n_entries)
		qsort_r(t->entries, t->n_entries, sizeof(*t->entries), in_order, t);
	return err;
}

/* The first call only puts the watch in place: what was written before it stood
 * is then found by the read that follows. */
void taf_log_wait(struct taf_log_tail *t)
{
	struct pollfd p = { .events = POLLIN };
	char events[4096];
	bool is_first = t->watch <= 0;

	if (is_first)
		t->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (t->watch > 0 && (is_first || !t->has_watch))
		t->has_watch = inotify_add_watch(t->watch, t->dir,
						 IN_MODIFY | IN_CREATE | IN_MOVED_TO) >= 0;
	if (is_first && t->has_watch)
		return;
	p.fd = t->watch;
	poll(&p, t->watch > 0, WAIT_MS);
	while (t->watch > 0 && read(t->watch, events, sizeof(events)) > 0)
		;
}

void taf_log_free(struct taf_log_tail *t)
{
	drop_batch(t);
	if (t->watch > 0)
		close(t->watch);
	free(t->texts);
	free(t->entries);
	free(t->cursors);
	free(t->boots);
	for (size_t i = 0; i < t->n_sessions; i++)
		free(t->sessions[i].loose);
	free(t->sessions);
	memset(t, 0, sizeof(*t));
}
