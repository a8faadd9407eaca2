/* SPDX-License-Identifier: MIT */
#include "history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../shim/share_text.h"

#define EVENTS_MAX 65536u
#define FILES_MAX 4096u
#define FILE_BYTES (16u << 20)

static bool put(struct taf_history *h, const struct taf_ledger_event *e)
{
	size_t room = h->room ? h->room * 2 : 256;
	struct taf_ledger_event *at;

	if (h->n == EVENTS_MAX)
		return false;
	if (h->n == h->room) {
		at = realloc(h->at, room * sizeof(*at));
		if (!at)
			return false;
		h->at = at;
		h->room = room;
	}
	h->at[h->n++] = *e;
	return true;
}

/* What was told before takes the place of the earlier telling. */
static void take(struct taf_history *h, const struct taf_ledger_event *e, enum taf_share_mark mark)
{
	for (size_t i = h->n; mark != TAF_SHARE_NEW && i-- > 0;)
		if (taf_ledger_is_one(&h->at[i], e)) {
			h->at[i] = *e;
			return;
		}
	put(h, e);
}

static void take_text(struct taf_history *h, const char *text, size_t n)
{
	struct taf_ledger_event e;
	struct taf_share_flaw flaw;
	enum taf_share_mark mark;
	const char *end;

	if (!taf_share_is_head(text, n, TAF_SHARE_EVENTS, &flaw)) {
		h->n_bad++;
		return;
	}
	for (const char *p = memchr(text, '\n', n); p && ++p < text + n; p = end) {
		end = memchr(p, '\n', (size_t)(text + n - p));
		if (!end)
			return;
		if (taf_share_take_event(p, (size_t)(end - p), &e, &mark))
			take(h, &e, mark);
		else
			h->n_bad++;
	}
}

static int take_file(struct taf_history *h, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err = 0;
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES)
		err = -EINVAL;
	text = err ? NULL : malloc((size_t)st.st_size + 1);
	if (text) {
		n = read(fd, text, (size_t)st.st_size);
		err = n < 0 ? -errno : 0;
		if (n > 0)
			take_text(h, text, (size_t)n);
		free(text);
	}
	close(fd);
	return err;
}

static int is_aside(const struct dirent *d)
{
	return !strncmp(d->d_name, "events-", 7) &&
	       strspn(d->d_name + 7, "0123456789") == strlen(d->d_name + 7);
}

static int by_time(const void *a, const void *b)
{
	const struct taf_ledger_event *x = a, *y = b;

	return x->at.utc_ms < y->at.utc_ms ? -1 : x->at.utc_ms > y->at.utc_ms;
}

int taf_history_read(const char *state, struct taf_history *h)
{
	int dir = open(state, O_RDONLY | O_CLOEXEC | O_DIRECTORY), err = 0, e, n;
	struct dirent **names = NULL;

	memset(h, 0, sizeof(*h));
	if (dir < 0)
		return errno == ENOENT ? 0 : -errno;
	n = scandir(state, &names, is_aside, alphasort);
	for (int i = 0; i < n; i++) {
		e = (unsigned)i < FILES_MAX ? take_file(h, dir, names[i]->d_name) : 0;
		err = err ? err : e;
		free(names[i]);
	}
	free(names);
	e = take_file(h, dir, "events");
	close(dir);
	qsort(h->at, h->n, sizeof(*h->at), by_time);
	return err ? err : e;
}

void taf_history_free(struct taf_history *h)
{
	free(h->at);
	memset(h, 0, sizeof(*h));
}
