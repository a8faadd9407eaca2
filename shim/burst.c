/* SPDX-License-Identifier: MIT */
#include "burst.h"

#include "../policy/window.h"
#include "act.h"
#include "capture.h"
#include "crumb.h"
#include "device.h"
#include "holding.h"
#include "hot.h"
#include "live.h"
#include "model.h"
#include "park.h"
#include "scratch.h"
#include "traced.h"
#include "turn.h"

#define MEASURE_NS 10000000u /* a span that shows how fast stamps go */

TAF_HOT _Atomic(uint64_t) taf_burst_gap;
TAF_HOT _Alignas(64) _Atomic(uint32_t) taf_burst_rests; /* first of all where it is linked */

static _Atomic(uint32_t) since_sync; /* submits that drain.every_submits counted */
static _Atomic(uint32_t) window; /* how many it allows now */
static _Atomic(uint32_t) named; /* load group whose model names the bursts, + 1 */
/* What stands for each API. Whoever is first here has made it: two of them would tell the
 * same submits twice. */
static _Atomic(struct taf_work *) works[TAF_APIS];

void taf_burst_reset(void)
{
	atomic_store(&taf_burst_gap, 0);
	atomic_store(&since_sync, 0);
	atomic_store(&window, taf_rules.drain_window == TAF_WINDOW_ADAPTIVE
				      ? 1
				      : taf_rules.drain_every_submits);
	atomic_store(&named, 0);
	atomic_store(&taf_burst_rests, 1);
	for (int i = 0; i < TAF_APIS; i++)
		atomic_store(&works[i], NULL);
}

uint32_t taf_burst_alerts(void)
{
	return taf_rules.drain_every_submits ? TAF_ALERT_COUNT : 0;
}

/* Nanoseconds of a number of stamps, by the line from the ring's opening to now. */
static uint64_t ns_of(uint64_t stamps, uint64_t stamp, uint64_t now_ns)
{
	const struct taf_ring_head *h = taf_ring_head();
	uint64_t span, ns;

	if (!h || !h->stamp_is_tsc)
		return stamps;
	span = stamp - h->tsc0;
	ns = now_ns - h->mono0;
	return span ? (uint64_t)((double)stamps / (double)span * (double)ns) : 0;
}

void taf_burst_measure(uint64_t stamp, uint64_t now_ns)
{
	const struct taf_ring_head *h = taf_ring_head();
	double idle_ns = (double)taf_rules.drain_idle_ms * 1e6;

	if (!h || atomic_load_explicit(&taf_burst_gap, memory_order_relaxed))
		return;
	if (!h->stamp_is_tsc)
		atomic_store(&taf_burst_gap, (uint64_t)idle_ns);
	else if (now_ns - h->mono0 > MEASURE_NS)
		atomic_store(&taf_burst_gap, (uint64_t)((double)(stamp - h->tsc0) /
							(double)(now_ns - h->mono0) * idle_ns));
}

/* The stamp of the latest submit of any thread; 0: none yet. */
static uint64_t last_stamp(void)
{
	const struct taf_ring_head *h = taf_ring_head();
	uint64_t most = 0;

	for (uint32_t i = 0; h && i < h->lanes; i++) {
		const struct taf_lane *lane =
			(const void *)((const char *)h + TAF_RING_PAGE + (size_t)i * h->lane_bytes);
		uint64_t at = atomic_load_explicit(&lane->last_stamp, memory_order_relaxed);

		most = at > most ? at : most;
	}
	return most;
}

/* Launches that no generation was told to have had. */
static uint64_t launches_since(const struct taf_work *w, const struct taf_flight_sum *sum)
{
	return sum->launches > w->told ? sum->launches - w->told : 0;
}

/* A launch that another thread has counted while no generation was open is of this one. */
void taf_burst_begin(struct taf_work *w)
{
	struct taf_flight_sum sum;

	taf_flight_sum(taf_api_of(w->table->engine), &sum);
	w->base = sum.submits - launches_since(w, &sum);
}

/* One of which each submit failed, or was only captured, was none. */
static void take_back(struct taf_work *w)
{
	struct taf_ring_head *h = taf_ring_head();

	if (h && atomic_load(&h->infers))
		atomic_fetch_sub(&h->infers, 1);
	if (w->model && w->model->infers)
		w->model->infers--;
}

void taf_burst_end(struct taf_work *w)
{
	w->told += w->launches;
	atomic_fetch_add(&taf_burst_rests, 1);
	if (!w->launches)
		take_back(w);
}

/* A runtime knows no tokens, and the memory of its device. */
void taf_burst_tell(const struct taf_work *w, struct taf_rec *r, struct taf_text *extra)
{
	r->has &= ~(unsigned)(TAF_HAS_TOKENS | TAF_HAS_PEAK | TAF_HAS_KV | TAF_HAS_HANDLES);
	r->live = taf_live_bytes();
	/* A program that takes no memory is told of here. */
	if (w->launches)
		taf_device_met(taf_api_of(w->table->engine), taf_tls.device);
	taf_holding_put(w, extra);
	if (!w->launches)
		r->msg = "nothing ran: its submits failed, or were only captured";
}

void taf_burst_fold(struct taf_work *w)
{
	uint64_t last = last_stamp(), now_ns = taf_sys_mono_ns();
	uint64_t stamp = taf_has_tsc ? taf_stamp_tsc() : now_ns;
	struct taf_flight_sum sum;
	struct taf_ring_head *h = taf_ring_head();

	taf_flight_sum(taf_api_of(w->table->engine), &sum);
	if (w->is_inferring) {
		w->submits = sum.submits > w->base ? sum.submits - w->base : 0;
		w->launches = launches_since(w, &sum);
	}
	w->since_sync = sum.in_flight > UINT32_MAX ? UINT32_MAX : (uint32_t)sum.in_flight;
	w->first_unsynced = w->submits >= sum.in_flight ? w->submits - sum.in_flight + 1 : 1;
	if (last && stamp > last) {
		uint64_t at = now_ns - ns_of(stamp - last, stamp, now_ns);

		w->last_ns = at > w->last_ns && at < now_ns ? at : w->last_ns;
	}
	if (h && w->last_ns)
		atomic_store_explicit(&h->last_activity_ns, w->last_ns, memory_order_relaxed);
}

struct taf_work *taf_burst_work(enum taf_api api)
{
	return atomic_load_explicit(&works[api], memory_order_acquire);
}

static struct taf_work *work_of(const struct taf_call *c)
{
	union {
		const struct taf_table *t;
		void *p;
	} u = { .t = c->table };
	struct taf_maker by = { .table = c->table, .home = c->caller, .is_burst = true };
	enum taf_api api = taf_api_of(c->table->engine);
	struct taf_work *w = taf_burst_work(api), *first = NULL;

	if (w)
		return w;
	w = taf_work_add(&by, u.p, NULL);
	if (!w)
		return taf_burst_work(api);
	if (atomic_compare_exchange_strong(&works[api], &first, w))
		return w;
	taf_work_drop(w);
	return first;
}

void taf_burst_ready(const struct taf_call *c)
{
	work_of(c);
}

/* The weights that were opened since the last generation name this one. */
static void name_work(struct taf_work *w)
{
	struct taf_maker by = { .table = w->table, .home = w->home };
	struct taf_model_group *g;
	uint32_t group = taf_model_group();

	if (atomic_exchange(&named, group + 1) == group + 1)
		return;
	g = taf_scratch_take(sizeof(*g));
	if (g && !taf_model_group_read(group, g)) {
		if (w->model)
			taf_work_drop_model(w->model);
		w->model = taf_work_add_model(&by, w, g->main.id);
		if (w->model)
			w->model->bytes = g->bytes;
	}
	taf_scratch_give(g);
}

/* Whoever holds the claim may wait for what goes on only after a callback, behind a submit that
 * was interrupted, or for a capture to end. */
static uint32_t patience_ms(void)
{
	return taf_tls.in_callback || taf_still_am_inside() || taf_capture_is_own()
		       ? 0
		       : (uint32_t)taf_rules.drain_deadline_ms;
}

bool taf_burst_look(struct taf_call *c)
{
	struct taf_work *w;
	bool is_let = true;

	w = work_of(c);
	/* What is only recorded begins no generation, but a pause before it has ended one: the
	 * next submit is looked at. */
	if (taf_capture_is_own()) {
		if (w && taf_work_claim(w, 0)) {
			taf_work_end_idle(w);
			taf_work_release(w);
		}
		taf_tls.bursts = atomic_load(&taf_burst_rests) - 1;
		return true;
	}
	taf_tls.bursts = atomic_load(&taf_burst_rests);
	if (!w || !taf_work_claim(w, patience_ms()))
		return true;
	taf_tls.held = w;
	taf_burst_measure(c->stamp, taf_sys_mono_ns());
	taf_traced_arrive(w);
	taf_work_settle(w, false);
	if (!w->is_inferring)
		name_work(w);
	is_let = taf_work_begin(w, c);
	/* The submit follows: while the disk or a rule kept it the program did not pause. */
	w->last_ns = taf_sys_mono_ns();
	taf_tls.held = NULL;
	taf_work_release(w);
	return is_let;
}

void taf_copy_late(void)
{
	if (!taf_tls.open && !taf_tls.in_callback)
		taf_park_to_submit();
}

static bool is_shared(void)
{
	return !taf_tls.lane || taf_tls.is_shared;
}

void taf_flight_begin_slow(struct taf_call *c, uint64_t key)
{
	taf_tls.is_submitting = true;
	taf_flight_begin(c, key, is_shared());
}

/* In this order, as on the quick way: a handler of a signal that comes between the two must not
 * find itself inside and stand there for one who waits for it. */
void taf_flight_end_slow(struct taf_call *c, int64_t rc)
{
	taf_flight_end(c, rc, is_shared());
	taf_tls.is_submitting = false;
}

bool taf_submit_before_slow(struct taf_call *c, uint64_t key)
{
	struct taf_tls *t = &taf_tls;

	if (!taf_before_slow(c))
		return false;
	/* Without a ring there is no stamp of the last one: each is looked at. */
	if (c->is_counted && (!t->lane || taf_burst_is_due(c)) && !taf_burst_look(c)) {
		taf_turn_away(c);
		return false;
	}
	if (t->flight && !t->is_submitting)
		taf_flight_begin_slow(c, key);
	return true;
}

void taf_submit_after_slow(struct taf_call *c, int64_t rc)
{
	if (c->has_flight)
		taf_flight_end_slow(c, rc);
	if (!c->is_counted)
		return;
	c->kind = TAF_SUBMIT;
	taf_after_slow(c, rc);
	if (!rc && atomic_load_explicit(&taf_life.alert, memory_order_relaxed) & TAF_ALERT_COUNT)
		taf_burst_count(c);
}

/* Drains this queue alone: the program uses it at this moment, so its handle is good. */
static void drain_queue(struct taf_work *w, const struct taf_call *c, uint32_t n)
{
	uint64_t began = taf_sys_mono_ns(), took_ms;

	w->has_queue = true;
	w->queue = c->queue;
	w->since_sync = n;
	w->window = atomic_load(&window);
	taf_act_after_submit(w);
	w->has_queue = false;
	w->window = 0;
	w->waited_ns = taf_sys_mono_ns();
	took_ms = (w->waited_ns - began) / 1000000;
	if (taf_rules.drain_window == TAF_WINDOW_ADAPTIVE)
		atomic_store(&window, taf_window_next(atomic_load(&window),
						      taf_rules.drain_every_submits, took_ms));
}

void taf_burst_count(struct taf_call *c)
{
	uint32_t n = atomic_fetch_add(&since_sync, 1) + 1;
	struct taf_work *w;

	/* While something is captured nothing of it runs; in a callback the next submit
	 * outside of it drains. */
	if (n < atomic_load(&window) || taf_captures_open() || taf_tls.in_callback)
		return;
	w = work_of(c);
	if (!w || !taf_work_claim(w, 0))
		return;
	atomic_store(&since_sync, 0);
	taf_tls.held = w;
	drain_queue(w, c, n);
	taf_tls.held = NULL;
	taf_work_release(w);
}

/* Of an engine that is seen itself the boundary is its own unload. */
static bool is_engines_affair(void)
{
	return taf_tls.inside || (taf_tls.open & (1u << TAF_LOAD | 1u << TAF_UNLOAD |
						  1u << TAF_SUBMIT | 1u << TAF_TRIM));
}

/* What was submitted before the process began to end may be in flight until that is drained;
 * behind that all is taken down. */
static bool is_alive(void)
{
	enum taf_state s = taf_state_now();

	return s == TAF_ACTIVE || (s == TAF_LEAVING && !atomic_load(&taf_life.is_drained) &&
				   atomic_load(&taf_life.leaver) != (uint32_t)taf_tid());
}

static bool is_to_be_drained(void)
{
	return taf_rules.drain_before_unload && !is_engines_affair() && is_alive();
}

/* Who has the claim may be about to have all stand still himself, and would wait for this
 * thread: it gives that up while it waits for him. */
static bool claim_to_unload(struct taf_call *c, struct taf_work *w)
{
	bool has = taf_work_claim(w, c->is_still ? 0 : patience_ms());

	if (has || !c->is_still)
		return has;
	taf_still_end();
	has = taf_work_claim(w, patience_ms());
	c->is_still = taf_still_begin();
	return has;
}

/* Something is in flight: all of it is waited for, or what is in c's queue. */
static void drain_unload(struct taf_call *c, bool is_queue)
{
	struct taf_event ev = { .kind = TAF_UNLOAD,
				.phase = TAF_BEGIN,
				.engine = c->table->engine };
	struct taf_work *w = work_of(c);
	unsigned drain;
	int rule;

	/* A handler of ours that comes in here must not take this thread for one outside. */
	taf_tls.inside++;
	if (w && claim_to_unload(c, w)) {
		taf_tls.held = w;
		taf_burst_fold(w);
		w->has_queue = is_queue;
		w->queue = is_queue ? c->queue : 0;
		drain = taf_act_drains(&ev, w, &rule) & ~(unsigned)TAF_DRAIN_TRIM;
		taf_act_drain(w, drain, rule);
		w->has_queue = false;
		if (drain && w->is_inferring)
			w->waited_ns = taf_sys_mono_ns();
		taf_tls.held = NULL;
		taf_work_release(w);
	}
	taf_tls.inside--;
}

void taf_burst_unload(struct taf_call *c)
{
	struct taf_flight_sum sum;

	c->is_still = false;
	/* If that fails others submit again, beside what is given up here. */
	if (taf_state_now() == TAF_LEAVING && !is_engines_affair() && !taf_tls.in_callback)
		taf_park_to_free();
	if (!is_to_be_drained())
		return;
	c->is_still = taf_rules.mode == TAF_MODE_ENFORCE && taf_still_begin();
	taf_flight_sum(taf_api_of(c->table->engine), &sum);
	/* A vfork child drains nothing; who it is is asked of the kernel. */
	if (sum.in_flight && !taf_is_other_process())
		drain_unload(c, false);
}

void taf_burst_unload_queue(struct taf_call *c)
{
	c->is_still = false;
	/* The default streams cannot be destroyed. */
	if (c->queue > TAF_OWN_QUEUE && is_to_be_drained() &&
	    !taf_flight_is_idle(taf_call_key(c)) && !taf_is_other_process())
		drain_unload(c, true);
}

/* A wait that began before the generation was idle belongs to it: the device was busy. One
 * with nothing new to wait for does not: a program may ask so all day. */
static void note_wait(struct taf_work *w, const struct taf_call *c)
{
	uint64_t now = taf_sys_mono_ns(), began = c->begin_ns ? c->begin_ns : now;

	if (w->submits == w->waited_for || began > taf_work_idle_ns(w))
		return;
	w->waited_ns = now;
	w->waited_for = w->submits;
}

/* With no launch in flight and nobody about to submit the generation rests: the mark says so,
 * the turn goes to others, and the next submit of each thread is looked at again.  A copy or a
 * free behind the last launch begins none and asks for no turn, so it keeps none either: the
 * program may not wait for it for hours. */
void taf_burst_waited(const struct taf_call *c)
{
	enum taf_api api = taf_api_of(c->table->engine);
	struct taf_flight_sum sum;
	struct taf_work *w;

	taf_flight_sum(api, &sum);
	if (sum.is_working)
		return;
	atomic_store(&since_sync, 0);
	w = taf_burst_work(api);
	if (!w || !taf_work_claim(w, 0))
		return;
	taf_burst_fold(w);
	if (w->is_inferring)
		note_wait(w, c);
	if (w->is_inferring && atomic_load(&w->is_inside)) {
		atomic_fetch_add(&taf_burst_rests, 1);
		taf_flight_sum(api, &sum);
		if (!sum.is_working && !taf_still_is_anybody()) {
			taf_work_pause(w);
			taf_turn_end_all();
		}
	}
	taf_work_release(w);
}
