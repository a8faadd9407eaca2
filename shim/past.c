/* SPDX-License-Identifier: MIT */
#include "past_record.h"

#include <errno.h>

#include "scratch.h"
#include "seg.h"
#include "state.h"

#define READ_MAX 96u /* sessions that are opened */
#define SEGMENTS_BACK 3u
#define LIVED_ON_MS (10u * TAF_MINUTE_MS)

/* ---- names ---- */

static bool is_same_session(const struct taf_seg_name *a, const struct taf_seg_name *b)
{
	return a->pid == b->pid && a->start == b->start && taf_same(a->boot, b->boot);
}

static void take_name(struct taf_past_room *r, const char *name)
{
	struct taf_seg_name n;

	if (!taf_seg_name_read(name, &n) || n.is_ring)
		return;
	for (uint32_t i = r->n; i-- > 0;)
		if (is_same_session(&r->session[i].last, &n)) {
			if (n.seg > r->session[i].last.seg)
				r->session[i].last.seg = n.seg;
			return;
		}
	if (r->n < TAF_PAST_SESSIONS_MAX)
		r->session[r->n++].last = n;
}

static int list(struct taf_past_room *r)
{
	int fd = taf_sys_open(r->ask->dir, TAF_O_READ | TAF_O_DIR);
	int64_t got;

	if (fd < 0)
		return fd;
	while ((got = taf_sys_getdents(fd, r->rows, TAF_PAST_DENTS)) > 0)
		for (int64_t at = 0; at < got;) {
			struct taf_dirent *row = (struct taf_dirent *)(void *)(r->rows + at);

			take_name(r, row->name);
			at += row->len;
		}
	taf_sys_close(fd);
	return got < 0 ? (int)got : 0;
}

static void path_of(char out[TAF_PATH_MAX], const char *dir, const struct taf_seg_name *n)
{
	struct taf_text t;

	taf_text_init(&t, out, TAF_PATH_MAX);
	taf_text_put(&t, dir);
	taf_text_char(&t, '/');
	taf_text_put(&t, n->boot);
	taf_text_char(&t, '-');
	taf_text_i64(&t, n->pid);
	taf_text_char(&t, '-');
	taf_text_u64(&t, n->start);
	taf_text_char(&t, '-');
	taf_text_pad(&t, n->seg, 3);
	taf_text_put(&t, ".jsonl");
}

/* ---- one segment ---- */

/* The start record and the last TAF_PAST_TAIL bytes of the records. Bytes in text; 0: none. */
static size_t read_ends(struct taf_past_room *r, const struct taf_seg_name *n)
{
	char path[TAF_PATH_MAX];
	struct taf_stat st;
	uint64_t end = 0, from;
	int64_t head = 0, got = 0;
	int fd;

	path_of(path, r->ask->dir, n);
	fd = taf_sys_open(path, TAF_O_READ);
	if (fd < 0)
		return 0;
	if (!taf_sys_fstat(fd, &st))
		end = taf_seg_records_end(fd, st.size);
	from = end > TAF_RECORD_MAX + TAF_PAST_TAIL ? end - TAF_PAST_TAIL : 0;
	if (from)
		head = taf_sys_pread(fd, r->text, TAF_RECORD_MAX, 0);
	/* Cut at its newline, so that what follows begins a line. */
	while (head > 0 && r->text[head - 1] != '\n')
		head--;
	if (end && head >= 0)
		got = taf_sys_pread(fd, r->text + head, (size_t)(end - from), from);
	taf_sys_close(fd);
	return got > 0 ? (size_t)(head + got) : 0;
}

static bool read_segment(struct taf_past_reading *g, const struct taf_seg_name *n)
{
	struct taf_crumb_reader in;
	struct taf_crumb_line line;
	size_t len = read_ends(g->r, n);

	taf_crumb_read_init(&in, g->r->text, len, taf_crumb_seed(n->boot, n->start, n->seg));
	if (!len || !taf_crumb_read_next(&in, &line) || !taf_past_take_start(g, &line))
		return false;
	while (taf_crumb_read_next(&in, &line))
		taf_past_take_record(g, &line);
	return true;
}

/* A generation may have begun some segments ago; the last one may be empty. */
static void read_session(struct taf_past_room *r, struct taf_past_session *s, bool is_quiet)
{
	struct taf_past_reading *g = taf_scratch_take(sizeof(*g));
	struct taf_seg_name n = s->last;
	uint32_t back = n.seg < SEGMENTS_BACK - 1 ? n.seg : SEGMENTS_BACK - 1;

	r->n_read++;
	if (!g)
		return;
	g->r = r;
	g->s = s;
	g->n_open = 0;
	g->is_quiet = is_quiet;
	g->error.severity = g->lasting.severity = TAF_SEVERITY_NONE;
	for (n.seg -= back; n.seg <= s->last.seg; n.seg++)
		if (read_segment(g, &n))
			s->is_read = true;
	taf_past_tell_errors(g);
	for (uint32_t i = 0; i < g->n_open; i++) {
		s->n_loads += g->open[i].is_load;
		s->n_infers += !g->open[i].is_load;
	}
	taf_scratch_give(g);
}

/* ---- all of them ---- */

static bool is_worth_it(const struct taf_past_room *r, struct taf_past_session *s)
{
	bool is_this_boot = taf_same(s->last.boot, r->ask->boot);
	char path[TAF_PATH_MAX];
	struct taf_stat st;

	if (is_this_boot ? !r->ask->wants_crashes : !r->ask->wants_panics)
		return false;
	path_of(path, r->ask->dir, &s->last);
	if (taf_sys_stat(path, &st))
		return false;
	s->mtime_ms = st.mtime_ns > 0 ? (uint64_t)st.mtime_ns / 1000000 : 0;
	if (s->mtime_ms < r->ask->since_ms)
		return false;
	return !is_this_boot || r->ask->wants_live ||
	       taf_sys_start_ticks(s->last.pid) != s->last.start;
}

/* The newest first, as many as may be read. */
static struct taf_past_session *next_session(struct taf_past_room *r)
{
	struct taf_past_session *best = NULL;

	for (uint32_t i = 0; i < r->n && r->n_read < READ_MAX; i++) {
		struct taf_past_session *s = &r->session[i];

		if (s->mtime_ms && (!best || s->mtime_ms > best->mtime_ms))
			best = s;
	}
	return best;
}

/* Whether something shows that the machine outlived s, a session without an end. */
static bool lived_on(const struct taf_past_room *r, const struct taf_past_session *s)
{
	for (uint32_t i = 0; i < r->n; i++) {
		const struct taf_past_session *o = &r->session[i];

		if (!o->is_read || !taf_same(o->last.boot, s->last.boot))
			continue;
		if (o->is_run ? o->has_end && o->guest == s->last.pid && o->last_ms >= s->last_ms
			      : o->first_ms > s->last_ms + LIVED_ON_MS)
			return true;
	}
	return false;
}

/* What the machine may have gone down in; NULL: nothing that shows. */
static const struct taf_ledger_event *surmise(const struct taf_past_room *r,
					      const struct taf_past_session *s)
{
	bool is_inferring = s->n_infers && !s->is_outside;

	if (!s->is_read || !s->is_guest || s->has_end || taf_same(s->last.boot, r->ask->boot) ||
	    (!is_inferring && !s->n_loads) || lived_on(r, s))
		return NULL;
	return is_inferring && (!s->n_loads || s->infer.at.utc_ms >= s->load.at.utc_ms) ? &s->infer
											: &s->load;
}

/* Of that pid in the boot of a run, the latest; NULL: it left no log. */
static struct taf_past_session *guest_of(struct taf_past_room *r,
					 const struct taf_past_session *run)
{
	struct taf_past_session *best = NULL;

	for (uint32_t i = 0; i < r->n; i++) {
		struct taf_past_session *s = &r->session[i];

		if (s != run && s->last.pid == run->guest &&
		    taf_same(s->last.boot, run->last.boot) &&
		    (!best || s->last.start > best->last.start))
			best = s;
	}
	return best;
}

static void tell_crash(struct taf_past_room *r, struct taf_past_session *run)
{
	struct taf_past_session *guest = guest_of(r, run);

	if (guest && !guest->is_read)
		read_session(r, guest, true);
	if (guest)
		taf_copy(run->crash.model, guest->model, sizeof(run->crash.model));
	r->found(r->ctx, &run->crash);
}

int taf_past_look(const struct taf_past_ask *ask, taf_past_fn *found, void *ctx)
{
	struct taf_past_room *r = taf_sys_map(sizeof(*r));
	uint64_t boot_ms = taf_sys_boot_ns() / 1000000, mono_ms = taf_sys_mono_ns() / 1000000;
	struct taf_past_session *s;
	int n;

	if (!r)
		return -ENOMEM;
	r->ask = ask;
	r->found = found;
	r->ctx = ctx;
	r->asleep_ms = boot_ms > mono_ms ? boot_ms - mono_ms : 0;
	n = list(r);
	for (uint32_t i = 0; i < r->n; i++)
		if (!is_worth_it(r, &r->session[i]))
			r->session[i].mtime_ms = 0;
	while ((s = next_session(r))) {
		read_session(r, s, false);
		s->mtime_ms = 0;
	}
	for (uint32_t i = 0; i < r->n; i++)
		if (r->session[i].has_crash)
			tell_crash(r, &r->session[i]);
	for (uint32_t i = 0; i < r->n; i++) {
		const struct taf_ledger_event *e = surmise(r, &r->session[i]);

		if (e)
			found(ctx, e);
	}
	n = n ? n : (int)r->n_read;
	taf_sys_unmap(r, sizeof(*r));
	return n;
}
