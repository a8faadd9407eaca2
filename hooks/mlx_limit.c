/* SPDX-License-Identifier: MIT */
/* mlx_limit.c -- what MLX may take: limits that the program sets, and those of the policy. */
#include "../policy/text.h"
#include "../shim/crumb.h"
#include "mlx.h"

#define TAF_STREAM struct taf_stream
#define TAF_NO_STREAM ((struct taf_stream){ 0 })
#define TAF_ROWS "mlx.def"
#define TAF_TABLE taf_table_mlx
#include "rows.h"
extern const struct taf_table TAF_TABLE;

static _Atomic(int32_t) prepared_pid;

static const char *path_of(enum taf_limit which)
{
	return which == TAF_LIMIT_CACHE ? "limits.cache" : "limits.memory";
}

/* What the engine's own is, only setting another one tells. */
static void say_would(enum taf_limit which, uint64_t granted)
{
	char buf[128];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, "would be granted ");
	taf_text_bytes(&t, granted);
	taf_text_put(&t, " before the program asks, or the engine's own limit where that is less");
	taf_crumb(&(struct taf_rec){ .kind = TAF_WOULD,
				     .phase = TAF_MARK,
				     .engine = TAF_ENGINE_MLX,
				     .rule = path_of(which),
				     .msg = buf });
}

/* A limit that holds whether or not the program sets one. */
static void impose(const struct taf_call *c, enum taf_limit which, taf_fn set)
{
	char buf[112];
	struct taf_text t;
	uint64_t granted;
	struct taf_try try = { .fn = set };
	struct taf_rec r = { .kind = TAF_LIMIT,
			     .phase = TAF_MARK,
			     .engine = TAF_ENGINE_MLX,
			     .rule = path_of(which),
			     .msg = buf };

	(void)c;
	if (!set || !taf_limit_due(which, &granted))
		return;
	if (taf_rules.mode != TAF_MODE_ENFORCE) {
		say_would(which, granted);
		return;
	}
	taf_text_init(&t, buf, sizeof(buf));
	try.arg[0] = granted;
	try.arg[1] = 1; /* relaxed, where there is such a thing: as by default */
	if (!taf_try_call(&try))
		return;
	taf_limit_own(which, try.result, try.result < granted ? try.result : granted);
	if (try.result < granted) { /* the engine's own is the smaller one */
		try.arg[0] = try.result;
		taf_try_call(&try);
		return;
	}
	taf_text_put(&t, "granted ");
	taf_text_bytes(&t, granted);
	taf_text_put(&t, " before the program asks; the engine's own limit was ");
	taf_text_bytes(&t, try.result);
	taf_crumb(&r);
}

void taf_mlx_prepare(const struct taf_call *c)
{
	if (__builtin_expect(
		    atomic_load_explicit(&prepared_pid, memory_order_relaxed) == taf_life.pid, 1) ||
	    atomic_exchange(&prepared_pid, taf_life.pid) == taf_life.pid)
		return;
	taf_mlx_tell_unknown(c->caller);
	taf_tls.inside++;
	impose(c, TAF_LIMIT_MEMORY,
	       EITHER(_ZN3mlx4core16set_memory_limitEm, _ZN3mlx4core5metal16set_memory_limitEmb,
		      c->caller));
	impose(c, TAF_LIMIT_CACHE,
	       EITHER(_ZN3mlx4core15set_cache_limitEm, _ZN3mlx4core5metal15set_cache_limitEm,
		      c->caller));
	taf_tls.inside--;
}

/* Without Metal nothing is wired, and set_wired_limit answers 0 for ever. */
static bool has_metal(const void *home)
{
	uint64_t n;

	return !taf_mlx_ask((taf_fn)THEIRS(_ZN3mlx4core5metal12is_availableEv, home), &n) ||
	       (n & 1);
}

/* A raise begins a generation, what takes it back ends it. */
static void bracket(const struct taf_mlx_limit *l, bool is_before)
{
	bool is_raise = l->set.asked > taf_limit_asked(TAF_LIMIT_WIRED);

	if (l->which == TAF_LIMIT_WIRED && is_raise == is_before && taf_state_now() == TAF_ACTIVE &&
	    !taf_tls.inside)
		taf_owner_settle(true);
}

bool taf_mlx_limit_begin(struct taf_call *c, struct taf_mlx_limit *l)
{
	struct taf_text why;

	l->set.granted = l->set.asked;
	l->set.is_told = l->set.is_kept = true;
	c->bytes = l->set.asked;
	c->has_bytes = true;
	bracket(l, true);
	if (!taf_before(c))
		return false;
	taf_text_init(&why, l->why, sizeof(l->why));
	if (c->is_counted)
		l->set.is_told = taf_limit_grant(l->which, l->set.asked, &l->set.granted, &why);
	if (l->which == TAF_LIMIT_WIRED && !l->set.granted)
		l->set.is_kept = has_metal(c->caller);
	return true;
}

uint64_t taf_mlx_limit_end(struct taf_call *c, struct taf_mlx_limit *l, uint64_t before)
{
	bool is_raise = l->set.asked > taf_limit_asked(TAF_LIMIT_WIRED);

	if (!c->is_counted)
		return before;
	before = taf_limit_answer(l->which, &l->set, before);
	c->msg = l->why[0] ? l->why : NULL;
	taf_after(c, 0);
	if (l->which == TAF_LIMIT_WIRED && !is_raise)
		taf_owner_settle(true);
	return before;
}
