/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include "../policy/policy.h"
#include "crumb.h"
#include "error.h"
#include "lockfile.h"
#include "known.h"
#include "memory.h"
#include "recycle.h"
#include "ring.h"
#include "share.h"
#include "state.h"

void taf_facts_cheap(struct taf_facts *f, const struct taf_work *w)
{
	struct taf_ring_head *head = taf_ring_head();

	*f = (struct taf_facts){ .now_ms = taf_sys_boot_ns() / 1000000,
				 .contexts_live = taf_work_contexts(),
				 .models_live = taf_work_models(),
				 .submits_since_sync = w ? w->since_sync : 0,
				 .submit_window = w ? w->window : 0,
				 .has_failed = taf_error_is_poisoned(),
				 .is_leaving = taf_state_now() == TAF_LEAVING };
	if (w && taf_sys_mono_ns() > w->drained_ns)
		f->undrained_ms = (taf_sys_mono_ns() - w->drained_ns) / 1000000;
	if (head) {
		uint64_t last = atomic_load_explicit(&head->last_activity_ns, memory_order_relaxed);

		f->idle_ms = last ? (taf_sys_mono_ns() - last) / 1000000 : 0;
		f->infers = atomic_load_explicit(&head->infers, memory_order_relaxed);
	}
}

static void ask_lock(struct taf_facts *f, const struct taf_event *ev, struct taf_text *holder)
{
	char buf[320];
	struct taf_text why;

	if (!taf_lock_concerns(&taf_rules, ev))
		return;
	taf_text_init(&why, buf, sizeof(buf));
	f->lock = taf_lock_try(&taf_rules, &why);
	if (why.used)
		taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .msg = buf, .rule = "lock.scope" });
	if (f->lock != TAF_LOCK_BUSY)
		return;
	taf_lock_holder(holder);
	f->lock_holder = holder->start;
}

void taf_facts_memory(struct taf_facts *f)
{
	f->fits_anyway = taf_env_is_on(taf_env_now, "TAFFRAIL_FIT_ANYWAY");
	taf_memory_now(&f->memory);
}

void taf_facts_world(struct taf_facts *f, const struct taf_event *ev, struct taf_text *holder)
{
	f->now = taf_moment_now();
	taf_facts_memory(f);
	taf_recycle_facts(f);
	ask_lock(f, ev, holder);
	taf_known_versions(f);
	if (ev->kind == TAF_LOAD)
		taf_known_model(ev->model, f);
}
