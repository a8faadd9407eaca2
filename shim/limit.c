/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include <stdatomic.h>

#include "../policy/fit.h"
#include "life.h"
#include "sys_memory.h"

enum { IS_SEEN = 1, IS_SET = 2 };

/* One limit. The engine has a lock of its own; two threads that set one at once get
 * answers in either order, as from it. */
static struct state {
	_Atomic(uint32_t) flags;
	_Atomic(uint64_t) seen; /* what the program would read: its last one, or the engine's */
	_Atomic(uint64_t) granted; /* passed on last */
} states[TAF_LIMIT_COUNT];

static const struct taf_amount *rule_of(enum taf_limit which)
{
	switch (which) {
	case TAF_LIMIT_WIRED: return &taf_rules.limits_wired;
	case TAF_LIMIT_CACHE: return &taf_rules.limits_cache;
	default: return &taf_rules.limits_memory;
	}
}

static const char *path_of(enum taf_limit which)
{
	static const char *const paths[] = { "limits.wired", "limits.cache", "limits.memory" };

	return paths[which];
}

/* The most that may be passed on; UINT64_MAX: anything. */
static uint64_t most_of(enum taf_limit which)
{
	const struct taf_amount *a = rule_of(which);
	struct taf_sys_memory m = { .total = 0 };
	uint64_t bytes;

	if (taf_rules.mode == TAF_MODE_OFF || a->is == TAF_AMOUNT_NONE)
		return UINT64_MAX;
	if (a->is == TAF_AMOUNT_SWALLOW)
		return 0;
	if (a->is == TAF_AMOUNT_PCT && taf_sys_memory(&m))
		return UINT64_MAX;
	bytes = taf_amount_bytes(a, m.total);
	return bytes ? bytes : UINT64_MAX;
}

static bool is_swallowed(enum taf_limit which)
{
	return rule_of(which)->is == TAF_AMOUNT_SWALLOW;
}

static bool is_enforced(void)
{
	return taf_rules.mode == TAF_MODE_ENFORCE;
}

static void tell(enum taf_limit which, uint64_t asked, uint64_t granted, struct taf_text *why)
{
	taf_text_put(why, "asked ");
	taf_text_bytes(why, asked);
	taf_text_put(why, is_enforced() ? ", granted " : ", would be granted ");
	if (is_swallowed(which))
		taf_text_put(why, "nothing");
	else
		taf_text_bytes(why, granted);
	taf_text_put(why, ": ");
	taf_text_put(why, path_of(which));
}

bool taf_limit_grant(enum taf_limit which, uint64_t asked, uint64_t *granted, struct taf_text *why)
{
	uint64_t most = most_of(which);

	*granted = asked < most ? asked : most;
	if (*granted != asked || (is_swallowed(which) && asked))
		tell(which, asked, *granted, why);
	if (!is_enforced())
		*granted = asked;
	if (is_enforced() && is_swallowed(which))
		return false;
	atomic_store(&states[which].granted, *granted);
	return true;
}

uint64_t taf_limit_answer(enum taf_limit which, uint64_t asked, bool was_told, uint64_t before)
{
	struct state *s = &states[which];
	uint64_t seen = atomic_exchange(&s->seen, asked);
	bool is_known = atomic_fetch_or(&s->flags, IS_SEEN) & IS_SEEN;

	if (is_known)
		return seen;
	return was_told ? before : 0;
}

uint64_t taf_limit_seen(enum taf_limit which, uint64_t given)
{
	struct state *s = &states[which];

	return atomic_load(&s->flags) & IS_SEEN ? atomic_load(&s->seen) : given;
}

bool taf_limit_due(enum taf_limit which, uint64_t *granted)
{
	struct state *s = &states[which];

	*granted = most_of(which);
	if (which == TAF_LIMIT_WIRED || *granted == UINT64_MAX || !is_enforced())
		return false;
	return !(atomic_fetch_or(&s->flags, IS_SET) & (IS_SET | IS_SEEN));
}

void taf_limit_own(enum taf_limit which, uint64_t before)
{
	struct state *s = &states[which];

	atomic_store(&s->seen, before);
	atomic_fetch_or(&s->flags, IS_SEEN);
}

uint64_t taf_limit_in_force(enum taf_limit which)
{
	return atomic_load(&states[which].granted);
}

void taf_limit_forget(void)
{
	for (int i = 0; i < TAF_LIMIT_COUNT; i++) {
		atomic_store(&states[i].flags, 0);
		atomic_store(&states[i].granted, 0);
	}
}
