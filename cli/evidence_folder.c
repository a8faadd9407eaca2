/* SPDX-License-Identifier: MIT */
/* evidence_folder.c -- the new files of a folder, in bounded work.
 *
 * A mark keeps what identified the folder, when a name in it changed last, and
 * the youngest change of a file that was read.  While the folder is the same
 * nothing is opened but for the stat.  A change so recent that another could
 * follow within the clock's grain is looked at again, and so are files that may
 * still be written to.  Links are not followed,
 * and nothing but regular files is opened.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../policy/text.h"
#include "evidence_source.h"

#define FILES_MAX 64 /* new ones, the youngest of them */
#define ENTRIES_MAX 4096
#define FRESH_NS 2000000000
#define WRITTEN_NS 60000000000 /* a report is complete so long after its last change */

struct listed {
	char path[PATH_MAX];
	int64_t changed_ns, written_ns;
};

struct walk {
	struct taf_evidence *ev;
	const struct taf_folder *f;
	int64_t after_ns; /* older changes were read */
	uint32_t n, entries;
	bool is_blind;
	struct listed at[FILES_MAX];
};

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void blind(struct walk *w, const char *path, const char *what)
{
	if (!w->is_blind)
		taf_evidence_blind(w->ev, w->f->source, "%s: %s; %s", path, what, w->f->advice);
	w->is_blind = true;
}

static struct listed *oldest(struct walk *w)
{
	struct listed *old = &w->at[0];

	for (uint32_t i = 1; i < w->n; i++)
		if (w->at[i].changed_ns < old->changed_ns)
			old = &w->at[i];
	return old;
}

static void list_file(struct walk *w, const char *path, const struct stat *st)
{
	/* A file that was moved here has an old time of writing and a new one of change. */
	int64_t changed = ns_of(st->st_ctim), written = ns_of(st->st_mtim);
	struct listed *to = &w->at[w->n];

	if (changed < written)
		changed = written;
	if (changed <= w->after_ns)
		return;
	if (w->n == FILES_MAX) {
		to = oldest(w);
		if (to->changed_ns >= changed)
			return;
	} else {
		w->n++;
	}
	to->changed_ns = changed;
	to->written_ns = written;
	taf_copy(to->path, path, sizeof(to->path));
}

static void walk_folder(struct walk *w, const char *path, int depth)
{
	char below[PATH_MAX];
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(path);

	if (!d) {
		if (errno != ENOENT)
			blind(w, path, strerror(errno));
		return;
	}
	while ((e = readdir(d))) {
		if (++w->entries > ENTRIES_MAX || taf_evidence_is_late(w->ev)) {
			blind(w, path, "too much to look through");
			break;
		}
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    (size_t)snprintf(below, sizeof(below), "%s/%s", path, e->d_name) >=
			    sizeof(below) ||
		    lstat(below, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth > 0)
			walk_folder(w, below, depth - 1);
		else if (S_ISREG(st.st_mode) && w->f->wants(e->d_name))
			list_file(w, below, &st);
	}
	closedir(d);
}

/* The beginning of the file; NULL: w is blind for it, or it is gone. */
static char *read_file(struct walk *w, const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	struct stat st;
	size_t room;

	*n = 0;
	if (fd < 0) {
		if (errno != ENOENT)
			blind(w, path, strerror(errno));
		return NULL;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		room = st.st_size > 0 && (size_t)st.st_size < TAF_EVIDENCE_FILE_BYTES
			       ? (size_t)st.st_size
			       : TAF_EVIDENCE_FILE_BYTES;
		text = malloc(room + 1);
		while (text && *n < room) {
			ssize_t got = read(fd, text + *n, room - *n);

			if (got < 0)
				blind(w, path, strerror(errno));
			if (got <= 0)
				break;
			*n += (size_t)got;
		}
		if (text)
			text[*n] = '\0';
	}
	close(fd);
	return text;
}

static int by_change(const void *a, const void *b)
{
	int64_t x = ((const struct listed *)a)->changed_ns,
		y = ((const struct listed *)b)->changed_ns;

	return x < y ? -1 : x > y;
}

static void take_files(struct walk *w)
{
	qsort(w->at, w->n, sizeof(*w->at), by_change);
	for (uint32_t i = 0; i < w->n; i++) {
		struct taf_found_file f = { .path = w->at[i].path };

		if (taf_evidence_is_late(w->ev)) {
			blind(w, f.path, "there was no time left to read it");
			return;
		}
		f.text = read_file(w, f.path, &f.n);
		f.utc_ms = w->at[i].written_ns > 0 ? (uint64_t)w->at[i].written_ns / 1000000 : 0;
		if (f.text)
			w->f->take(w->ev, &f);
		free(f.text);
	}
}

/* Whether nothing can have come since the mark was set. */
static bool is_same(const struct taf_evidence *ev, const struct taf_mark *m,
		    const struct taf_mark *now)
{
	int64_t utc_ns = (int64_t)(ev->now.utc_ms * 1000000);

	return m->a == now->a && m->b == now->b && !*m->blind &&
	       utc_ns - (int64_t)now->b > FRESH_NS && utc_ns - (int64_t)m->c > WRITTEN_NS;
}

static bool is_blind(const struct taf_evidence *ev, const char *source)
{
	for (uint32_t i = 0; i < ev->n_blind; i++)
		if (!strcmp(ev->blind[i].source, source))
			return true;
	return false;
}

void taf_evidence_folder(struct taf_evidence *ev, const struct taf_folder *f)
{
	struct taf_mark *m = taf_mark_of(ev, f->mark), now = { .boot = ev->now.boot };
	char path[PATH_MAX];
	struct walk *w;
	struct stat st;

	if (!m || (size_t)snprintf(path, sizeof(path), "%s%s", ev->root, f->path) >= sizeof(path))
		return;
	if (stat(path, &st)) {
		/* Below a folder that cannot be read either: once is enough. */
		if ((errno == EACCES || errno == EPERM) && !is_blind(ev, f->source))
			taf_evidence_blind(ev, f->source, "%s: %s; %s", path, strerror(errno),
					   f->advice);
		return;
	}
	now.a = st.st_ino;
	now.b = (uint64_t)ns_of(st.st_mtim);
	if (!S_ISDIR(st.st_mode) || (f->depth == 0 && is_same(ev, m, &now)))
		return;
	w = calloc(1, sizeof(*w));
	if (!w)
		return;
	w->ev = ev;
	w->f = f;
	/* A mark from the future was made by a clock that was wrong. */
	if (m->a == now.a && m->c <= ev->now.utc_ms * 1000000 + FRESH_NS)
		w->after_ns = (int64_t)m->c;
	walk_folder(w, path, f->depth);
	take_files(w);
	now.c = (uint64_t)w->after_ns;
	if (w->is_blind)
		taf_copy(now.blind, "yes", sizeof(now.blind));
	else if (w->n)
		now.c = (uint64_t)w->at[w->n - 1].changed_ns;
	/* A file from the future must not hide those that come before it. */
	if (now.c > ev->now.utc_ms * 1000000 + FRESH_NS)
		now.c = ev->now.utc_ms * 1000000;
	taf_mark_set(ev, m, &now);
	free(w);
}
