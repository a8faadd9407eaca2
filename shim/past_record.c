/* SPDX-License-Identifier: MIT */
#include "past_record.h"

#include <signal.h>

#include "../policy/classify.h"
#include "../policy/fault.h"
#include "state.h"

static void shut(struct taf_past_reading *g, uint64_t of)
{
	for (uint32_t i = 0; i < g->n_open; i++)
		if (g->open[i].seq == of)
			g->open[i] = g->open[--g->n_open];
}

/* A call of this boot: mono_ns of its record, on the clock that goes on in sleep. */
static struct taf_moment moment_of(const struct taf_past_room *r, const struct taf_crumb_line *line,
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

static void fill_event(const struct taf_past_reading *g, const struct taf_crumb_line *line,
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

static void crash(const struct taf_past_reading *g, const struct taf_crumb_line *line,
		  const char *class)
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

static void take_exit(struct taf_past_reading *g, const struct taf_crumb_line *line)
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
static void take_begin(struct taf_past_reading *g, const struct taf_crumb_line *line,
		       enum taf_key number)
{
	bool is_load = taf_crumb_kind(line) != TAF_INFER;
	struct taf_ledger_event *e = is_load ? &g->s->load : &g->s->infer;
	uint64_t seq;

	if (!taf_crumb_u64(line, number, &seq) || g->n_open == TAF_PAST_OPEN_MAX)
		return;
	g->open[g->n_open++] = (struct taf_past_open){ seq, is_load };
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
static void take_mark(struct taf_past_reading *g, const struct taf_crumb_line *line)
{
	uint64_t is_inside;

	if (taf_crumb_u64(line, TAF_KEY_INSIDE, &is_inside))
		g->s->is_outside = !is_inside;
}

static void keep_first(const struct taf_past_reading *g, const struct taf_crumb_line *line,
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
static void take_error(struct taf_past_reading *g, const struct taf_crumb_line *line)
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

/* Where both are one record, the ledger knows. */
void taf_past_tell_errors(const struct taf_past_reading *g)
{
	if (g->is_quiet || !g->r->ask->wants_crashes || !taf_same(g->s->last.boot, g->r->ask->boot))
		return;
	if (g->error.severity && !g->s->is_clean)
		g->r->found(g->r->ctx, &g->error);
	if (g->lasting.severity)
		g->r->found(g->r->ctx, &g->lasting);
}

void taf_past_take_record(struct taf_past_reading *g, const struct taf_crumb_line *line)
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

bool taf_past_take_start(struct taf_past_reading *g, const struct taf_crumb_line *line)
{
	char role[16] = "", machine[TAF_BOOT_ID_LEN + 1] = "";
	struct taf_past_session *s = g->s;

	taf_crumb_text(line, TAF_KEY_ROLE, role, sizeof(role));
	taf_crumb_text(line, TAF_KEY_MACHINE, machine, sizeof(machine));
	s->is_guest = taf_same(role, "guest");
	s->is_run = taf_same(role, "run");
	s->first_ms = s->last_ms = moment_of(g->r, line, false).utc_ms;
	return s->is_run || (s->is_guest && taf_same(machine, g->r->ask->machine));
}
