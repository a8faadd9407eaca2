/* SPDX-License-Identifier: MIT */
#include "model.h"

#include "../policy/text.h"

#include <errno.h>
#include <stdatomic.h>

#define SPINS 4096 /* for readers of the table; openers never wait */
#define BLOB "/blobs/sha256-"
#define DIGEST 64

struct set {
	char path[TAF_MODEL_PATH]; /* of the part opened last; "" free */
	uint32_t group;
	bool is_read;
	uint64_t order;
};

static struct set sets[TAF_MODEL_SETS]; /* under busy */
static uint64_t next_order; /* under busy */
static _Atomic(uint32_t) busy;
static _Atomic(uint32_t) group_now;

/* One more try costs nothing to anybody: a holder only copies a path. */
static bool take(int spins)
{
	do {
		if (!atomic_exchange_explicit(&busy, 1, memory_order_acquire))
			return true;
	} while (--spins > 0);
	return false;
}

static void give(void)
{
	atomic_store_explicit(&busy, 0, memory_order_release);
}

static bool ends(const char *path, size_t n, const char *tail, size_t m)
{
	return n >= m && taf_equal(path + (n - m), tail, m);
}

#define ENDS(path, n, tail) ends(path, n, tail, sizeof(tail) - 1)

static bool is_blob(const char *path, size_t n)
{
	return n >= DIGEST + sizeof(BLOB) - 1 &&
	       taf_equal(path + n - DIGEST - (sizeof(BLOB) - 1), BLOB, sizeof(BLOB) - 1);
}

/* The directory with its slash. */
static size_t dir_of(const char *path)
{
	return (size_t)(taf_base(path) - path);
}

static bool is_same_dir(const char *a, const char *b)
{
	size_t n = dir_of(a);

	return n == dir_of(b) && taf_equal(a, b, n);
}

/* True when both are parts of one split, or the same file. */
static bool is_same_set(const char *a, const char *b)
{
	uint32_t no, count_a, count_b;
	size_t na, nb;

	if (taf_same(a, b))
		return true;
	if (!is_same_dir(a, b))
		return false;
	na = taf_model_split(taf_base(a), &no, &count_a);
	nb = taf_model_split(taf_base(b), &no, &count_b);
	return na && na == nb && count_a == count_b && taf_equal(taf_base(a), taf_base(b), na);
}

/* The entry of path, a free one, or the one that was used longest ago. */
static struct set *find_set(const char *path)
{
	struct set *best = &sets[0];

	for (int i = 0; i < TAF_MODEL_SETS; i++) {
		struct set *s = &sets[i];

		if (s->path[0] && is_same_set(s->path, path))
			return s;
		if (!s->path[0] ? best->path[0] != '\0' : best->path[0] && s->order < best->order)
			best = s;
	}
	return best;
}

static void note_weights(const char *path, size_t n)
{
	struct set *s = find_set(path);

	s->is_read = false;
	taf_move(s->path, path, n + 1);
	s->group = atomic_load_explicit(&group_now, memory_order_relaxed);
	s->order = ++next_order;
}

static bool is_weights(const char *path, size_t n)
{
	return ENDS(path, n, ".gguf") || ENDS(path, n, ".safetensors") || is_blob(path, n);
}

bool taf_model_is_weights(const char *path)
{
	return is_weights(path, taf_len(path));
}

void taf_model_note_open(const char *path)
{
	size_t n = taf_len(path);

	if (!is_weights(path, n) || n >= TAF_MODEL_PATH || !take(1))
		return;
	note_weights(path, n);
	give();
}

uint32_t taf_model_group(void)
{
	return atomic_load_explicit(&group_now, memory_order_relaxed);
}

void taf_model_group_close(void)
{
	uint32_t now = taf_model_group();
	bool is_used = false;

	if (!take(SPINS))
		return;
	for (int i = 0; i < TAF_MODEL_SETS && !is_used; i++)
		is_used = sets[i].path[0] && sets[i].group == now;
	if (is_used)
		atomic_store_explicit(&group_now, now + 1, memory_order_relaxed);
	give();
}

bool taf_model_seen(uint32_t group, uint32_t i, char path[TAF_MODEL_PATH])
{
	bool is_there = false;

	if (!take(SPINS))
		return false;
	for (int k = 0; k < TAF_MODEL_SETS && !is_there; k++) {
		if (!sets[k].path[0] || sets[k].group != group)
			continue;
		is_there = !i--;
		if (is_there)
			taf_copy(path, sets[k].path, TAF_MODEL_PATH);
	}
	give();
	return is_there;
}

bool taf_model_set(uint32_t i, struct taf_model_set *out)
{
	out->path[0] = '\0';
	if (i >= TAF_MODEL_SETS || !take(SPINS))
		return false;
	taf_copy(out->path, sets[i].path, sizeof(out->path));
	out->group = sets[i].group;
	out->is_read = sets[i].is_read;
	give();
	return out->path[0] != '\0';
}

void taf_model_note_read(const char *dir)
{
	size_t n = dir ? taf_len(dir) : 0;

	if (!take(SPINS))
		return;
	for (int i = 0; i < TAF_MODEL_SETS; i++)
		sets[i].is_read |=
			!dir || (dir_of(sets[i].path) == n && taf_equal(sets[i].path, dir, n));
	give();
}

void taf_model_forget_all(void)
{
	taf_zero(sets, sizeof(sets));
	give(); /* another thread of the parent may have held it */
}

static void swap_in(struct taf_model_group *g, const struct taf_model *m)
{
	uint8_t role = g->main.role;

	/* The smaller of two models is the draft of the other. */
	if (g->main.id[0])
		g->by_role[role == TAF_ROLE_MAIN ? TAF_ROLE_DRAFT : role]++;
	taf_move(&g->main, m, sizeof(*m));
}

/* A projector or adapter names a group only while no model does. */
static bool is_bigger(const struct taf_model *a, const struct taf_model *b)
{
	bool is_model_a = a->role == TAF_ROLE_MAIN || a->role == TAF_ROLE_DRAFT;
	bool is_model_b = b->role == TAF_ROLE_MAIN || b->role == TAF_ROLE_DRAFT;

	if (is_model_a != is_model_b)
		return is_model_a;
	return a->bytes > b->bytes;
}

static void add_model(struct taf_model_group *g, const struct taf_model *m)
{
	if (g->main.id[0] && m->fingerprint == g->main.fingerprint)
		return; /* the same file by another name */
	if (__builtin_add_overflow(g->bytes, m->bytes, &g->bytes))
		g->bytes = UINT64_MAX;
	if (!g->main.id[0] || is_bigger(m, &g->main))
		swap_in(g, m);
	else
		g->by_role[m->role == TAF_ROLE_MAIN ? TAF_ROLE_DRAFT : m->role]++;
}

/* Servers keep key and value caches as safetensors: reading one back is no load of a
 * model. A model has its config.json beside it. */
static bool is_restore(const struct taf_model *m)
{
	return m->format == TAF_FORMAT_SAFETENSORS && m->role == TAF_ROLE_MAIN && !m->has_config;
}

int taf_model_group_read(uint32_t group, struct taf_model_group *g)
{
	char path[TAF_MODEL_PATH];
	struct taf_model m;

	taf_zero(g, sizeof(*g));
	for (uint32_t i = 0; taf_model_seen(group, i, path); i++)
		if (!taf_model_identify(path, &m) && !is_restore(&m))
			add_model(g, &m);
	if (!g->main.id[0])
		return -ENOENT;
	g->companions = g->by_role[TAF_ROLE_DRAFT] + g->by_role[TAF_ROLE_MMPROJ] +
			g->by_role[TAF_ROLE_LORA];
	return 0;
}
