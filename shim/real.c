/* SPDX-License-Identifier: MIT */
#include "real.h"

#include "../policy/text.h"
#include "elfmap.h"
#include "hot.h"
#include "sites.h"
#include "space.h"

#define MAX_SCOPE 96 /* objects searched for one answer */
#define MAX_ROOTS 48 /* objects whose needs are followed for one answer */
#define NAME_BUCKETS 2048u /* a few times the engine rows: probing must end */

struct taf_real_slot taf_real_cache[TAF_REAL_SLOTS];
TAF_HOT _Atomic(uint32_t) taf_real_epoch;

/* One search: the name, who asks, and the objects still to look into. */
struct search {
	const char *name, *version;
	struct link_map *queue[MAX_SCOPE];
	int n, done;
	struct link_map *base; /* any object of the caller's namespace */
};

/* Engine rows by name; filled once, by whoever comes first, always alike. */
struct name_slot {
	_Atomic(const struct taf_table *) table;
	_Atomic(int) row;
};
static struct name_slot names[NAME_BUCKETS];
static _Atomic(bool) are_names_ready;

bool taf_real_is_ours(const void *fn)
{
	return taf_elf_at(fn) == taf_elf_self();
}

static void enqueue(struct search *s, struct link_map *m)
{
	for (int i = 0; i < s->n; i++)
		if (s->queue[i] == m)
			return;
	if (s->n < MAX_SCOPE)
		s->queue[s->n++] = m;
}

static bool is_called(struct link_map *m, const char *soname)
{
	struct taf_elf e;

	if (m->l_name && taf_same(taf_base(m->l_name), taf_base(soname)))
		return true;
	return taf_elf_of(m, &e) && e.soname && taf_same(e.soname, soname);
}

static bool enqueue_needed(void *ctx, const char *soname)
{
	struct search *s = ctx;
	struct link_map *m = s->base;

	while (m && m->l_prev)
		m = m->l_prev;
	for (; m; m = m->l_next)
		if (is_called(m, soname)) {
			enqueue(s, m);
			break;
		}
	return false;
}

/* Breadth first from the caller through what each object needs. */
static void *in_scope(struct search *s)
{
	struct taf_elf e;

	for (; s->done < s->n; s->done++) {
		struct link_map *m = s->queue[s->done];
		void *p;

		if (m == taf_elf_self() || !taf_elf_of(m, &e))
			continue;
		p = taf_elf_symbol(&e, s->name, s->version);
		if (p && !taf_real_is_ours(p))
			return p;
		taf_elf_each_needed(&e, enqueue_needed, s);
	}
	return NULL;
}

/* The object and all that it needs, whether or not one of them has the name. */
static bool reaches(struct link_map *from, const struct link_map *caller, const char *name)
{
	struct search s = { .name = name, .base = from };
	bool has_caller = false, has_name = false;
	struct taf_elf e;

	enqueue(&s, from);
	for (; s.done < s.n; s.done++) {
		has_caller = has_caller || s.queue[s.done] == caller;
		if (s.queue[s.done] == taf_elf_self() || !taf_elf_of(s.queue[s.done], &e))
			continue;
		has_name = has_name || taf_elf_symbol(&e, name, NULL);
		taf_elf_each_needed(&e, enqueue_needed, &s);
	}
	return has_caller && has_name;
}

static bool is_near(const char *name, const void *caller)
{
	struct link_map *of = taf_elf_at(caller);
	struct search own = { .name = name, .base = of };
	int n = 0;

	if (!taf_elf_next(name))
		return false;
	enqueue(&own, of);
	if (of && in_scope(&own))
		return true;
	/* Who opened the caller may have brought it along. Costly to find out: among
	 * very many objects the doubt is the program's. */
	for (struct link_map *m = taf_elf_first(); m; m = m->l_next)
		if (n++ == MAX_ROOTS || reaches(m, of, name))
			return true;
	return false;
}

static bool is_in_needs(void *ctx, const char *soname)
{
	return is_called(ctx, soname);
}

/* Objects preloaded behind us come before what the program itself needs, for
 * every caller but themselves: one of them may wrap the same function. */
static void *in_preloads(const char *name, const struct link_map *caller)
{
	struct link_map *m = taf_elf_self();
	struct taf_elf program, e;

	if (!taf_elf_first() || !taf_elf_of(taf_elf_first(), &program))
		return NULL;
	for (m = m ? m->l_next : NULL; m && !taf_elf_each_needed(&program, is_in_needs, m);
	     m = m->l_next) {
		void *p = m != caller && taf_elf_of(m, &e) ? taf_elf_symbol(&e, name, NULL) : NULL;

		if (p)
			return p;
	}
	return NULL;
}

static bool is_in_front(const struct link_map *of)
{
	const struct link_map *m = taf_elf_first();

	while (m && m != of && m != taf_elf_self())
		m = m->l_next;
	return m == of && of != taf_elf_self();
}

/* Of a driver that fills the loader's table with its own exported names, which were bound
 * to ours: the call came through that table, and the loader's own function would only
 * call us again.  It shows by who calls: the loader, or, where that jumped on, we. */
static bool is_for_driver(const struct taf_table *t, struct link_map *caller)
{
	return t->loader && caller && (caller == taf_elf_self() || is_called(caller, t->loader));
}

static void *of_driver(const struct taf_table *t, const char *name)
{
	struct link_map *m = taf_elf_self();
	struct taf_elf e;

	for (m = m ? m->l_next : NULL; m; m = m->l_next) {
		void *p = is_called(m, t->loader) || !taf_elf_of(m, &e)
				  ? NULL
				  : taf_elf_symbol(&e, name, NULL);

		if (p)
			return p;
	}
	return NULL;
}

static bool is_other_space(struct link_map *m)
{
	return taf_space_is_any() && taf_space_has(m);
}

/* What was learned there, else what any object there has: it may be in a scope that its
 * caller was given later. Never one of ours, which is another runtime. */
static taf_fn in_space(const struct search *s, taf_fn learned)
{
	struct link_map *head = taf_space_head(s->base), *of = taf_elf_at(taf_fn_object(learned));
	struct taf_elf e;

	if (learned && taf_space_head(of) == head)
		return learned;
	for (struct link_map *m = head; m; m = m->l_next) {
		void *p = taf_elf_of(m, &e) ? taf_elf_symbol(&e, s->name, NULL) : NULL;

		if (p)
			return taf_object_fn(p);
	}
	return learned;
}

static taf_fn from_caller(const struct taf_table *t, int row, const void *caller)
{
	struct search s = { .name = taf_row_name(t, row) };
	struct taf_elf e;
	taf_fn learned = taf_sites_real(t, row, caller);
	void *p;

	if (learned)
		return learned;
	s.base = taf_elf_at(caller);
	if (is_for_driver(t, s.base))
		return taf_object_fn(of_driver(t, s.name));
	p = is_other_space(s.base) ? NULL : in_preloads(s.name, s.base);
	if (p)
		return taf_object_fn(p);
	if (s.base && s.base != taf_elf_self() && taf_elf_of(s.base, &e)) {
		s.version = taf_elf_wanted_version(&e, s.name);
		enqueue(&s, s.base);
		/* The program, or a preload before ours that wraps it: not itself. */
		if (is_in_front(s.base)) {
			taf_elf_each_needed(&e, enqueue_needed, &s);
			s.done++;
		}
		p = in_scope(&s);
		if (p)
			return taf_object_fn(p);
	}
	learned = atomic_load_explicit(&t->learned[row], memory_order_acquire);
	if (is_other_space(s.base))
		return in_space(&s, learned);
	/* Behind us alone: an object in front of us is called directly, or wraps us. */
	return learned ? learned : taf_object_fn(taf_elf_next(s.name));
}

static void cache(const struct taf_row *r, const void *caller, taf_fn fn, uint32_t epoch)
{
	struct taf_real_slot *s = &taf_real_cache[taf_real_index(caller, r)];
	uint32_t seq = atomic_load(&s->seq);

	if ((seq & 1) || !atomic_compare_exchange_strong(&s->seq, &seq, seq + 1))
		return;
	atomic_store(&s->caller, (uintptr_t)caller);
	atomic_store(&s->row, (uintptr_t)r);
	atomic_store(&s->fn, fn);
	atomic_store(&s->epoch, epoch);
	atomic_store_explicit(&s->seq, seq + 2, memory_order_release);
}

/* One question, to be answered while the loader's list stands still. */
struct question {
	const struct taf_table *t;
	int row;
	const char *name;
	const void *caller;
	taf_fn fn;
	void *p;
	bool is_near;
};

static void find_locked(void *ctx)
{
	struct question *q = ctx;

	q->fn = from_caller(q->t, q->row, q->caller);
}

static void near_locked(void *ctx)
{
	struct question *q = ctx;

	q->is_near = is_near(q->name, q->caller);
}

static void scope_locked(void *ctx)
{
	struct question *q = ctx;
	struct search own = { .name = q->name, .base = taf_elf_at(q->caller) };

	if (own.base)
		enqueue(&own, own.base);
	q->p = in_scope(&own);
}

void *taf_real_in_scope(const char *name, const void *caller)
{
	struct question q = { .name = name, .caller = caller };

	taf_elf_locked(scope_locked, &q);
	return q.p;
}

bool taf_real_is_near(const char *name, const void *caller)
{
	struct question q = { .name = name, .caller = caller };

	taf_elf_locked(near_locked, &q);
	return q.is_near;
}

taf_fn taf_real_find(const struct taf_table *t, int row, const void *caller)
{
	struct question q = { .t = t, .row = row, .caller = caller };
	/* Read before the search: what leaves the process meanwhile makes the answer old. */
	uint32_t epoch = atomic_load(&taf_real_epoch);

	if (t->engine == TAF_ENGINE_LIBC)
		return taf_real_fixed(t, row);
	taf_elf_locked(find_locked, &q);
	if (q.fn)
		cache(&t->rows[row], caller, q.fn, epoch);
	return q.fn;
}

bool taf_real_has_beside(const struct taf_table *t, int row, taf_fn theirs)
{
	union {
		taf_fn fn;
		const void *p;
	} home = { .fn = theirs }, other;

	other.fn = taf_real(t, row, home.p);
	return other.fn && taf_elf_at(other.p) == taf_elf_at(home.p);
}

bool taf_real_has_load(void)
{
	for (int t = 0; t < taf_table_count; t++)
		for (int r = 0; r < taf_tables[t]->n_rows; r++)
			if (taf_tables[t]->rows[r].kind == TAF_LOAD &&
			    taf_real(taf_tables[t], r, NULL))
				return true;
	return false;
}

bool taf_real_learn(const struct taf_table *t, int row, taf_fn theirs)
{
	taf_fn none = NULL;

	if (taf_real_is_ours(taf_fn_object(theirs)))
		return true;
	return atomic_compare_exchange_strong(&t->learned[row], &none, theirs) || none == theirs;
}

void taf_real_forget(void)
{
	atomic_fetch_add(&taf_real_epoch, 1);
	for (int t = 0; t < taf_table_count; t++)
		for (int r = 0;
		     taf_tables[t]->engine != TAF_ENGINE_LIBC && r < taf_tables[t]->n_rows; r++) {
			taf_fn fn = atomic_load(&taf_tables[t]->learned[r]);

			if (fn && !taf_elf_at(taf_fn_object(fn)))
				atomic_compare_exchange_strong(&taf_tables[t]->learned[r], &fn,
							       NULL);
		}
}

static uint32_t hash_of(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h ^ h >> 15;
}

static void fill_names(void)
{
	for (int t = 0; t < taf_table_count; t++) {
		const struct taf_table *table = taf_tables[t];

		if (table->engine == TAF_ENGINE_LIBC)
			continue;
		for (int r = 0; r < table->n_rows; r++) {
			uint32_t h = hash_of(taf_row_name(table, r));

			if (!table->ours(r))
				continue;
			/* Racing fillers go the same way and write the same values. */
			while (atomic_load(&names[h % NAME_BUCKETS].table) &&
			       (atomic_load(&names[h % NAME_BUCKETS].table) != table ||
				atomic_load(&names[h % NAME_BUCKETS].row) != r))
				h++;
			atomic_store(&names[h % NAME_BUCKETS].row, r);
			atomic_store(&names[h % NAME_BUCKETS].table, table);
		}
	}
	atomic_store(&are_names_ready, true);
}

const struct taf_table *taf_real_row(const char *name, int *row)
{
	uint32_t h;

	if (!atomic_load_explicit(&are_names_ready, memory_order_acquire))
		fill_names();
	for (h = hash_of(name);; h++) {
		const struct taf_table *t =
			atomic_load_explicit(&names[h % NAME_BUCKETS].table, memory_order_acquire);

		if (!t)
			return NULL;
		*row = atomic_load_explicit(&names[h % NAME_BUCKETS].row, memory_order_relaxed);
		if (taf_same(taf_row_name(t, *row), name))
			return t;
	}
}
