/* SPDX-License-Identifier: MIT */
#include "open_seen.h"

#include <stdatomic.h>

#include "../policy/fit.h"
#include "../policy/text.h"
#include "sys.h"

#define SETS 16
#define FOLDER "model*.safetensors" /* all of them in a folder are one model: model_file.c */

struct entry {
	uint64_t key; /* 0 free */
	uint64_t at_ms; /* opened last */
	uint64_t live, given; /* when it passed */
	struct taf_open_set set;
};

static struct entry sets[SETS]; /* under busy */
static _Atomic(uint32_t) busy;

static bool take(void)
{
	return !atomic_exchange_explicit(&busy, 1, memory_order_acquire);
}

static void give(void)
{
	atomic_store_explicit(&busy, 0, memory_order_release);
}

/* What the parts of a set have in common of their names. */
static size_t stem_of(const char *base)
{
	uint32_t no, count;
	size_t n = taf_model_split(base, &no, &count);

	if (taf_glob(FOLDER, base))
		return sizeof("model") - 1;
	return n ? n : taf_len(base);
}

uint64_t taf_open_key(const char *path)
{
	char dir[TAF_MODEL_PATH];
	const char *base = taf_base(path);
	size_t n = (size_t)(base - path);
	struct taf_stat st;
	uint64_t key;

	if (n + 2 > sizeof(dir))
		return 0;
	taf_move(dir, path, n);
	dir[n] = '.'; /* through a link to the folder, too */
	dir[n + 1] = '\0';
	if (taf_sys_stat(dir, &st))
		return 0;
	key = taf_model_fingerprint(st.ino, (int64_t)st.dev, base, stem_of(base));
	return key ? key : 1;
}

/* The entry of key, else a free one, else the one that was opened longest ago. */
static struct entry *find(uint64_t key)
{
	struct entry *best = &sets[0];

	for (int i = 0; i < SETS; i++) {
		struct entry *e = &sets[i];

		if (e->key == key)
			return e;
		if (!e->key ? best->key != 0 : best->key && e->at_ms < best->at_ms)
			best = e;
	}
	return best;
}

static bool is_given_back(const struct entry *e, const struct taf_open_now *now)
{
	return e->set.size.bytes && now->given - e->given >= e->set.size.bytes;
}

/* What came since it passed is its own, as long as that is less than all of it. */
static uint64_t in_memory(const struct entry *e, const struct taf_open_now *now)
{
	uint64_t in = e->set.is_passed ? taf_less(now->live, e->live) : 0;

	return in < e->set.size.bytes ? in : 0;
}

static enum taf_open_word recall(struct entry *e, const struct taf_open_now *now,
				 struct taf_open_set *s)
{
	bool is_young = now->ms - e->at_ms < TAF_OPEN_KEEP_MS;

	if (is_young && e->set.is_passed && !is_given_back(e, now)) {
		e->at_ms = now->ms;
		return TAF_OPEN_PASSED;
	}
	if (is_young)
		*s = e->set;
	s->in = in_memory(e, now);
	return is_young ? TAF_OPEN_KNOWN : TAF_OPEN_NEW;
}

enum taf_open_word taf_open_recall(const struct taf_open_now *now, struct taf_open_set *s)
{
	enum taf_open_word word = TAF_OPEN_NEW;
	struct entry *e;

	*s = (struct taf_open_set){ .in = 0 };
	if (!take())
		return word;
	e = find(now->key);
	if (e->key == now->key)
		word = recall(e, now, s);
	give();
	return word;
}

void taf_open_keep(const struct taf_open_now *now, const struct taf_open_set *s)
{
	struct entry *e;

	if (!take())
		return;
	e = find(now->key);
	*e = (struct entry){ now->key, now->ms, taf_less(now->live, s->in), now->given, *s };
	give();
}

void taf_open_forget(void)
{
	taf_zero(sets, sizeof(sets));
	give(); /* another thread of the parent may have held it */
}
