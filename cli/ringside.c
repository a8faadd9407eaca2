/* SPDX-License-Identifier: MIT */
/* ringside.c -- what the ring adds to a session's story: the calls that its
 * threads are inside, their last records, and which generation has ended
 * without saying so.  Nothing here is written; a ring that is damaged, cut or
 * of another process is as good as none. */
#include <stdlib.h>
#include <string.h>

#include "../policy/text.h"
#include "../shim/ring_read.h"
#include "ring_file.h"
#include "story.h"

/* One reading of a ring while a story is joined. */
struct ring_side {
	struct taf_ring_copy copy;
	struct taf_story *story;
	const struct taf_trail *trail;
	uint64_t last_submit_ns, last_sign_ns;
	bool is_any_inside;
};

static void note_sign(struct ring_side *r, uint64_t mono_ns, const struct taf_world *w)
{
	if (mono_ns > r->last_sign_ns && mono_ns <= w->mono_ns)
		r->last_sign_ns = mono_ns;
}

/* The log may know the same call, with more about it. */
static bool is_in_log(const struct taf_story *s, const struct taf_ring_lane *lane)
{
	for (size_t i = 0; i < s->n_open; i++)
		if (s->open[i].tid == lane->tid && s->open[i].kind == lane->open.kind &&
		    !s->open[i].is_ring)
			return true;
	return false;
}

static void join_open(struct ring_side *r, const struct taf_ring_lane *lane)
{
	struct taf_open_begin o = { .kind = lane->open.kind < TAF_KIND_COUNT ? lane->open.kind : -1,
				    .engine = lane->open.engine,
				    .tid = lane->tid,
				    .since_ns = lane->open.mono_ns,
				    .is_ring = true };

	r->is_any_inside = true;
	if (is_in_log(r->story, lane))
		return;
	taf_ring_file_name(o.call, sizeof(o.call), &lane->open);
	if (o.kind == TAF_SUBMIT || o.kind == TAF_SYNC)
		taf_copy(o.model, r->story->last_model, sizeof(o.model));
	taf_story_add_open(r->story, &o);
}

/* A lane knows better than the log what its thread did last, unless the log is newer. */
static void join_last(struct ring_side *r, uint32_t i, const struct taf_ring_lane *lane)
{
	struct taf_ring_record rec;
	const struct taf_ring_call *call = &lane->open;
	struct taf_last_thing *last;

	if (!lane->is_inside) {
		if (!taf_ring_lane_records(&r->copy, i, &rec, 1))
			return;
		call = &rec.call;
	}
	last = taf_story_last_of(r->story, lane->tid);
	if (!last || (!lane->is_inside && last->mono_ns > call->mono_ns))
		return;
	last->kind = call->kind < TAF_KIND_COUNT ? call->kind : -1;
	last->phase = lane->is_inside ? TAF_BEGIN : rec.phase;
	last->engine = call->engine;
	last->mono_ns = call->mono_ns;
	last->is_inside = lane->is_inside;
	taf_ring_file_name(last->call, sizeof(last->call), call);
}

static void join_lanes(struct ring_side *r, const struct taf_world *w)
{
	struct taf_ring_lane lane;

	note_sign(r, r->copy.facts.last_activity_ns, w);
	note_sign(r, r->copy.facts.mono1, w);
	r->last_submit_ns = r->copy.facts.last_activity_ns;
	for (uint32_t i = 0; taf_ring_lane_view(&r->copy, i, &lane); i++) {
		if (lane.tid <= 0)
			continue;
		if (lane.last_submit_ns > r->last_submit_ns)
			r->last_submit_ns = lane.last_submit_ns;
		note_sign(r, lane.last_submit_ns, w);
		if (lane.is_inside) {
			note_sign(r, lane.open.mono_ns, w);
			join_open(r, &lane);
		}
		join_last(r, i, &lane);
	}
}

/* When something last waited for the device, as the log has it: drains are
 * crumbs of ours, not calls of theirs. */
static uint64_t last_wait_ns(const struct taf_trail *trail)
{
	uint64_t last = 0;

	for (size_t i = 0; i < trail->n_past; i++) {
		const struct taf_past *p = &trail->past[i];
		struct taf_crumb_line line;
		int64_t rc = 0;

		if ((p->kind != TAF_DRAIN && p->kind != TAF_SYNC) || p->phase != TAF_END ||
		    p->mono_ns <= last)
			continue;
		if (taf_past_line(p, &line))
			taf_crumb_i64(&line, TAF_KEY_RC, &rc);
		if (!rc)
			last = p->mono_ns;
	}
	return last;
}

/* Submissions since something last waited for the device, oldest named. */
static void find_oldest(struct ring_side *r)
{
	enum { ROOM = 2048 };
	struct taf_ring_record *recs = malloc(ROOM * sizeof(*recs));
	struct taf_oldest *o = &r->story->oldest;
	size_t n = recs ? taf_ring_last(&r->copy, recs, ROOM) : 0;
	uint64_t waited_ns = last_wait_ns(r->trail), submits = 0;
	bool has_waited = false;

	for (size_t i = 0; i < n; i++) {
		const struct taf_ring_call *c = &recs[i].call;

		submits += c->kind == TAF_SUBMIT;
		if ((c->kind == TAF_SYNC || c->kind == TAF_DRAIN) && recs[i].phase != TAF_BEGIN &&
		    !recs[i].rc) {
			memset(o, 0, sizeof(*o));
			has_waited = true;
		} else if (c->kind == TAF_SUBMIT && o->is_known) {
			o->behind++;
		} else if (c->kind == TAF_SUBMIT && c->mono_ns > waited_ns) {
			o->is_known = true;
			o->since_ns = c->mono_ns;
			o->engine = c->engine;
			taf_ring_file_name(o->call, sizeof(o->call), c);
		}
	}
	o->is_whole = has_waited || waited_ns || submits == taf_ring_submits(&r->copy);
	free(recs);
}

/* A generation that has been idle for long enough has ended. */
static void infer_end(struct ring_side *r)
{
	struct taf_story *s = r->story;
	uint64_t end = s->end_is_known || s->is_alive ? s->end_ns : r->last_sign_ns;
	size_t kept = 0;

	if (r->is_any_inside || end < r->last_submit_ns + r->trail->idle_ns)
		return;
	for (size_t i = 0; i < s->n_open; i++) {
		if (s->open[i].kind == TAF_INFER && s->open[i].since_ns <= end)
			s->infers_inferred++;
		else
			s->open[kept++] = s->open[i];
	}
	s->n_open = kept;
	s->infers_inferred += s->infers_unlisted;
	s->infers_unlisted = 0;
	s->infer_end_inferred = s->infers_inferred != 0;
	s->infers_idle_ns = r->last_submit_ns < end ? r->last_submit_ns : end;
}

static void join_counts(struct ring_side *r)
{
	struct taf_story *s = r->story;
	const struct taf_ring_facts *f = &r->copy.facts;
	uint64_t submits = taf_ring_submits(&r->copy);

	if (submits > s->submits) {
		s->open_submits = submits - s->submits;
		s->submits = submits;
	}
	s->open_submits_known = true;
	s->n_devices = f->n_devices;
	memcpy(s->devices, f->devices, sizeof(s->devices));
	s->is_leaving = f->is_leaving;
	s->n_tallies = 0;
	for (size_t i = 0; i < TAF_RING_TALLIES; i++)
		if (f->tallies[i].id && f->tallies[i].n)
			s->tallies[s->n_tallies++] = f->tallies[i];
	s->dropped = f->dropped;
	if (f->infers > s->infers)
		s->infers = f->infers;
	if (!s->last_model[0])
		taf_copy(s->last_model, f->model, sizeof(s->last_model));
	if (!s->model[0])
		taf_copy(s->model, f->model, sizeof(s->model));
}

/* Whether the line from stamps to time that it drew in its life reaches far enough: it
 * goes on for no longer than it has been. That one tells the same each time; one
 * through the present would shift with each reading. */
static bool has_own_line(const struct taf_ring_copy *c)
{
	uint64_t last = 0, mono1 = c->facts.mono1, mono0 = c->facts.mono0;
	struct taf_ring_lane lane;

	for (uint32_t i = 0; taf_ring_lane_view(c, i, &lane); i++) {
		if (lane.last_submit_ns > last)
			last = lane.last_submit_ns;
		if (lane.is_inside && lane.open.mono_ns > last)
			last = lane.open.mono_ns;
	}
	return mono1 > mono0 && (last <= mono1 || last - mono1 <= mono1 - mono0);
}

bool taf_story_join_ring(struct taf_story *s, const struct taf_trail *trail,
			 const struct taf_world *w)
{
	struct ring_side r = { .story = s, .trail = trail };
	void *bytes;

	if (strcmp(trail->boot, w->boot) != 0 || !taf_ring_file_read(trail, &r.copy, &bytes))
		return false;
	taf_copy(s->ring, trail->ring, sizeof(s->ring));
	if (s->is_alive || !has_own_line(&r.copy))
		taf_ring_calibrate(&r.copy, w->tsc, w->mono_ns);
	join_counts(&r);
	join_lanes(&r, w);
	find_oldest(&r);
	s->is_outside = !r.is_any_inside;
	if (!s->end_is_known && !s->is_alive && r.last_sign_ns > s->end_ns)
		s->end_ns = r.last_sign_ns;
	infer_end(&r);
	s->has_ring = true;
	free(bytes);
	return true;
}
