/* SPDX-License-Identifier: MIT */
#include "story.h"

#include <errno.h>
#include <string.h>

#include "../policy/classify.h"
#include "../policy/fault.h"
#include "../policy/text.h"
#include "tallied.h"

#define SAME_NS 5000000u

static const char *const names[] = {
	[TAF_ENDED_RUNNING] = "running",
	[TAF_ENDED_CLEAN] = "clean",
	[TAF_ENDED_NONZERO] = "nonzero",
	[TAF_ENDED_SIGNAL] = "signal",
	[TAF_ENDED_KILLED] = "killed",
	[TAF_ENDED_CRASH] = "crash",
	[TAF_ENDED_HELD] = "held",
	[TAF_ENDED_REFUSED] = "refused",
	[TAF_ENDED_MACHINE_DOWN] = "machine_down",
	[TAF_ENDED_UNKNOWN] = "unknown",
};

const char *taf_ended_name(enum taf_ended verdict)
{
	return (unsigned)verdict <= TAF_ENDED_UNKNOWN ? names[verdict] : "unknown";
}

int taf_ended_weight(enum taf_ended verdict)
{
	static const int weight[] = {
		[TAF_ENDED_RUNNING] = 2, [TAF_ENDED_CLEAN] = 0,	  [TAF_ENDED_NONZERO] = 3,
		[TAF_ENDED_SIGNAL] = 6,	 [TAF_ENDED_KILLED] = 7,  [TAF_ENDED_CRASH] = 8,
		[TAF_ENDED_HELD] = 4,	 [TAF_ENDED_REFUSED] = 5, [TAF_ENDED_MACHINE_DOWN] = 9,
		[TAF_ENDED_UNKNOWN] = 1,
	};

	return (unsigned)verdict <= TAF_ENDED_UNKNOWN ? weight[verdict] : 1;
}

static bool names_guest(const struct taf_crumb_line *line, int32_t pid)
{
	uint64_t v;

	for (unsigned i = 0; taf_crumb_item_u64(line, TAF_KEY_PID_OF_GUEST, i, &v); i++)
		if (v == (uint64_t)pid)
			return true;
	return false;
}

void taf_ending_find(const struct taf_trail *trail, const struct taf_trail *runner,
		     struct taf_ending *end)
{
	struct taf_crumb_line line;
	bool is_ours = false, is_any = false;
	char call[16];

	memset(end, 0, sizeof(*end));
	if (!runner || runner == trail || strcmp(runner->boot, trail->boot) != 0)
		return;
	for (size_t i = 0; i < runner->n_past; i++) {
		const struct taf_past *p = &runner->past[i];

		if (!taf_past_line(p, &line))
			continue;
		is_any = is_any || taf_crumb_has(&line, TAF_KEY_PID_OF_GUEST);
		is_ours = is_ours || names_guest(&line, trail->pid);
		/* A run that restarts its guest has one such record for each. */
		if (p->kind != TAF_EXIT ||
		    (taf_crumb_has(&line, TAF_KEY_PID_OF_GUEST) &&
		     !names_guest(&line, trail->pid)) ||
		    !taf_crumb_i64(&line, TAF_KEY_RC, &end->rc))
			continue;
		taf_crumb_text(&line, TAF_KEY_CALL, call, sizeof(call));
		end->mono_ns = p->mono_ns;
		end->is_known = !strcmp(call, "run");
	}
	if (!is_any)
		is_ours = trail->ppid == runner->pid;
	/* A pid that was used again after that guest ended is another process. */
	if (!is_ours || (end->is_known && trail->first_ns > end->mono_ns))
		memset(end, 0, sizeof(*end));
}

/* A generation is written down a moment after the call that it begins with has begun. */
static bool is_after(const struct taf_open_begin *a, const struct taf_open_begin *b)
{
	if (a->kind == TAF_INFER && b->kind != TAF_INFER)
		return a->since_ns > b->since_ns + SAME_NS;
	if (b->kind == TAF_INFER && a->kind != TAF_INFER)
		return a->since_ns + SAME_NS >= b->since_ns;
	return a->since_ns > b->since_ns;
}

/* Generations are many, and what else is open may be what all of them wait for: the latest one is
 * no longer listed. False: there is no room. */
static bool make_room(struct taf_story *s, const struct taf_open_begin *o)
{
	size_t i = s->n_open;

	if (i < TAF_OPEN_MAX)
		return true;
	while (o->kind != TAF_INFER && i && s->open[i - 1].kind != TAF_INFER)
		i--;
	s->infers_unlisted += i != 0;
	if (o->kind == TAF_INFER || !i)
		return false;
	memmove(&s->open[i - 1], &s->open[i], (s->n_open - i) * sizeof(s->open[0]));
	s->n_open--;
	return true;
}

void taf_story_add_open(struct taf_story *s, const struct taf_open_begin *o)
{
	size_t at;

	if (!make_room(s, o))
		return;
	at = s->n_open;
	for (; at && is_after(&s->open[at - 1], o); at--)
		s->open[at] = s->open[at - 1];
	s->open[at] = *o;
	s->n_open++;
}

const struct taf_open_begin *taf_story_open(const struct taf_story *s, enum taf_kind kind)
{
	for (size_t i = 0; i < s->n_open; i++)
		if (s->open[i].kind == (int)kind)
			return &s->open[i];
	return NULL;
}

size_t taf_story_count_open(const struct taf_story *s, enum taf_kind kind)
{
	size_t n = kind == TAF_INFER ? s->infers_unlisted : 0;

	for (size_t i = 0; i < s->n_open; i++)
		n += s->open[i].kind == (int)kind;
	return n;
}

struct taf_last_thing *taf_story_last_of(struct taf_story *s, int32_t tid)
{
	struct taf_last_thing *oldest = &s->last[0];

	for (size_t i = 0; i < s->n_last; i++) {
		if (s->last[i].tid == tid)
			return &s->last[i];
		if (s->last[i].mono_ns < oldest->mono_ns)
			oldest = &s->last[i];
	}
	if (s->n_last < TAF_LAST_MAX)
		oldest = &s->last[s->n_last++];
	memset(oldest, 0, sizeof(*oldest));
	oldest->tid = tid;
	return oldest;
}

/* What came of one that failed, in the words of its record (shim/act.c) where they say why. */
static void take_missed(struct taf_story *s, const struct taf_crumb_line *line, int64_t rc)
{
	s->drains_missed++;
	if (!taf_crumb_text(line, TAF_KEY_MSG, s->missed, sizeof(s->missed)))
		s->missed[0] = '\0';
	if (strstr(s->missed, "but not cleared")) {
		s->drains_uncleared++;
		taf_copy(s->missed, "the caches were not cleared in the end", sizeof(s->missed));
	} else if (!taf_starts(s->missed, "not drained: ") &&
		   !taf_starts(s->missed, "not synchronized: ")) {
		taf_copy(s->missed,
			 rc == -ETIMEDOUT ? "not drained: the device had not come back"
					  : "not drained: the wait for the device failed",
			 sizeof(s->missed));
	}
}

static void count_drain(struct taf_story *s, const struct taf_past *p,
			const struct taf_crumb_line *line)
{
	int64_t rc;
	uint64_t us = 0;

	taf_crumb_i64(line, TAF_KEY_RC, &rc);
	if (taf_crumb_us(line, TAF_KEY_MS, &us)) {
		s->drain_us += us;
		s->drain_max_us = us > s->drain_max_us ? us : s->drain_max_us;
	}
	if (p->phase == TAF_BEGIN) {
		s->drains++;
		taf_crumb_text(line, TAF_KEY_MSG, s->label, sizeof(s->label));
	} else if (rc) {
		take_missed(s, line, rc);
		s->drains_failed += p->phase == TAF_END && p->mate;
	} else {
		s->missed[0] = '\0';
		s->drains += p->phase == TAF_MARK;
	}
}

/* The biggest model names the session: drafts and adapters are smaller. */
static void count_load(struct taf_story *s, const struct taf_past *p,
		       const struct taf_crumb_line *line, uint64_t *biggest)
{
	char model[TAF_LABEL_ROOM];
	uint64_t bytes;

	s->loads += p->phase != TAF_END;
	taf_crumb_u64(line, TAF_KEY_BYTES, &bytes);
	if (taf_crumb_text(line, TAF_KEY_MODEL, model, sizeof(model)) && model[0] &&
	    (!s->model[0] || bytes >= *biggest)) {
		taf_copy(s->model, model, sizeof(s->model));
		*biggest = bytes;
	}
}

/* abort() follows a failed assertion: what failed says more than that, and than the answer
 * to a wrong request. */
static void take_error(struct taf_story *s, const struct taf_crumb_line *line)
{
	char class[32];

	taf_crumb_text(line, TAF_KEY_CLASS, class, sizeof(class));
	if (s->error[0] && (!strcmp(class, "abort") || taf_class_is_remark(class)))
		return;
	taf_copy(s->error_class, class, sizeof(s->error_class));
	s->is_error = taf_crumb_kind(line) == TAF_ERROR;
	taf_crumb_text(line, TAF_KEY_MSG, s->error, sizeof(s->error));
	s->advice = taf_class_advised(class, s->error);
	if (s->advice) {
		size_t n = strlen(s->advice) + sizeof(": ") - 1;

		memmove(s->error, s->error + n, strlen(s->error + n) + 1);
	}
}

/* What a runtime answers to an allocation is no failure of the device, but may be what the
 * program could not do without. */
static bool is_out_of_memory(const struct taf_story *s, const struct taf_crumb_line *line)
{
	char class[32];

	return (!s->error[0] || !strcmp(s->error_class, "out_of_memory")) &&
	       taf_crumb_has(line, TAF_KEY_RC) && !taf_crumb_has(line, TAF_KEY_RULE) &&
	       taf_crumb_text(line, TAF_KEY_CLASS, class, sizeof(class)) &&
	       !strcmp(class, "out_of_memory");
}

static void count(struct taf_story *s, const struct taf_trail *t)
{
	uint64_t biggest = 0;

	for (size_t i = 0; i < t->n_past; i++) {
		const struct taf_past *p = &t->past[i];
		struct taf_crumb_line line;

		if (!taf_past_line(p, &line))
			continue;
		if (p->engine != TAF_ENGINE_NONE && p->engine != TAF_ENGINE_LIBC)
			s->engines |= 1u << p->engine;
		if (p->kind == TAF_DRAIN)
			count_drain(s, p, &line);
		else if (p->kind == TAF_INFER)
			taf_story_count_infer(s, p, &line);
		else if (p->kind == TAF_LOAD)
			count_load(s, p, &line, &biggest);
		if ((p->kind == TAF_LOAD || p->kind == TAF_INFER) &&
		    taf_crumb_has(&line, TAF_KEY_MODEL))
			taf_crumb_text(&line, TAF_KEY_MODEL, s->last_model, sizeof(s->last_model));
		if (p->kind == TAF_ERROR)
			take_error(s, &line);
		else if (p->kind == TAF_NOTE && is_out_of_memory(s, &line))
			take_error(s, &line);
		if (p->kind == TAF_HOLD || p->kind == TAF_REFUSE)
			taf_crumb_text(&line, TAF_KEY_RULE, s->rule, sizeof(s->rule));
	}
	if (!s->model[0])
		taf_copy(s->model, s->last_model, sizeof(s->model));
}

/* What a wait compares, where that goes on with the clock. */
static void take_times(const struct taf_crumb_line *line, struct taf_open_begin *o)
{
	char unit[8] = "";

	taf_crumb_text(line, TAF_KEY_UNIT, unit, sizeof(unit));
	if (strcmp(unit, "ms") != 0 || !taf_crumb_u64(line, TAF_KEY_HAVE, &o->have_ms) ||
	    !taf_crumb_u64(line, TAF_KEY_NEED, &o->need_ms))
		o->need_ms = 0;
}

static void take_open(struct taf_story *s, const struct taf_past *p)
{
	struct taf_open_begin o = {
		.kind = p->kind, .engine = p->engine, .tid = p->tid, .since_ns = p->mono_ns
	};
	struct taf_crumb_line line;

	if (!taf_past_line(p, &line))
		return;
	taf_crumb_text(&line, TAF_KEY_CALL, o.call, sizeof(o.call));
	taf_crumb_text(&line, TAF_KEY_MODEL, o.model, sizeof(o.model));
	taf_crumb_text(&line, TAF_KEY_MSG, o.msg, sizeof(o.msg));
	taf_crumb_text(&line, TAF_KEY_RULE, o.rule, sizeof(o.rule));
	take_times(&line, &o);
	taf_story_add_open(s, &o);
}

static void take_last(struct taf_story *s, const struct taf_past *p)
{
	struct taf_last_thing *last = taf_story_last_of(s, p->tid);
	struct taf_crumb_line line;

	last->kind = p->kind;
	last->phase = p->phase;
	last->engine = p->engine;
	last->mono_ns = p->mono_ns;
	last->is_inside =
		p->phase == TAF_BEGIN && !p->mate && p->kind != TAF_INFER && !taf_past_is_unread(p);
	if (taf_past_line(p, &line))
		taf_crumb_text(&line, TAF_KEY_CALL, last->call, sizeof(last->call));
}

/* Begins without an end, and each thread's last record, in the program that it was last. */
static void take_ends(struct taf_story *s, const struct taf_trail *t)
{
	for (size_t i = 0; i < t->n_past; i++) {
		const struct taf_past *p = &t->past[i];

		if (p->image != t->past[t->n_past - 1].image)
			continue;
		/* An exec that has no end has succeeded. */
		if (p->phase == TAF_BEGIN && !p->mate && p->kind != TAF_START &&
		    p->kind != TAF_EXIT && p->kind != TAF_EXEC && !taf_past_is_unread(p))
			take_open(s, p);
		take_last(s, p);
	}
}

static void set_ages(struct taf_story *s)
{
	struct taf_last_thing *l = s->last;

	for (size_t i = 0; i < s->n_open; i++)
		if (s->end_ns > s->open[i].since_ns)
			s->open[i].age_ms = (s->end_ns - s->open[i].since_ns) / 1000000;
	for (size_t i = 0; i < s->n_last; i++) {
		struct taf_last_thing one = l[i];
		size_t at = i;

		one.age_ms = s->end_ns > one.mono_ns ? (s->end_ns - one.mono_ns) / 1000000 : 0;
		for (; at && l[at - 1].mono_ns < one.mono_ns; at--)
			l[at] = l[at - 1];
		l[at] = one;
	}
	if (s->oldest.is_known && s->end_ns > s->oldest.since_ns)
		s->oldest.age_ms = (s->end_ns - s->oldest.since_ns) / 1000000;
}

/* Everything before was waited for: then the one that is being made is the oldest. */
static void find_inside(struct taf_story *s)
{
	const struct taf_open_begin *o = taf_story_open(s, TAF_SUBMIT);

	if (s->oldest.is_known || !o)
		return;
	s->oldest.is_known = s->oldest.is_inside = true;
	s->oldest.since_ns = o->since_ns;
	s->oldest.engine = o->engine;
	taf_copy(s->oldest.call, o->call, sizeof(s->oldest.call));
}

/* A drain that is open says which submits it waits for; else they are counted
 * from the end of the generation, which is where the ring stops. */
static void label_oldest(struct taf_story *s)
{
	const struct taf_open_begin *drain = taf_story_open(s, TAF_DRAIN);
	struct taf_oldest *o = &s->oldest;
	struct taf_text t;

	if (!o->is_known)
		return;
	taf_text_init(&t, o->label, sizeof(o->label));
	if (drain && drain->msg[0]) {
		taf_text_put(&t, drain->msg);
	} else if (taf_story_open(s, TAF_INFER) && s->open_submits_known &&
		   (o->is_inside || s->open_submits > o->behind)) {
		taf_text_put(&t, "submit ");
		taf_text_u64(&t, s->open_submits - o->behind + o->is_inside);
		taf_text_put(&t, taf_story_is_bare(s) ? " of this burst" : " of this generation");
	}
}

static uint32_t engine_bit(uint8_t api)
{
	enum taf_engine engine = taf_engine_of_api((enum taf_api)api);

	return engine == TAF_ENGINE_NONE ? 0 : 1u << engine;
}

/* What the watch of its run did to it. */
static void take_watch(struct taf_story *s, const struct taf_trail *t,
		       const struct taf_trail *runner)
{
	struct taf_crumb_line line;
	char class[16];

	for (size_t i = 0; runner && runner != t && i < runner->n_past; i++) {
		const struct taf_past *p = &runner->past[i];

		if (p->kind != TAF_NOTE || !taf_past_line(p, &line) ||
		    !names_guest(&line, t->pid) ||
		    !taf_crumb_text(&line, TAF_KEY_CLASS, class, sizeof(class)) ||
		    (strcmp(class, "terminated") != 0 && strcmp(class, "killed") != 0))
			continue;
		s->was_terminated = true;
		taf_crumb_text(&line, TAF_KEY_RULE, s->watch_rule, sizeof(s->watch_rule));
	}
}

void taf_story_tell(struct taf_story *s, const struct taf_trail *t, const struct taf_trail *runner,
		    const struct taf_world *w)
{
	struct taf_ending end;
	bool is_here =
		!strcmp(t->boot, w->boot) && (!t->pid_ns || !w->pid_ns || t->pid_ns == w->pid_ns);

	memset(s, 0, sizeof(*s));
	s->verdict = TAF_ENDED_UNKNOWN;
	s->is_alive = is_here && w->is_alive && w->is_alive(t->pid, t->start);
	if (t->n_past) {
		taf_ending_find(t, runner, &end);
		count(s, t);
		taf_tallied_find(s, t);
		take_ends(s, t);
		s->end_ns = t->last_ns;
		s->verdict = taf_story_judge(s, t, &end);
		if (s->is_alive) {
			s->verdict = TAF_ENDED_RUNNING;
			s->end_ns = w->mono_ns;
			s->end_is_known = false;
		}
		s->is_outside = t->is_outside;
		s->has_ring = taf_story_join_ring(s, t, w);
		for (size_t i = 0; i < s->n_devices; i++)
			if (s->devices[i].peak)
				s->engines |= engine_bit(s->devices[i].api);
		take_watch(s, t, runner);
		if (!s->end_is_known && !s->is_alive)
			s->verdict = taf_story_silence(s, t, w);
		if (s->verdict == TAF_ENDED_SIGNAL || s->verdict == TAF_ENDED_KILLED)
			taf_story_find_cut(s, t);
		taf_story_time_infers(s, t);
		find_inside(s);
		set_ages(s);
		label_oldest(s);
	} else if (s->is_alive) {
		s->verdict = TAF_ENDED_RUNNING;
	}
	taf_story_word(s, t);
}
