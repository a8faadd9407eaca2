/* SPDX-License-Identifier: MIT */
#include "load.h"

#include "../policy/text.h"
#include "crumb.h"
#include "live.h"
#include "mapped.h"
#include "traced.h"

/* Whether this call will be seen at the door at all: headers are read only then. */
static bool is_seen(const struct taf_call *c)
{
	enum taf_state s = taf_state_now();

	return (s == TAF_ARMED || s == TAF_WAKING || s == TAF_ACTIVE) && !taf_tls.inside &&
	       !(taf_tls.open & taf_mutes((enum taf_kind)c->kind));
}

/* "llama Q4_K_M, 32 layers, 7.2 GiB in 3 files; 1 file missing" */
static void describe(const struct taf_model *m, struct taf_text *t)
{
	if (m->flaw[0] || !m->files) {
		taf_text_put(t, m->flaw[0] ? m->flaw : "the file cannot be read");
		return;
	}
	if (m->role != TAF_ROLE_MAIN) {
		taf_text_put(t, taf_model_role_name((enum taf_model_role)m->role));
		taf_text_put(t, ": ");
	}
	taf_text_put(t, m->arch[0] ? m->arch : "?");
	taf_text_char(t, ' ');
	taf_text_put(t, m->quant);
	taf_text_put(t, ", ");
	taf_text_u64(t, m->layers);
	taf_text_put(t, " layers, ");
	taf_text_bytes(t, m->bytes);
	if (m->files > 1) {
		taf_text_put(t, " in ");
		taf_text_u64(t, m->files);
		taf_text_put(t, " files");
	}
	if (m->missing) {
		taf_text_put(t, "; parts missing: ");
		taf_text_u64(t, m->missing);
	}
	if (m->is_short)
		taf_text_put(t, "; the file ends before its tensors do");
}

/* Without a path (NULL), the biggest of what was opened since the last generation. */
static bool identify(const char *path, struct taf_model *m)
{
	struct taf_model_group g;

	if (path && !path[0])
		return false;
	if (path) {
		taf_model_identify(path, m);
		return m->id[0] != '\0';
	}
	if (taf_model_group_read(taf_model_group(), &g))
		return false;
	taf_move(m, &g.main, sizeof(*m));
	return true;
}

/* Draft, projector and adapters come with the model that they belong to: what is
 * loaded soon after it, while it is alive and has not computed yet, and is smaller,
 * is part of the same load. */
#define GROUP_MS 60000u
static _Atomic(uint64_t) group_ns; /* the last load of the group came back; 0: it is closed */

void taf_load_group_close(void)
{
	atomic_store_explicit(&group_ns, 0, memory_order_relaxed);
}

static bool is_companion(const struct taf_model *m)
{
	uint64_t since = atomic_load(&group_ns);

	if (!since || taf_sys_mono_ns() - since > (uint64_t)GROUP_MS * 1000000 ||
	    !taf_work_models())
		return false;
	return m->role != TAF_ROLE_MAIN ||
	       (!taf_work_has_model(m->id) && m->bytes < taf_work_biggest_model());
}

void taf_load_begin(struct taf_load *l, struct taf_call *c, const char *path)
{
	struct taf_text t;
	struct taf_model m;

	l->is_known = l->is_dry = l->is_vocabulary = l->has_counts = false;
	l->path = path;
	l->bytes = 0;
	l->trained = l->rope_turn = 0;
	l->fingerprint = 0;
	taf_zero(&l->cache, sizeof(l->cache));
	if (!is_seen(c))
		return;
	c->size = &l->size;
	l->is_known = identify(path, &m);
	taf_load_measure(l->is_known ? &m : NULL, taf_load_hints(), &l->size);
	if (!l->is_known)
		return;
	l->trained = m.context;
	l->rope_turn = m.has_rope_sets ? m.rope_turn : 0;
	l->fingerprint = m.fingerprint;
	l->cache = m.cache;
	l->bytes = m.bytes;
	taf_copy(l->name, m.id, sizeof(l->name));
	taf_text_init(&t, l->msg, sizeof(l->msg));
	describe(&m, &t);
	c->model = l->name;
	c->msg = l->msg;
	c->bytes = l->bytes;
	c->has_bytes = true;
	c->is_companion = is_companion(&m);
}

/* On the shared lane the counts are those of several threads. */
static const struct taf_lane *own_lane(void)
{
	const struct taf_lane *lane = taf_tls.lane;

	return lane && !lane->is_shared ? lane : NULL;
}

void taf_load_count(struct taf_load *l)
{
	const struct taf_lane *lane = own_lane();

	l->has_counts = lane != NULL;
	if (lane) {
		l->allocs = atomic_load_explicit(&lane->allocs, memory_order_relaxed);
		l->taken = atomic_load_explicit(&lane->bytes_taken, memory_order_relaxed);
		l->on_host = taf_live_host_bytes();
	}
}

bool taf_load_is_dry(const struct taf_load *l)
{
	const struct taf_lane *lane = own_lane();

	return l->has_counts && lane && l->path &&
	       atomic_load_explicit(&lane->allocs, memory_order_relaxed) != l->allocs &&
	       atomic_load_explicit(&lane->bytes_taken, memory_order_relaxed) == l->taken &&
	       taf_live_host_bytes() <= l->on_host && !taf_mapped(l->path);
}

void taf_load_end(struct taf_load *l, struct taf_call *c, void *handle)
{
	struct taf_maker by = { .table = c->table, .home = c->caller };
	struct taf_live_model *m;

	if (l->is_dry) {
		c->is_dry = true;
		c->msg = l->is_vocabulary ? "its vocabulary alone: none of its tensors"
					  : "an estimate: no memory was taken for its tensors";
	}
	if (c->is_counted && handle) {
		atomic_store(&group_ns, l->is_dry ? 0 : taf_sys_mono_ns());
		m = taf_work_add_model(&by, handle, l->is_known ? l->name : "");
		if (m) {
			m->bytes = l->bytes;
			m->fingerprint = l->fingerprint;
			m->cache = l->cache;
			m->trained = l->trained;
			m->rope_turn = l->rope_turn;
			m->is_estimate = l->is_dry;
		}
		if (taf_traced_is_on())
			taf_traced_loaded(m, c);
		if (!m)
			taf_mark(TAF_NOTE, c->table->engine, NULL,
				 "more models are alive than taffrail can track");
		if (taf_ring_head() && l->is_known)
			taf_copy(taf_ring_head()->model, l->name, sizeof(taf_ring_head()->model));
	}
	taf_after(c, handle ? 0 : -1);
}
