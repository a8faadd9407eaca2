/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include "../policy/fault.h"
#include "../policy/text.h"
#include "crumb.h"
#include "error.h"
#include "flight.h"
#include "memory.h"
#include "tally.h"

#define EVERY_NS 1000000000u
#define LAST 6 /* calls of this thread that the crumb names */

/* When each was told last: one of a kind a second. */
static _Atomic(uint64_t) told_ns[TAF_FAULTS];

static bool is_repeated(const struct taf_fault *f)
{
	_Atomic(uint64_t) *told = &told_ns[taf_fault_index(f)];
	uint64_t now = taf_sys_mono_ns(), then = atomic_load(told);

	return (then && now - then < EVERY_NS) || !atomic_compare_exchange_strong(told, &then, now);
}

/* Newest first, from the thread's ring. */
static void put_last(struct taf_text *t)
{
	struct taf_lane *lane = taf_tls.lane;
	uint64_t next = lane ? atomic_load(&lane->next) : 0;

	for (uint64_t n = next; n && next - n < LAST && next - n < lane->slots; n--) {
		const struct taf_slot *s = taf_lane_slot(lane, n);

		for (int i = 0; i < taf_table_count; i++)
			if (taf_tables[i]->engine == s->engine && s->row < taf_tables[i]->n_rows) {
				taf_text_put(t, n == next ? "; last calls: " : ", ");
				taf_text_put(t, taf_row_name(taf_tables[i], s->row));
				break;
			}
	}
}

static void describe(struct taf_text *t, const struct taf_fault *f,
		     const struct taf_flight_sum *sum)
{
	taf_text_put(t, f->name);
	taf_text_put(t, ": ");
	taf_text_put(t, f->hint);
	if (sum->in_flight) {
		taf_text_put(t, "; ");
		taf_text_u64(t, sum->in_flight);
		taf_text_put(t, " in flight, the oldest is submit ");
		taf_text_u64(t, sum->oldest);
		taf_text_put(t, " of queue 0x");
		taf_text_hex(t, sum->queue, 12);
	}
	put_last(t);
}

/* ,"free":1073741824,"total":8589934592 as the device has it now; NULL: nobody can say. */
static const char *put_free(char *buf, size_t room, enum taf_api api)
{
	struct taf_memory m;
	struct taf_text t;

	/* A call of HIP that succeeds takes the last error away, which is the program's. */
	if (api == TAF_API_HIP || taf_tls.in_callback || !taf_memory_device(api, &m))
		return NULL;
	taf_text_init(&t, buf, room);
	taf_text_put(&t, ",\"free\":");
	taf_text_u64(&t, m.free);
	taf_text_put(&t, ",\"total\":");
	taf_text_u64(&t, m.total);
	return buf;
}

void taf_fault_seen(const struct taf_call *c, int64_t rc)
{
	enum taf_api api = taf_api_of(c->table->engine);
	const struct taf_fault *f = taf_fault_of(api, rc);
	enum taf_state state = taf_state_now();
	struct taf_flight_sum sum;
	char buf[448], free[64];
	struct taf_text t;
	struct taf_rec r = { .phase = TAF_MARK,
			     .engine = c->table->engine,
			     .call = taf_row_name(c->table, c->row),
			     .has = TAF_HAS_RC,
			     .rc = rc,
			     .msg = buf };

	if (f)
		taf_error_fault(f);
	/* One that another rule of ours, or a call around it, tells of is told once. */
	if (!f || taf_tls.inside || (state != TAF_ACTIVE && state != TAF_LEAVING) ||
	    taf_is_other_process())
		return;
	/* A call that others of ours are made of: the outermost one counts. */
	if (!taf_tls.open && !taf_tls.is_submitting)
		taf_tally_fault(f->severity ? TAF_ERROR : TAF_NOTE, api, rc);
	if (is_repeated(f))
		return;
	taf_flight_sum(api, &sum);
	taf_text_init(&t, buf, sizeof(buf));
	describe(&t, f, &sum);
	r.kind = f->severity ? TAF_ERROR : TAF_NOTE;
	r.class = f->class;
	if (taf_same(f->class, "out_of_memory"))
		r.extra = put_free(free, sizeof(free), api);
	if (c->kind == TAF_ALLOC && c->bytes) {
		r.has |= TAF_HAS_BYTES;
		r.bytes = c->bytes;
	}
	taf_crumb(&r);
}
