/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include <stdatomic.h>

#include "../policy/fit.h"
#include "life.h"
#include "sys_memory.h"

enum { IS_CHANGED = 1, IS_SET = 2 };

/* One limit. The engine has a lock of its own; two threads that set one at once get
 * answers in either order, as from it. */
static struct state {
	_Atomic(uint32_t) flags; /* changed: what is in force is not what was asked for last */
	_Atomic(uint64_t) asked; /* last, or the engine's own before that */
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
	static const char paths[][16] = { "limits.wired", "limits.cache", "limits.memory" };

	return paths[which];
}

/* The most that may be passed on; UINT64_MAX: anything. */
static uint64_t most_of(enum taf_limit which)
{
	const struct taf_amount *a = rule_of(which);
	struct taf_sys_memory m = { .total = 0 };

	if (taf_rules.mode == TAF_MODE_OFF || a->is == TAF_AMOUNT_NONE)
		return UINT64_MAX;
	if (a->is == TAF_AMOUNT_SWALLOW)
		return 0;
	if (a->is == TAF_AMOUNT_PCT && (taf_sys_memory(&m) || !m.total))
		return UINT64_MAX;
	return taf_amount_bytes(a, m.total);
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
	return !is_enforced() || !is_swallowed(which);
}

/* An engine that does not remember (MLX without Metal, of what is wired) tells so. */
uint64_t taf_limit_answer(enum taf_limit which, const struct taf_limit_set *set, uint64_t before)
{
	struct state *s = &states[which];
	bool was_changed = atomic_load(&s->flags) & IS_CHANGED;
	uint64_t asked = atomic_exchange(&s->asked, set->asked);
	uint64_t granted = atomic_load(&s->granted);

	if (set->is_told)
		atomic_store(&s->granted, set->granted);
	if (set->is_told && set->granted == set->asked)
		atomic_fetch_and(&s->flags, ~(uint32_t)IS_CHANGED);
	else
		atomic_fetch_or(&s->flags, IS_CHANGED);
	atomic_fetch_or(&s->flags, IS_SET);
	if (!set->is_told)
		return set->is_kept ? asked : 0;
	return set->is_kept && was_changed && before == granted ? asked : before;
}

uint64_t taf_limit_seen(enum taf_limit which, uint64_t given)
{
	struct state *s = &states[which];

	return atomic_load(&s->flags) & IS_CHANGED ? atomic_load(&s->asked) : given;
}

uint64_t taf_limit_asked(enum taf_limit which)
{
	return atomic_load(&states[which].asked);
}

bool taf_limit_due(enum taf_limit which, uint64_t *granted)
{
	struct state *s = &states[which];

	*granted = most_of(which);
	if (which == TAF_LIMIT_WIRED || *granted == UINT64_MAX)
		return false;
	return !(atomic_fetch_or(&s->flags, IS_SET) & IS_SET);
}

void taf_limit_own(enum taf_limit which, uint64_t before, uint64_t granted)
{
	struct state *s = &states[which];

	atomic_store(&s->asked, before);
	atomic_store(&s->granted, granted);
	if (before != granted)
		atomic_fetch_or(&s->flags, IS_CHANGED);
}

uint64_t taf_limit_in_force(enum taf_limit which)
{
	return atomic_load(&states[which].granted);
}

void taf_limit_forget(void)
{
	for (int i = 0; i < TAF_LIMIT_COUNT; i++) {
		atomic_store(&states[i].flags, 0);
		atomic_store(&states[i].asked, 0);
		atomic_store(&states[i].granted, 0);
	}
}
