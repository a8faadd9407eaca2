/* SPDX-License-Identifier: MIT */
/* explain_lock.c -- whether a new run would get the GPU lock now, and who has it. */
#include "explain.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lock_view.h"

/* "llama-server (pid 12, web)" */
static void name_holder(const struct taf_slot_view *s, char *out, size_t room)
{
	struct taf_text t;

	taf_text_init(&t, out, room);
	if (s->has_text && s->text.command[0]) {
		taf_lock_text_show(&s->text, &t);
		return;
	}
	taf_text_put(&t, s->n ? s->holder[0].name : "another run");
	if (!s->n)
		return;
	taf_text_put(&t, " (pid ");
	taf_text_i64(&t, s->holder[0].pid);
	taf_text_char(&t, ')');
}

void taf_explain_lock(struct taf_explain *x)
{
	static struct taf_lock_view view;
	char device[TAF_LOCK_DEVICE], why[256];
	const struct taf_slot_view *busy = NULL;
	uint32_t slots = x->found.rules.lock_slots;
	struct taf_text t;

	taf_lock_device(environ, device);
	taf_text_init(&t, why, sizeof(why));
	if (taf_lock_place_look(&x->found.rules, environ, device, &view.place, &t) ||
	    taf_lock_view(&view, slots))
		return;
	for (uint32_t i = 0; i < view.n && i < slots; i++) {
		if (view.slot[i].state == TAF_SLOT_FREE || view.slot[i].state == TAF_SLOT_UNKNOWN)
			return;
		if (!busy)
			busy = &view.slot[i];
	}
	if (!busy)
		return;
	name_holder(busy, x->holder, sizeof(x->holder));
	x->facts.lock = TAF_LOCK_BUSY;
	x->facts.lock_holder = x->holder;
}
