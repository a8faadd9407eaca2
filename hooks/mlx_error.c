/* SPDX-License-Identifier: MIT */
/* mlx_error.c -- computations of MLX that fail: what its exceptions and messages tell.
 *
 * MLX tells of what failed behind an async_eval once, to whoever waits next, and what is read of
 * those arrays afterwards is no result.  Where that is a drain of ours the program is told at its
 * next call. */
#include "../policy/text.h"
#include "failure.h"
#include "mlx.h"

#define KEPT_MAX 8 /* threads; of each the first, as it would have been */
#define KEPT_TEXT 256
#define TAKEN (-1)

static struct kept {
	_Atomic(int32_t) of; /* the thread that began it; 0: free; TAKEN: is written or read */
	char text[KEPT_TEXT];
} kept[KEPT_MAX];

void taf_mlx_failed(const struct taf_mlx_job *j, const char *text, const char *type)
{
	struct taf_work *mine = taf_owner_mine();
	struct taf_error e = { .call = &j->call,
			       .work = j->load ? NULL : j->call.work,
			       .what = taf_failure_of(text),
			       .rc = -1,
			       .text = text ? text : type };

	/* Our own refusal, on its way out through an engine: its record is there. */
	if (text && taf_find(text, TAF_MLX_REFUSED))
		return;
	e.model = j->load || j->call.model ? j->call.model : taf_work_model_name(mine);
	taf_error_failed(&e);
}

static bool take(struct kept *k, int32_t from)
{
	return atomic_compare_exchange_strong(&k->of, &from, TAKEN);
}

void taf_mlx_keep(const char *text, const char *type)
{
	if (taf_state_now() != TAF_ACTIVE)
		return;
	for (int i = 0; i < KEPT_MAX; i++)
		if (atomic_load(&kept[i].of) == taf_tid())
			return;
	for (int i = 0; i < KEPT_MAX; i++)
		if (take(&kept[i], 0)) {
			taf_copy(kept[i].text, text ? text : type ? type : "unknown", KEPT_TEXT);
			atomic_store(&kept[i].of, taf_tid());
			return;
		}
}

/* Into text, which has KEPT_TEXT bytes. is_any: of any thread. */
static bool take_kept(char *text, bool is_any)
{
	for (int i = 0; i < KEPT_MAX; i++) {
		int32_t of = atomic_load_explicit(&kept[i].of, memory_order_relaxed);

		if (of <= 0 || (of != taf_tid() && !is_any) || !take(&kept[i], of))
			continue;
		taf_copy(text, kept[i].text, KEPT_TEXT);
		atomic_store(&kept[i].of, 0);
		return true;
	}
	return false;
}

/* Without a generation of its own a thread waits for what another one has begun. */
static bool is_for_another(const struct taf_mlx_job *j)
{
	const struct taf_work *w = j->is_seen ? j->call.work : NULL;

	return j->step.kind == TAF_STEP_WAIT && w && !w->submits;
}

bool taf_mlx_hand_on(struct taf_mlx_job *j)
{
	char text[KEPT_TEXT];

	if (taf_tls.inside || j->load || !take_kept(text, is_for_another(j)))
		return false;
	if (j->is_seen)
		taf_mlx_end(j, -1);
	taf_throw(text);
	return true;
}

void taf_mlx_hand_on_call(struct taf_call *c)
{
	char text[KEPT_TEXT];

	if (!c->is_counted || !take_kept(text, false))
		return;
	taf_after(c, -1);
	c->is_counted = false;
	taf_throw(text);
}
