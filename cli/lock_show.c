/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "../shim/lock_also.h"
#include "../shim/state.h"
#include "jsonout.h"
#include "lock_cli.h"
#include "lock_past.h"
#include "show.h"

#define WORDS 240

static const char *const state_names[] = { "free", "held", "spoken_for", "unknown" };

const char *taf_lock_place_words(const struct taf_lock_place *place, char *buf, size_t room)
{
	char path[TAF_PATH_MAX * 2];
	const char *base = taf_base(place->stem);

	if (place->is_path)
		snprintf(buf, room, "%s", taf_show_safe(path, sizeof(path), place->stem));
	else if (place->is_device)
		snprintf(buf, room, "of %.*s, in %s", (int)strcspn(base, "."), base,
			 taf_show_safe(path, sizeof(path), place->dir));
	else
		snprintf(buf, room, "of this host, in %s",
			 taf_show_safe(path, sizeof(path), place->dir));
	return buf;
}

static void print_holders(const struct taf_slot_view *s)
{
	char name[WORDS];

	for (uint32_t i = 0; i < s->n; i++)
		printf("%s%s (pid %d)", i ? ", " : "        ",
		       taf_show_safe(name, sizeof(name), s->holder[i].name), (int)s->holder[i].pid);
	if (s->n)
		putchar('\n');
	else
		puts("        by processes that cannot be seen from here: another user's, or in "
		     "another container");
}

static void print_text(const struct taf_lock_text *t)
{
	char when[TAF_TIME_ROOM], label[WORDS];

	printf("        run %s", t->run);
	if (t->label[0])
		printf(", label %s", taf_show_safe(label, sizeof(label), t->label));
	printf(", since %s", taf_show_time(when, t->since_utc_ms * 1000));
	puts(t->hold == TAF_HOLD_INFERENCE ? ", for a turn" : "");
}

static void print_slot(const struct taf_slot_view *s)
{
	char raw[WORDS], words[WORDS * 2];
	struct taf_text t;

	printf("slot %u  ", s->slot);
	if (s->state == TAF_SLOT_FREE) {
		puts("free");
		return;
	}
	if (s->state == TAF_SLOT_UNKNOWN) {
		printf("cannot be asked: %s\n", strerror(-s->err));
		return;
	}
	taf_text_init(&t, raw, sizeof(raw));
	if (s->has_text)
		taf_lock_text_show(&s->text, &t);
	else
		taf_text_put(&t, "a program that says nothing of itself");
	taf_show_safe(words, sizeof(words), raw);
	if (s->state == TAF_SLOT_SPOKEN_FOR) {
		printf("between two computations of %s\n", words);
	} else if (s->text.hold == TAF_HOLD_TAKE && s->has_text) {
		printf("being taken over by %s\n", words);
	} else {
		printf("held by %s\n", words);
	}
	if (s->has_text)
		print_text(&s->text);
	if (s->state == TAF_SLOT_HELD)
		print_holders(s);
}

/* The i-th of those who wait, by their tickets; NULL behind the last. */
static const struct taf_lock_waiter *waiter(const struct taf_lock_queue *q, int i)
{
	for (int k = 0; k < TAF_LOCK_WAITERS; k++) {
		int before = 0;

		if (!q->at[k].run[0])
			continue;
		for (int m = 0; m < TAF_LOCK_WAITERS; m++)
			before += q->at[m].run[0] && q->at[m].ticket < q->at[k].ticket;
		if (before == i)
			return &q->at[k];
	}
	return NULL;
}

static void find_past(struct taf_lock_past *past)
{
	char crumbs[TAF_PATH_MAX];

	past->n = 0;
	if (!taf_crumbs_dir(crumbs, NULL))
		taf_lock_past_find(past, crumbs, false);
}

static void print_waiter(const struct taf_lock_past *past, const struct taf_lock_waiter *w, int i)
{
	const struct taf_lock_wait *known = taf_lock_past_of(past, w->pid, w->run);
	char name[WORDS], span[32];

	printf("%d. waiting  ", i);
	if (known && known->program[0])
		printf("%s, ", taf_show_safe(name, sizeof(name), taf_base(known->program)));
	printf("run %s (pid %d), for %s\n", w->run, (int)w->pid,
	       taf_show_ms(span, sizeof(span), (taf_lock_now_ms() - w->since_ms) * 1000));
}

/* What is over. */
static void print_past(const struct taf_lock_past *past)
{
	char when[TAF_TIME_ROOM], name[WORDS], text[900];

	for (size_t i = 0; i < past->n; i++) {
		const struct taf_lock_wait *l = &past->of[i];

		if (l->fate == TAF_LOCK_WAITS)
			continue;
		taf_lock_wait_text(l, text, sizeof(text));
		printf("%s  %s (pid %d) %s\n", taf_show_time(when, l->utc_us),
		       taf_show_safe(name, sizeof(name),
				     l->program[0] ? taf_base(l->program) : "a program"),
		       (int)l->pid, text);
	}
}

void taf_lock_print(const struct taf_lock_ask *ask, const struct taf_lock_view *v)
{
	char buf[TAF_PATH_MAX * 2 + 80];
	struct taf_lock_also who = { "", ask->env };
	const struct taf_lock_waiter *w;
	struct taf_lock_foreign f;
	static struct taf_lock_past past;

	find_past(&past);
	printf("GPU lock %s", taf_lock_place_words(&v->place, buf, sizeof(buf)));
	puts(v->place.is_per_user ? " (this user's only)" : "");
	for (uint32_t i = 0; i < v->n; i++)
		print_slot(&v->slot[i]);
	for (int i = 0; (w = waiter(&v->queue, i)); i++)
		print_waiter(&past, w, i + 1);
	for (uint32_t i = 0; i < ask->rules->lock_also.n; i++) {
		const char *name = ask->rules->lock_also.at[i].name;

		taf_lock_also_look(&who, name, &f);
		printf("%s  ", taf_show_safe(buf, sizeof(buf), name));
		printf("%s%s\n",
		       f.is_held   ? "held by "
		       : f.note[0] ? ""
				   : "free",
		       taf_show_safe(buf, sizeof(buf), f.is_held ? f.holder : f.note));
	}
	print_past(&past);
}

static void json_slot(struct taf_json *j, const struct taf_slot_view *s)
{
	taf_json_open(j, NULL, '{');
	taf_json_u64(j, "slot", s->slot);
	taf_json_text(j, "state", state_names[s->state]);
	if (s->state != TAF_SLOT_FREE && s->has_text) {
		taf_json_text(j, "run", s->text.run);
		taf_json_text(j, "label", s->text.label[0] ? s->text.label : NULL);
		taf_json_text(j, "command", s->text.command);
		taf_json_i64(j, "pid", s->text.pid);
		taf_json_bool(j, "pid_is_alive", taf_lock_text_is_alive(&s->text));
		taf_json_time(j, "since", s->text.since_utc_ms * 1000);
		taf_json_text(j, "hold", taf_lock_hold_name(s->text.hold));
	}
	taf_json_open(j, "holders", '[');
	for (uint32_t i = 0; i < s->n; i++) {
		taf_json_open(j, NULL, '{');
		taf_json_i64(j, "pid", s->holder[i].pid);
		taf_json_u64(j, "start", s->holder[i].start);
		taf_json_u64(j, "uid", s->holder[i].uid);
		taf_json_text(j, "name", s->holder[i].name);
		taf_json_close(j);
	}
	taf_json_close(j);
	taf_json_close(j);
}

static void json_waiting(struct taf_json *j, const struct taf_lock_queue *q,
			 const struct taf_lock_past *past)
{
	const struct taf_lock_wait *known;
	const struct taf_lock_waiter *w;
	uint64_t now = taf_lock_now_ms();

	taf_json_open(j, "waiting", '[');
	for (int i = 0; (w = waiter(q, i)); i++) {
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "run", w->run);
		taf_json_i64(j, "pid", w->pid);
		taf_json_ms(j, "for_ms", (now - w->since_ms) * 1000);
		known = taf_lock_past_of(past, w->pid, w->run);
		taf_json_text(j, "exe", known && known->program[0] ? known->program : NULL);
		taf_json_close(j);
	}
	taf_json_close(j);
}

static void json_also(struct taf_json *j, const struct taf_lock_ask *ask)
{
	struct taf_lock_also who = { "", ask->env };
	struct taf_lock_foreign f;

	taf_json_open(j, "also", '[');
	for (uint32_t i = 0; i < ask->rules->lock_also.n; i++) {
		taf_lock_also_look(&who, ask->rules->lock_also.at[i].name, &f);
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "name", ask->rules->lock_also.at[i].name);
		taf_json_bool(j, "is_held", f.is_held);
		taf_json_text(j, "holder", f.is_held ? f.holder : NULL);
		taf_json_text(j, "note", f.note[0] ? f.note : NULL);
		taf_json_close(j);
	}
	taf_json_close(j);
}

static void json_past(struct taf_json *j, const struct taf_lock_past *past)
{
	taf_json_open(j, "recent", '[');
	for (size_t i = 0; i < past->n; i++)
		if (past->of[i].fate != TAF_LOCK_WAITS)
			taf_lock_wait_json(j, NULL, &past->of[i]);
	taf_json_close(j);
}

void taf_lock_print_json(const struct taf_lock_ask *ask, const struct taf_lock_view *v)
{
	static struct taf_lock_past past;
	struct taf_json j;

	find_past(&past);
	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_text(&j, "scope",
		      v->place.is_path	   ? "path"
		      : v->place.is_device ? "device"
					   : "host");
	taf_json_text(&j, "dir", v->place.dir);
	taf_json_bool(&j, "is_per_user", v->place.is_per_user);
	taf_json_open(&j, "slots", '[');
	for (uint32_t i = 0; i < v->n; i++)
		json_slot(&j, &v->slot[i]);
	taf_json_close(&j);
	json_waiting(&j, &v->queue, &past);
	json_also(&j, ask);
	json_past(&j, &past);
	taf_json_close(&j);
	taf_json_end(&j);
}
