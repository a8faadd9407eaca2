/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include "../policy/text.h"
#include "crumb.h"
#include "life.h"
#include "ring.h"

/* Where there is no ring nobody but we ourselves will tell. */
static struct taf_ring_tally own[TAF_RING_TALLIES];

static struct taf_ring_tally *tallies(void)
{
	struct taf_ring_head *h = taf_ring_head();

	return h ? h->tallies : own;
}

/* The first place that is its own, or free. With all taken it is not counted. */
static void add(uint64_t id)
{
	struct taf_ring_tally *t = tallies();

	for (int i = 0; i < TAF_RING_TALLIES; i++) {
		uint64_t seen = atomic_load_explicit(&t[i].id, memory_order_relaxed);

		if (seen == id || (!seen && (atomic_compare_exchange_strong(&t[i].id, &seen, id) ||
					     seen == id))) {
			atomic_fetch_add(&t[i].n, 1);
			return;
		}
	}
}

void taf_tally_fault(enum taf_kind kind, enum taf_api api, int64_t rc)
{
	add(taf_tally_id(kind, api, (uint32_t)rc));
}

void taf_tally_rule(enum taf_kind kind, int rule)
{
	if (rule >= 0 && rule < TAF_RULE_COUNT)
		add(taf_tally_id(kind, TAF_TALLY_RULE, (uint32_t)rule));
}

static void note(uint64_t id, uint64_t n)
{
	char buf[96];
	struct taf_text t;
	uint32_t what = (uint32_t)id;
	bool is_rule = taf_tally_of(id) == TAF_TALLY_RULE;
	struct taf_rec r = { .kind = TAF_NOTE, .phase = TAF_MARK, .class = "count", .extra = buf };

	if (is_rule) {
		r.rule = taf_rule_info((int)what)->path;
	} else {
		r.engine = taf_engine_of_api((enum taf_api)taf_tally_of(id));
		r.has = TAF_HAS_RC;
		r.rc = (int32_t)what;
	}
	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, ",\"counts\":\"");
	taf_text_put(&t, taf_kind_name(taf_tally_kind(id)));
	taf_text_put(&t, "\",\"times\":");
	taf_text_u64(&t, n);
	taf_crumb(&r);
}

void taf_tally_leave(void)
{
	const struct taf_ring_tally *t = tallies();

	for (int i = 0; i < TAF_RING_TALLIES; i++)
		if (atomic_load(&t[i].n) > 1)
			note(atomic_load(&t[i].id), atomic_load(&t[i].n));
}

void taf_tally_forget(void)
{
	for (int i = 0; i < TAF_RING_TALLIES; i++) {
		atomic_store(&own[i].id, 0);
		atomic_store(&own[i].n, 0);
	}
}
