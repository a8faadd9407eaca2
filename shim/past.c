/* SPDX-License-Identifier: MIT */
#include "past.h"

#include <errno.h>
#include <signal.h>

#include "../policy/classify.h"
#include "../policy/fault.h"
#include "crumb.h"
#include "crumb_read.h"
#include "scratch.h"
#include "seg.h"
#include "seg_name.h"
#include "state.h"

#define SESSIONS_MAX 1024u
#define READ_MAX 96u /* sessions that are opened */
#define TAIL (64u * 1024) /* bytes of the last records */
#define DENTS (32u * 1024)
#define OPEN_MAX 64 /* calls at once in one session */
#define SEGMENTS_BACK 3u
#define LIVED_ON_MS (10u * TAF_MINUTE_MS)

struct session {
	struct taf_seg_name last; /* its segment of the highest number */
	uint64_t mtime_ms; /* of that */
	/* Once it was read: */
	bool is_read, is_guest, is_run, has_end, is_clean;
	uint32_t n_loads, n_infers; /* that have no end */
	bool is_outside; /* by the latest mark no call of a generation is inside */
	uint64_t first_ms, last_ms; /* UTC of its records */
	char model[TAF_LEDGER_ID]; /* that its records named last */
	int32_t guest; /* of a run: whose end it saw */
	bool has_crash; /* of a run: that end was one */
	struct taf_ledger_event crash;
	struct taf_ledger_event load, infer; /* what a surmise would say: of the latest begins */
};

/* What one look works with, in one mapping. */
struct room {
	struct session session[SESSIONS_MAX];
	char rows[DENTS];
	char text[TAF_RECORD_MAX + TAIL + 1];
	const struct taf_past_ask *ask;
	taf_past_fn *found;
	void *ctx;
	uint64_t asleep_ms; /* what the boot clock is ahead of mono_ns */
	uint32_t n, n_read;
};

/* ---- names ---- */

static bool is_same_session(const struct taf_seg_name *a, const struct taf_seg_name *b)
{
	return a->pid == b->pid && a->start == b->start && taf_same(a->boot, b->boot);
}

static void take_name(struct room *r, const char *name)
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
	if (r->n < SESSIONS_MAX)
		r->session[r->n++].last = n;
}

static int list(struct room *r)
{
	int fd = taf_sys_open(r->ask->dir, TAF_O_READ | TAF_O_DIR);
	int64_t got;

	if (fd < 0)
		return fd;
	while ((got = taf_sys_getdents(fd, r->rows, DENTS)) > 0)
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

/* A session while its records are read. */
struct reading {
	struct room *r;
	struct session *s;
	struct open {
		uint64_t seq;
		bool is_load;
	} open[OPEN_MAX]; /* loads and generations without an end */
	uint32_t n_open;
	bool is_quiet; /* only what the session is of */
	/* The first one, and the first whose harm lasts; severity 0: none. */
	struct taf_ledger_event error, lasting;
};

static void shut(struct reading *g, uint64_t of)
{
	for (uint32_t i = 0; i < g->n_open; i++)
		if (g->open[i].seq == of)
			g->open[i] = g->open[--g->n_open];
}

/* A call of this boot: mono_ns of its record, on the clock that goes on in sleep. */
static struct taf_moment moment_of(const struct room *r, const struct taf_crumb_line *line,
				   bool is_this_boot)
{
	struct taf_moment m = { 0 };
	uint64_t us = 0, mono_ns = 0;

	taf_crumb_utc_us(line, &us);
	taf_crumb_u64(line, TAF_KEY_MONO_NS, &mono_ns);
	m.utc_ms = us / 1000;
	if (is_this_boot) {
		uint64_t age = r->ask->now.utc_ms > m.utc_ms ? r->ask->now.utc_ms - m.utc_ms : 0;
		uint64_t least = mono_ns / 1000000, most = least + r->asleep_ms;
		uint64_t by_utc = r->ask->now.boot_ms > age ? r->ask->now.boot_ms - age : 0;

		m.boot_ms = by_utc < least ? least : by_utc > most ? most : by_utc;
	}
	return m;
}

static void fill_event(const struct reading *g, const struct taf_crumb_line *line,
		       struct taf_ledger_event *e)
{
	bool is_this_boot = taf_same(g->s->last.boot, g->r->ask->boot);

	taf_zero(e, sizeof(*e));
	e->at = moment_of(g->r, line, is_this_boot);
	e->at.boot = taf_boot_key(g->s->last.boot);
	e->seen = g->r->ask->now;
	e->pid = g->s->last.pid;
	taf_copy(e->source, "crumbs", sizeof(e->source));
	/* A signal's record names none. */
	if (!taf_crumb_text(line, TAF_KEY_MODEL, e->model, sizeof(e->model)))
		taf_copy(e->model, g->s->model, sizeof(e->model));
}

static void crash(const struct reading *g, const struct taf_crumb_line *line, const char *class)
{
	struct taf_ledger_event e;

	if (g->is_quiet || !g->r->ask->wants_crashes || !taf_same(g->s->last.boot, g->r->ask->boot))
		return;
	fill_event(g, line, &e);
	e.is_abort = true;
	e.severity = TAF_SEVERITY_PROCESS;
	taf_copy(e.class, class, sizeof(e.class));
	if (!g->s->is_run) {
		g->r->found(g->r->ctx, &e);
		return;
	}
	/* The model stands in its guest's session, which may not have been read yet. */
	e.pid = g->s->guest;
	g->s->crash = e;
	g->s->has_crash = true;
}

/* NULL: no end that counts as a crash. */
static const char *crash_signal(int64_t signo)
{
	switch (signo) {
	case SIGABRT: return "SIGABRT";
	case SIGSEGV: return "SIGSEGV";
	case SIGBUS: return "SIGBUS";
	default: return NULL;
	}
}

static void take_exit(struct reading *g, const struct taf_crumb_line *line)
{
	int64_t rc = 0;
	uint64_t guest;

	g->s->has_end = true;
	taf_crumb_i64(line, TAF_KEY_RC, &rc);
	/* An exit handler may still abort: only the end of an exit says that it was one. */
	g->s->is_clean = g->s->is_guest && !rc && taf_crumb_phase(line) != TAF_BEGIN;
	if (taf_crumb_u64(line, TAF_KEY_PID_OF_GUEST, &guest) && guest <= INT32_MAX)
		g->s->guest = (int32_t)guest;
	if (g->s->is_run && rc < 0 && crash_signal(-rc))
		crash(g, line, crash_signal(-rc));
}

/* number: which key has the number that the end will name. */
static void take_begin(struct reading *g, const struct taf_crumb_line *line, enum taf_key number)
{
	bool is_load = taf_crumb_kind(line) != TAF_INFER;
	struct taf_ledger_event *e = is_load ? &g->s->load : &g->s->infer;
	uint64_t seq;

	if (!taf_crumb_u64(line, number, &seq) || g->n_open == OPEN_MAX)
		return;
	g->open[g->n_open++] = (struct open){ seq, is_load };
	fill_event(g, line, e);
	e->is_suspected = true;
	e->severity = TAF_SEVERITY_PANIC;
	taf_copy(e->class, "dirty_boot", sizeof(e->class));
}

/* What is only read takes nothing down: a load of MLX counts from the note that its weights
 * are evaluated (lazy.h). */
static bool is_lazy(const struct taf_crumb_line *line)
{
	int engine = taf_crumb_engine(line);

	return engine == TAF_ENGINE_MLX || engine == TAF_ENGINE_MLXC;
}

/* Written over in place: what it says is of the end of the log, wherever it stands. */
static void take_mark(struct reading *g, const struct taf_crumb_line *line)
{
	uint64_t is_inside;

	if (taf_crumb_u64(line, TAF_KEY_INSIDE, &is_inside))
		g->s->is_outside = !is_inside;
}

static void keep_first(const struct reading *g, const struct taf_crumb_line *line,
		       const char *class, struct taf_ledger_event *e)
{
	if (e->severity)
		return;
	fill_event(g, line, e);
	e->is_abort = true;
	e->severity = TAF_SEVERITY_PROCESS;
	taf_copy(e->class, class, sizeof(e->class));
}

/* "abort" and "ggml_abort" are ends, as a signal is; other errors a program may live with. */
static void take_error(struct reading *g, const struct taf_crumb_line *line)
{
	char class[40];

	if (!g->s->is_guest || !taf_crumb_text(line, TAF_KEY_CLASS, class, sizeof(class)) ||
	    taf_class_is_remark(class))
		return;
	if (taf_ends(class, "abort")) {
		crash(g, line, class);
		return;
	}
	keep_first(g, line, class, &g->error);
	if (taf_fault_is_lasting(class))
		keep_first(g, line, class, &g->lasting);
}

/* What a program has caught, and lived with until it left with status 0, was no crash. Where
 * both are one record, the ledger knows. */
static void tell_errors(const struct reading *g)
{
	if (g->is_quiet || !g->r->ask->wants_crashes || !taf_same(g->s->last.boot, g->r->ask->boot))
		return;
	if (g->error.severity && !g->s->is_clean)
		g->r->found(g->r->ctx, &g->error);
	if (g->lasting.severity)
		g->r->found(g->r->ctx, &g->lasting);
}

static void take_record(struct reading *g, const struct taf_crumb_line *line)
{
	int kind = taf_crumb_kind(line), phase = taf_crumb_phase(line);
	char model[TAF_LEDGER_ID];
	int64_t rc = 0;
	uint64_t of;

	g->s->last_ms = moment_of(g->r, line, false).utc_ms;
	if (taf_crumb_text(line, TAF_KEY_MODEL, model, sizeof(model)))
		taf_copy(g->s->model, model, sizeof(g->s->model));
	if (phase == TAF_END && taf_crumb_u64(line, TAF_KEY_OF, &of))
		shut(g, of);
	if (kind == TAF_EXIT)
		take_exit(g, line);
	else if (((kind == TAF_LOAD && !is_lazy(line)) || kind == TAF_INFER) && phase == TAF_BEGIN)
		take_begin(g, line, TAF_KEY_SEQ);
	else if (kind == TAF_NOTE && is_lazy(line))
		take_begin(g, line, TAF_KEY_OF);
	else if (kind == TAF_INFER && phase == TAF_MARK)
		take_mark(g, line);
	else if (kind == TAF_ERROR)
		take_error(g, line);
	else if (kind == TAF_SIGNAL && taf_crumb_i64(line, TAF_KEY_RC, &rc) && crash_signal(rc))
		crash(g, line, crash_signal(rc));
}

/* The start record: whose session it is. False: none of ours, or of another machine. */
static bool take_start(struct reading *g, const struct taf_crumb_line *line)
{
	char role[16] = "", machine[TAF_BOOT_ID_LEN + 1] = "";
	struct session *s = g->s;

	taf_crumb_text(line, TAF_KEY_ROLE, role, sizeof(role));
	taf_crumb_text(line, TAF_KEY_MACHINE, machine, sizeof(machine));
	s->is_guest = taf_same(role, "guest");
	s->is_run = taf_same(role, "run");
	s->first_ms = s->last_ms = moment_of(g->r, line, false).utc_ms;
	return s->is_run || (s->is_guest && taf_same(machine, g->r->ask->machine));
}

/* The start record and the last TAIL bytes of the records. Bytes in text; 0: none. */
static size_t read_ends(struct room *r, const struct taf_seg_name *n)
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
	from = end > TAF_RECORD_MAX + TAIL ? end - TAIL : 0;
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

static bool read_segment(struct reading *g, const struct taf_seg_name *n)
{
	struct taf_crumb_reader in;
	struct taf_crumb_line line;
	size_t len = read_ends(g->r, n);

	taf_crumb_read_init(&in, g->r->text, len, taf_crumb_seed(n->boot, n->start, n->seg));
	if (!len || !taf_crumb_read_next(&in, &line) || !take_start(g, &line))
		return false;
	while (taf_crumb_read_next(&in, &line))
		take_record(g, &line);
	return true;
}

/* A generation may have begun some segments ago; the last one may be empty. */
static void read_session(struct room *r, struct session *s, bool is_quiet)
{
	struct reading *g = taf_scratch_take(sizeof(*g));
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
	tell_errors(g);
	for (uint32_t i = 0; i < g->n_open; i++) {
		s->n_loads += g->open[i].is_load;
		s->n_infers += !g->open[i].is_load;
	}
	taf_scratch_give(g);
}

/* ---- all of them ---- */

static bool is_worth_it(const struct room *r, struct session *s)
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
static struct session *next_session(struct room *r)
{
	struct session *best = NULL;

	for (uint32_t i = 0; i < r->n && r->n_read < READ_MAX; i++) {
		struct session *s = &r->session[i];

		if (s->mtime_ms && (!best || s->mtime_ms > best->mtime_ms))
			best = s;
	}
	return best;
}

/* Whether something shows that the machine outlived s, a session without an end. */
static bool lived_on(const struct room *r, const struct session *s)
{
	for (uint32_t i = 0; i < r->n; i++) {
		const struct session *o = &r->session[i];

		if (!o->is_read || !taf_same(o->last.boot, s->last.boot))
			continue;
		if (o->is_run ? o->has_end && o->guest == s->last.pid && o->last_ms >= s->last_ms
			      : o->first_ms > s->last_ms + LIVED_ON_MS)
			return true;
	}
	return false;
}

/* What the machine may have gone down in; NULL: nothing that shows. */
static const struct taf_ledger_event *surmise(const struct room *r, const struct session *s)
{
	bool is_inferring = s->n_infers && !s->is_outside;

	if (!s->is_read || !s->is_guest || s->has_end || taf_same(s->last.boot, r->ask->boot) ||
	    (!is_inferring && !s->n_loads) || lived_on(r, s))
		return NULL;
	return is_inferring && (!s->n_loads || s->infer.at.utc_ms >= s->load.at.utc_ms) ? &s->infer
											: &s->load;
}

/* Of that pid in the boot of a run, the latest; NULL: it left no log. */
static struct session *guest_of(struct room *r, const struct session *run)
{
	struct session *best = NULL;

	for (uint32_t i = 0; i < r->n; i++) {
		struct session *s = &r->session[i];

		if (s != run && s->last.pid == run->guest &&
		    taf_same(s->last.boot, run->last.boot) &&
		    (!best || s->last.start > best->last.start))
			best = s;
	}
	return best;
}

static void tell_crash(struct room *r, struct session *run)
{
	struct session *guest = guest_of(r, run);

	if (guest && !guest->is_read)
		read_session(r, guest, true);
	if (guest)
		taf_copy(run->crash.model, guest->model, sizeof(run->crash.model));
	r->found(r->ctx, &run->crash);
}

int taf_past_look(const struct taf_past_ask *ask, taf_past_fn *found, void *ctx)
{
	struct room *r = taf_sys_map(sizeof(*r));
	uint64_t boot_ms = taf_sys_boot_ns() / 1000000, mono_ms = taf_sys_mono_ns() / 1000000;
	struct session *s;
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
