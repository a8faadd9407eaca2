/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <errno.h>

#include "../policy/fit.h"
#include "capture.h"
#include "crumb.h"
#include "gate.h"
#include "known.h"
#include "ring.h"
#include "say.h"
#include "scratch.h"
#include "sys_memory.h"

#define SAMPLES 20
#define SAMPLE_GAP_MS 15000 /* so many of them span five minutes */
#define SPAN_MIN_MS 10000 /* a shorter span says nothing about a minute */
#define INFERS 3 /* a single generation may grow by something new */
#define STANDS_PCT 5 /* a warning stands until use falls so far below its mark */

struct sample {
	uint64_t ms, taken; /* by allocations that were seen */
};

/* The reader of the moment writes; others take what is there. */
static _Atomic(uint32_t) busy;
static _Atomic(uint64_t) read_ms; /* when the system was asked; 0: must be asked */
static _Atomic(uint64_t) sys_total, sys_free;
static _Atomic(uint64_t) per_min, per_infer;
static _Atomic(uint32_t) told;

static uint64_t own_then; /* when the system was asked; under busy, as all below */
static struct sample samples[SAMPLES];
static uint32_t n_samples; /* so far; the oldest fall out */
static uint64_t infers_seen, taken_then; /* at the latest generation that was seen */
static uint64_t growths[INFERS];
static uint32_t n_growths;
static uint32_t models_then, contexts_then;

static uint64_t count_own(void)
{
	uint64_t known = taf_plus(taf_work_bytes(), taf_work_kv_bytes());
	uint64_t taken = taf_ring_bytes_live();

	return known > taken ? known : taken;
}

/* The runtimes that can say how much their device has. */
bool taf_memory_device(enum taf_api api, struct taf_memory *m)
{
	int saved = errno;
	bool is_known = false;

	/* Their function may make a context, which no capture survives. */
	if (!taf_capture_shut(0))
		return false;
	taf_tls.inside++;
	for (int t = 0; t < taf_table_count && !is_known; t++) {
		const struct taf_ops *ops = taf_tables[t]->ops;
		struct taf_memory device = { .total = 0 };

		if ((api && taf_api_of(taf_tables[t]->engine) != api) || !ops || !ops->memory ||
		    ops->memory(NULL, NULL, &device) || !device.total)
			continue;
		m->total = device.total;
		m->free = device.free;
		is_known = true;
	}
	taf_tls.inside--;
	taf_capture_free();
	errno = saved;
	return is_known;
}

/* Pages of weights that are mapped count as free for the kernel, but not for us. */
static void ask_system(uint64_t own)
{
	struct taf_sys_memory s;
	struct taf_memory m = { .total = 0 };
	uint64_t mapped = taf_work_bytes();

	if (!taf_sys_memory(&s)) {
		mapped = mapped < s.mapped ? mapped : s.mapped;
		m.total = s.total;
		m.free = taf_less(s.free, mapped);
		if (m.free > taf_less(s.total, own))
			m.free = taf_less(s.total, own);
	}
	taf_memory_device(TAF_API_NONE, &m);
	atomic_store(&sys_total, m.total);
	atomic_store(&sys_free, m.free);
}

/* Growth is counted between the same models and contexts alone. */
static void begin_anew(uint64_t now_ms, uint64_t taken)
{
	samples[0] = (struct sample){ now_ms, taken };
	n_samples = 1;
	n_growths = 0;
	taken_then = taken;
	atomic_store(&per_min, 0);
	atomic_store(&per_infer, 0);
	atomic_fetch_and(&told, ~(uint32_t)TAF_TOLD_ALLOC);
}

static bool is_other_set(void)
{
	uint32_t models = taf_work_models(), contexts = taf_work_contexts();
	bool is_other = models != models_then || contexts != contexts_then || !n_samples;

	models_then = models;
	contexts_then = contexts;
	return is_other;
}

static void measure_minutes(uint64_t now_ms, uint64_t taken)
{
	const struct sample *last = &samples[(n_samples - 1) % SAMPLES], *first;
	uint64_t span, by;

	if (now_ms - last->ms >= SAMPLE_GAP_MS)
		samples[n_samples++ % SAMPLES] = (struct sample){ now_ms, taken };
	first = n_samples > SAMPLES ? &samples[n_samples % SAMPLES] : &samples[0];
	span = now_ms - first->ms;
	if (span < SPAN_MIN_MS)
		return;
	by = taf_less(taken, first->taken);
	by = by / span * TAF_MINUTE_MS + by % span * TAF_MINUTE_MS / span;
	atomic_store(&per_min, by);
}

/* The least growth of the last generations: what grows once and stays is no leak. */
static void measure_infers(uint64_t taken)
{
	struct taf_ring_head *head = taf_ring_head();
	uint64_t infers = head ? atomic_load(&head->infers) : 0, least = UINT64_MAX;

	if (infers <= infers_seen) {
		infers_seen = infers;
		return;
	}
	growths[n_growths++ % INFERS] = taf_less(taken, taken_then) / (infers - infers_seen);
	infers_seen = infers;
	taken_then = taken;
	for (int i = 0; i < INFERS; i++)
		least = growths[i] < least ? growths[i] : least;
	atomic_store(&per_infer, n_growths >= INFERS ? least : 0);
}

static void drop_told(const struct taf_memory *m)
{
	uint32_t stands = atomic_load(&told), falls = 0;
	uint32_t warn = taf_rules.memory_warn_pct, critical = taf_rules.memory_critical_pct;

	if (!taf_memory_is_over(m, warn > STANDS_PCT ? warn - STANDS_PCT : 0))
		falls |= TAF_TOLD_WARN;
	if (!taf_memory_is_over(m, critical > STANDS_PCT ? critical - STANDS_PCT : 0))
		falls |= TAF_TOLD_CRITICAL;
	if (!m->growth_per_min)
		falls |= TAF_TOLD_MIN;
	if (!m->growth_per_infer)
		falls |= TAF_TOLD_INFER;
	if (stands & falls)
		atomic_fetch_and(&told, ~falls);
}

void taf_memory_quick(struct taf_memory *m)
{
	*m = (struct taf_memory){ .total = atomic_load(&sys_total),
				  .free = atomic_load(&sys_free),
				  .own = count_own(),
				  .growth_per_min = atomic_load(&per_min),
				  .growth_per_infer = atomic_load(&per_infer),
				  .told = atomic_load(&told) };
	taf_fit_tier(m, taf_known_registry());
}

/* Free memory and what is our own are compared: they must be of one time. */
static bool is_old(uint64_t now_ms, uint64_t own)
{
	uint64_t at = atomic_load(&read_ms);

	return !at || now_ms - at >= TAF_MEMORY_KEEP_MS ||
	       taf_less(own, own_then) >= TAF_MEMORY_STEP ||
	       taf_less(own_then, own) >= TAF_MEMORY_STEP;
}

void taf_memory_now(struct taf_memory *m)
{
	uint64_t now_ms = taf_sys_mono_ns() / 1000000, own = count_own(), taken;

	if (!atomic_exchange_explicit(&busy, 1, memory_order_acquire)) {
		if (is_old(now_ms, own)) {
			ask_system(own);
			own_then = own;
			atomic_store(&read_ms, now_ms ? now_ms : 1);
		}
		taken = taf_ring_bytes_live();
		if (is_other_set())
			begin_anew(now_ms, taken);
		measure_minutes(now_ms, taken);
		measure_infers(taken);
		atomic_store_explicit(&busy, 0, memory_order_release);
	}
	taf_memory_quick(m);
	drop_told(m);
	m->told = atomic_load(&told);
}

void taf_memory_stale(void)
{
	atomic_store(&read_ms, 0);
}

uint32_t taf_memory_told_by(int rule)
{
	switch (rule) {
	case TAF_RULE_memory_warn_pct: return TAF_TOLD_WARN;
	case TAF_RULE_memory_critical_pct: return TAF_TOLD_WARN | TAF_TOLD_CRITICAL;
	case TAF_RULE_memory_growth_per_min: return TAF_TOLD_MIN;
	case TAF_RULE_memory_growth_per_infer: return TAF_TOLD_INFER;
	case TAF_RULE_memory_limit: return TAF_TOLD_LIMIT;
	case TAF_RULE_memory_max_single_alloc: return TAF_TOLD_SINGLE;
	default: return 0;
	}
}

void taf_memory_tell(const struct taf_verdict *v)
{
	for (uint32_t i = 0; i < v->n_said; i++)
		if (v->said[i].action == TAF_ACT_WARN && taf_memory_told_by(v->said[i].rule))
			atomic_fetch_or(&told, taf_memory_told_by(v->said[i].rule));
}

static void ask_rules(const struct taf_event *ev)
{
	struct taf_facts f = { .now_ms = 0 };
	struct taf_verdict *v = taf_scratch_take(sizeof(*v));

	if (!v)
		return;
	taf_verdict_init(v);
	taf_memory_now(&f.memory);
	taf_headroom(&(struct taf_question){ &taf_rules, ev, &f }, v);
	if (v->n_said)
		taf_say_verdict(&(struct taf_admission){ .event = ev }, v, 0);
	taf_scratch_give(v);
}

void taf_memory_watch(const struct taf_work *w)
{
	ask_rules(&(struct taf_event){ .kind = TAF_INFER,
				       .phase = TAF_BEGIN,
				       .engine = w->table->engine,
				       .model = taf_work_model_name(w) });
}

/* As of a generation: what is taken already is not refused any more. */
void taf_memory_grown(enum taf_engine engine)
{
	ask_rules(&(struct taf_event){ .kind = TAF_INFER, .phase = TAF_BEGIN, .engine = engine });
}

void taf_memory_forget(void)
{
	taf_memory_stale();
	n_samples = n_growths = 0;
	infers_seen = 0;
	atomic_store(&per_min, 0);
	atomic_store(&per_infer, 0);
	atomic_store(&told, 0);
	atomic_store(&busy, 0);
}
