/* SPDX-License-Identifier: MIT */
#include "ring_read.h"

#include "../policy/text.h"

#define MAX_ROW 1024u /* no table has as many */

#define E_IO 5
#define E_NOMEM 12
#define E_BADMSG 74
#define KIND_MASK 0x3f
#define S_KIND 0170000u
#define S_REGULAR 0100000u

int64_t taf_ring_copy_size(int fd)
{
	struct taf_stat st;
	int err = taf_sys_fstat(fd, &st);

	if (err < 0)
		return err;
	if ((st.mode & S_KIND) != S_REGULAR || st.size < TAF_RING_PAGE ||
	    st.size > TAF_RING_BYTES_MAX)
		return -E_BADMSG;
	return (int64_t)st.size;
}

/* Reads until the room is full, the file ends or an error comes; what is there counts. */
static int64_t read_all(int fd, unsigned char *buf, size_t room)
{
	size_t n = 0;

	while (n < room) {
		int64_t got = taf_sys_pread(fd, buf + n, room - n, n);

		if (got < 0 && got != -4 /* EINTR */)
			return n ? (int64_t)n : got;
		if (!got)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	return (int64_t)n;
}

/* A lane head is changed while we copy. Reads it again until two copies agree
 * about the call it is in, so that a call is not shown with another's time. */
static void settle_lanes(int fd, unsigned char *buf, const struct taf_ring_copy *c)
{
	struct taf_lane again;

	for (uint32_t i = 0; i < c->lanes; i++) {
		size_t at = TAF_RING_PAGE + (size_t)i * c->lane_bytes;

		for (int tries = 0; tries < 4; tries++) {
			if (at + sizeof(again) > c->n ||
			    taf_sys_pread(fd, &again, sizeof(again), at) != (int64_t)sizeof(again))
				break;
			if (taf_equal(&again.open, buf + at + offsetof(struct taf_lane, open),
				      sizeof(again.open)))
				break;
			taf_move(buf + at, &again, sizeof(again));
		}
	}
}

int taf_ring_copy_read(int fd, void *buf, size_t room, struct taf_ring_copy *out)
{
	int64_t size = taf_ring_copy_size(fd), n;
	int err;

	if (size < 0)
		return (int)size;
	if ((uint64_t)size > room)
		return -E_NOMEM;
	n = read_all(fd, buf, (size_t)size);
	if (n < 0)
		return (int)n;
	err = taf_ring_copy_check(buf, (size_t)n, out);
	if (!err)
		settle_lanes(fd, buf, out);
	return err;
}

/* Copies n bytes at `at`; what lies behind the end of a cut file is zero. */
static void fetch(const struct taf_ring_copy *c, size_t at, void *to, size_t n)
{
	size_t have = at >= c->n ? 0 : c->n - at;

	if (have > n)
		have = n;
	if (have)
		taf_move(to, c->bytes + at, have);
	taf_zero((unsigned char *)to + have, n - have);
}

static void take_text(char *to, const char *from, size_t room)
{
	taf_move(to, from, room);
	to[room - 1] = '\0';
}

static void take_facts(struct taf_ring_facts *f, const struct taf_ring_head *h)
{
	take_text(f->boot, h->boot, sizeof(f->boot));
	take_text(f->run, h->run, sizeof(f->run));
	take_text(f->model, h->model, sizeof(f->model));
	take_text(f->exe, h->exe, sizeof(f->exe));
	f->pid = h->pid;
	f->start = h->start;
	f->models_live = h->models_live;
	f->contexts_live = h->contexts_live;
	f->is_leaving = h->is_leaving != 0;
	f->is_tsc = h->stamp_is_tsc != 0;
	f->last_activity_ns = h->last_activity_ns;
	f->infers = h->infers;
	f->drains = h->drains;
	f->drain_ns = h->drain_ns;
	f->holds = h->holds;
	f->refuses = h->refuses;
	f->dropped = h->dropped;
	f->submits_closed = h->submits_closed;
	f->allocs_closed = h->allocs_closed;
	f->frees_closed = h->frees_closed;
	f->utc0_us = h->utc0_us;
	f->mono0 = h->mono0;
	f->mono1 = h->mono1;
}

/* What version 2 added. */
static void take_watched(struct taf_ring_facts *f, const struct taf_ring_head *h)
{
	f->held_since_ns = h->held_since_ns;
	f->held_until_ns = h->held_until_ns;
	f->wants_restart = h->wants_restart != 0;
	f->resources = h->resources;
	f->resource_limit = h->resource_limit;
	f->footprint = h->footprint;
	take_text(f->restart_rule, h->restart_rule, sizeof(f->restart_rule));
	take_text(f->restart_why, h->restart_why, sizeof(f->restart_why));
	f->held_pass_ns = h->held_pass_ns;
	take_text(f->held_rule, h->held_rule, sizeof(f->held_rule));
	take_text(f->held_why, h->held_why, sizeof(f->held_why));
}

/* What version 3 added. */
static void take_devices(struct taf_ring_facts *f, const struct taf_ring_head *h)
{
	for (int i = 0; i < TAF_RING_DEVICES; i++) {
		const struct taf_ring_device *d = &h->devices[i];
		struct taf_ring_holding *to = &f->devices[f->n_devices];

		if (!d->id)
			continue;
		to->api = (uint8_t)(d->id >> 8);
		to->device = (uint8_t)d->id;
		for (int place = 0; place < TAF_RING_PLACES; place++) {
			to->bytes[place] = d->bytes[place];
			to->pieces[place] = d->pieces[place];
		}
		to->peak = d->peak;
		to->largest = d->largest;
		f->n_devices++;
	}
}

/* What version 4 added. */
static void take_tallies(struct taf_ring_facts *f, const struct taf_ring_head *h)
{
	for (int i = 0; i < TAF_RING_TALLIES; i++) {
		f->tallies[i].id = h->tallies[i].id;
		f->tallies[i].n = h->tallies[i].n;
	}
}

/* What version 5 added. */
static void take_times(struct taf_ring_facts *f, const struct taf_ring_head *h)
{
	f->held_from_ns = h->held_from_ns;
	f->held_need_ms = h->held_need_ms;
}

static bool has_sane_geometry(const struct taf_ring_head *h)
{
	return h->bytes >= TAF_RING_PAGE && h->bytes <= TAF_RING_BYTES_MAX && h->lanes &&
	       h->lanes <= TAF_RING_LANES_MAX &&
	       h->lane_bytes >= sizeof(struct taf_lane) + sizeof(struct taf_slot) &&
	       h->lane_bytes % 32 == 0 &&
	       (uint64_t)h->lanes * h->lane_bytes <= h->bytes - TAF_RING_PAGE;
}

int taf_ring_copy_check(const void *bytes, size_t n, struct taf_ring_copy *out)
{
	const struct taf_ring_head *head = bytes;

	taf_zero(out, sizeof(*out));
	if (n < sizeof(*head) || (uintptr_t)bytes % _Alignof(struct taf_ring_head))
		return -E_BADMSG;
	out->bytes = bytes;
	out->n = n;
	if (head->magic != TAF_RING_MAGIC || !head->version || head->version > TAF_RING_VERSION ||
	    !has_sane_geometry(head))
		return -E_BADMSG;
	out->lanes = out->ready = head->lanes;
	out->lane_bytes = head->lane_bytes;
	out->slots = (head->lane_bytes - (uint32_t)sizeof(struct taf_lane)) /
		     (uint32_t)sizeof(struct taf_slot);
	out->is_cut = n < head->bytes;
	take_facts(&out->facts, head);
	if (head->version >= 2)
		take_watched(&out->facts, head);
	if (head->version >= 3)
		take_devices(&out->facts, head);
	if (head->version >= 4)
		take_tallies(&out->facts, head);
	if (head->version >= 5)
		take_times(&out->facts, head);
	out->tsc0 = head->tsc0;
	out->mono0 = head->mono0;
	out->tsc1 = head->tsc1;
	out->mono1 = head->mono1;
	return 0;
}

void taf_ring_calibrate(struct taf_ring_copy *c, uint64_t tsc, uint64_t mono_ns)
{
	if (!c->facts.is_tsc || tsc <= c->tsc0 || mono_ns <= c->mono0)
		return;
	if (tsc - c->tsc0 < c->tsc1 - c->tsc0 && c->tsc1 > c->tsc0)
		return;
	c->tsc1 = tsc;
	c->mono1 = mono_ns;
}

__extension__ typedef unsigned __int128 taf_u128;

uint64_t taf_ring_mono(const struct taf_ring_copy *c, uint64_t stamp)
{
	uint64_t ticks, ns, far;

	if (!stamp)
		return 0;
	if (!c->facts.is_tsc)
		return stamp;
	if (c->tsc1 <= c->tsc0 || c->mono1 <= c->mono0)
		return c->mono0;
	ticks = c->tsc1 - c->tsc0;
	ns = c->mono1 - c->mono0;
	/* 1 MHz to 100 GHz: another slope is damage. */
	if (ns / 1000 > ticks || ticks / 100 > ns)
		return 0;
	if (stamp >= c->tsc0) {
		taf_u128 add = (taf_u128)(stamp - c->tsc0) * ns / ticks;

		return add > UINT64_MAX - c->mono0 ? 0 : c->mono0 + (uint64_t)add;
	}
	far = (uint64_t)((taf_u128)(c->tsc0 - stamp) * ns / ticks);
	return far < c->mono0 ? c->mono0 - far : 0;
}

static size_t lane_at(const struct taf_ring_copy *c, uint32_t i)
{
	return TAF_RING_PAGE + (size_t)i * c->lane_bytes;
}

/* Slots in use: the writer's own number when it fits the geometry. */
static uint32_t slots_of(const struct taf_ring_copy *c, const struct taf_lane *lane)
{
	uint32_t slots = lane->slots && lane->slots <= c->slots ? lane->slots : c->slots;

	return slots ? slots : 1; /* a copy that was never checked */
}

static struct taf_ring_call call_of(const struct taf_ring_copy *c, uint64_t stamp, uint32_t what)
{
	return (struct taf_ring_call){ stamp, taf_ring_mono(c, stamp), (uint16_t)what,
				       (uint8_t)(what >> 16), (uint8_t)(what >> 24) };
}

/* A lane's head has no checksum, since its thread writes it word by word: what no
 * writer would have left there is told by the figures themselves. */
static bool is_plausible(const struct taf_ring_copy *c, const struct taf_lane *lane)
{
	uint32_t what = lane->open.what;

	if (lane->tid < 0 || lane->slots != c->slots)
		return false;
	return (what & TAF_NO_ROW) == TAF_NO_ROW ||
	       ((what >> 16 & 0xff) < TAF_ENGINE_COUNT && what >> 24 < TAF_KIND_COUNT &&
		(what & TAF_NO_ROW) < MAX_ROW);
}

bool taf_ring_lane_view(const struct taf_ring_copy *c, uint32_t i, struct taf_ring_lane *out)
{
	struct taf_lane lane;
	uint32_t what;

	taf_zero(out, sizeof(*out));
	if (i >= c->lanes)
		return false;
	if (i >= c->ready && i + 1 < c->lanes)
		return true;
	fetch(c, lane_at(c, i), &lane, sizeof(lane));
	if (!is_plausible(c, &lane))
		return true; /* damaged: as if nobody had taken it */
	what = lane.open.what;
	out->tid = lane.tid;
	out->records = lane.next;
	out->submits = lane.submits;
	out->allocs = lane.allocs;
	out->frees = lane.frees;
	out->bytes_taken = lane.bytes_taken;
	out->bytes_given = lane.bytes_given;
	out->last_submit_ns = taf_ring_mono(c, lane.last_stamp);
	/* A lane of zeroes was never taken: no call, although row 0 is one. */
	out->is_inside = lane.tid > 0 && (what & TAF_NO_ROW) != TAF_NO_ROW && lane.open.since;
	if (out->is_inside)
		out->open = call_of(c, lane.open.since, what);
	return true;
}

/* Record n of a lane, if its slot holds it whole. */
static bool read_slot(const struct taf_ring_copy *c, const struct taf_lane *lane,
		      struct taf_ring_record *r)
{
	struct taf_slot slot;
	uint32_t k = (uint32_t)((r->n - 1) % slots_of(c, lane));

	fetch(c, lane_at(c, r->lane) + sizeof(*lane) + (size_t)k * sizeof(slot), &slot,
	      sizeof(slot));
	if (!r->n || slot.seq != (uint32_t)r->n ||
	    slot.check != taf_slot_check(&slot, (uint32_t)r->n))
		return false;
	r->call = call_of(c, slot.stamp,
			  (uint32_t)slot.row | (uint32_t)slot.engine << 16 |
				  (uint32_t)(slot.kind & KIND_MASK) << 24);
	r->phase = slot.kind >> 6 < 3 ? slot.kind >> 6 : TAF_MARK;
	r->arg = slot.arg;
	r->rc = slot.rc;
	r->tid = lane->tid;
	return true;
}

/* The number of the newest record. The writer publishes the slot before it
 * counts it, so one more than counted may be there; a counter that no slot
 * agrees with is damaged, and the slots are asked instead. */
static uint64_t newest_of(const struct taf_ring_copy *c, const struct taf_lane *lane, uint32_t i)
{
	struct taf_ring_record r = { .lane = i };
	uint32_t slots = slots_of(c, lane);
	uint64_t best = 0;

	for (r.n = lane->next + 1; r.n && r.n + 1 >= lane->next; r.n--)
		if (read_slot(c, lane, &r))
			return r.n;
	for (uint32_t k = 0; k < slots; k++) {
		uint32_t seq = 0;

		fetch(c, lane_at(c, i) + sizeof(*lane) + (size_t)k * sizeof(struct taf_slot), &seq,
		      sizeof(seq));
		r.n = seq;
		if (seq > best && (seq - 1) % slots == k && read_slot(c, lane, &r))
			best = seq;
	}
	return best;
}

size_t taf_ring_lane_records(const struct taf_ring_copy *c, uint32_t i, struct taf_ring_record *out,
			     size_t room)
{
	struct taf_lane lane;
	struct taf_ring_record r = { .lane = i };
	uint64_t newest, oldest;
	size_t n = 0;

	if (i >= c->lanes || !room)
		return 0;
	fetch(c, lane_at(c, i), &lane, sizeof(lane));
	newest = newest_of(c, &lane, i);
	oldest = newest > slots_of(c, &lane) ? newest - slots_of(c, &lane) + 1 : 1;
	for (r.n = newest; r.n >= oldest && n < room; r.n--)
		if (read_slot(c, &lane, &r))
			out[n++] = r;
	for (size_t k = 0; k < n / 2; k++) {
		struct taf_ring_record swap = out[k];

		out[k] = out[n - 1 - k];
		out[n - 1 - k] = swap;
	}
	return n;
}

/* Keeps the room newest in order; at is where r belongs. */
static size_t insert(struct taf_ring_record *out, size_t n, size_t room,
		     const struct taf_ring_record *r)
{
	size_t at = n;

	while (at && out[at - 1].call.stamp > r->call.stamp)
		at--;
	if (n < room) {
		taf_move(out + at + 1, out + at, (n - at) * sizeof(*out));
		out[at] = *r;
		return n + 1;
	}
	if (at) {
		taf_move(out, out + 1, (at - 1) * sizeof(*out));
		out[at - 1] = *r;
	}
	return n;
}

size_t taf_ring_last(const struct taf_ring_copy *c, struct taf_ring_record *out, size_t room)
{
	size_t n = 0;

	for (uint32_t i = 0; room && i < c->lanes; i++) {
		struct taf_lane lane;
		struct taf_ring_record r = { .lane = i };
		size_t left = room;

		fetch(c, lane_at(c, i), &lane, sizeof(lane));
		if (slots_of(c, &lane) < left)
			left = slots_of(c, &lane);
		for (r.n = newest_of(c, &lane, i); r.n && left; r.n--, left--)
			if (read_slot(c, &lane, &r))
				n = insert(out, n, room, &r);
	}
	return n;
}

uint64_t taf_ring_submits(const struct taf_ring_copy *c)
{
	uint64_t n = c->facts.submits_closed;
	struct taf_ring_lane lane;

	for (uint32_t i = 0; taf_ring_lane_view(c, i, &lane); i++)
		n += lane.tid > 0 ? lane.submits : 0;
	return n;
}
