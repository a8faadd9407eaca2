/* SPDX-License-Identifier: MIT */
#include "closing.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../policy/text.h"
#include "granted.h"
#include "show.h"
#include "story.h"
#include "tallied.h"
#include "tell.h"

#define LINE_ROOM 900

/* What is worth the line, the worst so far. */
struct worst {
	int weight;
	unsigned others;
	char line[LINE_ROOM];
};

const char *taf_end_word(char *buf, size_t room, const struct taf_end *end)
{
	char name[32];

	if (end->signal)
		snprintf(buf, room, "was killed by %s%s",
			 taf_show_signal(name, sizeof(name), end->signal),
			 end->has_core ? " (core dumped)" : "");
	else
		snprintf(buf, room, "exited %d", end->status);
	return buf;
}

/* Whether some process of this boot that began after us left a session there. */
static bool has_newer(const struct taf_closing *c)
{
	char boot[TAF_BOOT_ID_LEN + 1] = "";
	uint64_t since = taf_sys_start_ticks(0);
	struct taf_trail id;
	bool is_there = false;
	struct dirent *d;
	uint32_t seg;
	DIR *dir = opendir(c->crumbs);

	taf_sys_boot_id(boot);
	memset(&id, 0, sizeof(id));
	while (dir && !is_there && (d = readdir(dir)))
		is_there = taf_segment_name(d->d_name, &id, &seg) && !strcmp(id.boot, boot) &&
			   id.start >= since;
	if (dir)
		closedir(dir);
	return is_there;
}

static bool is_guest(const struct taf_trail *t, const struct taf_closing *c)
{
	return t->is_readable && !strcmp(t->run, c->run) && taf_trail_is_guest(t) &&
	       t->start >= taf_sys_start_ticks(0);
}

struct taf_own taf_closing_own(const struct taf_closing *c)
{
	return (struct taf_own){ .crumbs = c->crumbs,
				 .run = c->run,
				 .role = "run",
				 .program = c->program,
				 .label = c->label,
				 .journal = c->journal,
				 .guest = c->guest };
}

void taf_closing_end(const struct taf_closing *c, const struct taf_end *end)
{
	struct taf_own own = taf_closing_own(c);
	struct taf_rec rec = { .kind = TAF_EXIT,
			       .call = "run",
			       .has = TAF_HAS_RC,
			       .rc = end->signal ? -end->signal : end->status };
	char extra[48], word[64];

	if (!taf_own_open(&own))
		return;
	snprintf(extra, sizeof(extra), ",\"pid_of_guest\":%d", (int)c->guest);
	rec.extra = extra;
	rec.msg = taf_end_word(word, sizeof(word), end);
	if (taf_starts(rec.msg, "was "))
		rec.msg += sizeof("was ") - 1;
	taf_crumb(&rec);
}

static void name_of(const struct taf_trail *t, char *name, size_t room)
{
	struct taf_crumb_line line;
	char exe[512] = "";

	if (t->n_past && taf_past_line(&t->past[0], &line))
		taf_crumb_text(&line, TAF_KEY_EXE, exe, sizeof(exe));
	taf_show_safe(name, room, exe[0] ? taf_base(exe) : "a process");
}

/* " during infer llama_decode on tiny": the generation that is open, else the newest open call. */
static void where_it_was(const struct taf_story *s, char *text, size_t room)
{
	const struct taf_open_begin *o = taf_story_open(s, TAF_INFER);
	const struct taf_open_begin *newest = s->n_open ? &s->open[s->n_open - 1] : NULL;
	char name[TAF_LABEL_ROOM], call[TAF_LABEL_ROOM], model[TAF_LABEL_ROOM];

	text[0] = '\0';
	if (!o)
		o = newest;
	if (!o)
		return;
	taf_show_call(name, sizeof(name), o->call[0] ? o->call : newest->call);
	taf_show_safe(call, sizeof(call), name);
	taf_show_safe(model, sizeof(model), o->model[0] ? o->model : s->last_model);
	snprintf(text, room, " during%s %s%s%s%s%s",
		 o->kind == TAF_INFER && taf_story_may_be_over(s) ? " or shortly after" : "",
		 o->kind >= 0 ? taf_show_kind(o->kind, o->engine) : "a call", call[0] ? " " : "",
		 call, model[0] ? " on " : "", model);
}

/* What the policy did in one session. */
struct acts {
	uint64_t holds, refusals, others;
	char rule[TAF_LABEL_ROOM],
		msg[TAF_LABEL_ROOM]; /* of the latest refusal, else of the latest */
};

static void add_grant(struct acts *a, const struct taf_granted *g)
{
	a->others++;
	if (a->refusals)
		return;
	taf_copy(a->rule, g->rule, sizeof(a->rule));
	taf_copy(a->msg, g->text, sizeof(a->msg));
}

static void add_act(struct acts *a, const struct taf_past *p)
{
	struct taf_crumb_line line;
	struct taf_granted granted;
	bool is_refusal = p->kind == TAF_REFUSE;
	char *left;

	if (taf_granted_read(p, &granted)) {
		if (!granted.is_would)
			add_grant(a, &granted);
		return;
	}
	if (p->phase == TAF_END || (p->kind != TAF_HOLD && !is_refusal && p->kind != TAF_RESTART) ||
	    !taf_past_line(p, &line) || !taf_crumb_has(&line, TAF_KEY_RULE))
		return;
	if (is_refusal || !a->refusals) {
		taf_crumb_text(&line, TAF_KEY_RULE, a->rule, sizeof(a->rule));
		if (!taf_crumb_text(&line, TAF_KEY_MSG, a->msg, sizeof(a->msg)))
			a->msg[0] = '\0';
		/* What a wait expected when it began is stale when it is over. */
		left = is_refusal ? NULL : strstr(a->msg, ", passes in ");
		if (left)
			*left = '\0';
	}
	a->holds += p->kind == TAF_HOLD;
	a->refusals += is_refusal;
	a->others += p->kind == TAF_RESTART;
}

static void put_count(struct taf_text *t, const char *what, uint64_t n)
{
	if (!n)
		return;
	taf_text_put(t, t->used > sizeof("was ") - 1 ? ", " : "");
	taf_text_put(t, what);
	taf_text_char(t, ' ');
	taf_text_u64(t, n);
	taf_text_put(t, n == 1 ? " time" : " times");
}

/* "was held 2 times, refused 1 time by the policy: cadence.same_model, 5.0s of 3m 00s,
 * tiny, passes in 2m 55s". False: nothing. */
static bool what_acted(const struct taf_trail *t, const struct taf_story *s, char *text,
		       size_t room)
{
	struct acts a = { 0 };
	char safe[TAF_LABEL_ROOM];
	struct taf_text out;

	for (size_t i = 0; i < t->n_past; i++)
		add_act(&a, &t->past[i]);
	a.refusals += taf_tallied_more(s, t, TAF_REFUSE, NULL);
	if (!a.holds && !a.refusals && !a.others)
		return false;
	taf_text_init(&out, text, room);
	taf_text_put(&out, "was ");
	put_count(&out, "held", a.holds);
	put_count(&out, "refused", a.refusals);
	put_count(&out, "limited", a.others);
	taf_text_put(&out, " by the policy: ");
	taf_text_put(&out, taf_show_safe(safe, sizeof(safe), a.rule));
	taf_text_put(&out, a.msg[0] ? ", " : "");
	taf_text_put(&out, taf_show_safe(safe, sizeof(safe), a.msg));
	return true;
}

static bool has_died(const struct taf_story *s)
{
	return s->verdict == TAF_ENDED_SIGNAL || s->verdict == TAF_ENDED_KILLED ||
	       s->verdict == TAF_ENDED_CRASH || s->verdict == TAF_ENDED_MACHINE_DOWN ||
	       (s->verdict == TAF_ENDED_UNKNOWN && s->n_open);
}

static void judge(struct worst *w, const struct taf_trail *t, const struct taf_story *s)
{
	char name[96], what[480], where[360] = "", sig[32];
	struct taf_text line;
	int weight = taf_ended_weight(s->verdict);
	bool is_dead = has_died(s);

	/* Ctrl-C at a prompt, with nothing under way, is no news. */
	if (is_dead && s->signal == SIGINT && !s->n_open)
		return;
	if (!is_dead && !what_acted(t, s, what, sizeof(what)))
		return;
	if (is_dead && s->signal)
		snprintf(what, sizeof(what), "was killed by %s",
			 taf_show_signal(sig, sizeof(sig), s->signal));
	else if (is_dead)
		snprintf(what, sizeof(what), "ended without a word");
	if (is_dead)
		where_it_was(s, where, sizeof(where));
	else
		weight = 0;
	if (w->line[0])
		w->others++;
	if (w->line[0] && weight <= w->weight)
		return;
	w->weight = weight;
	name_of(t, name, sizeof(name));
	taf_text_init(&line, w->line, sizeof(w->line));
	taf_text_put(&line, name);
	taf_text_put(&line, " (pid ");
	taf_text_i64(&line, t->pid);
	taf_text_put(&line, ") ");
	taf_text_put(&line, what);
	taf_text_put(&line, where);
}

static void say_worst(const struct taf_closing *c)
{
	struct worst worst = { 0 };
	struct taf_trails trails;
	struct taf_trail *runner;
	static struct taf_story story;
	struct taf_world world;
	char more[48] = "";

	taf_world_now(&world);
	if (taf_trails_scan(&trails, c->crumbs, &world))
		return;
	runner = taf_trails_runner(&trails, c->run);
	if (runner)
		taf_trail_load(runner, c->crumbs);
	for (size_t i = 0; i < trails.n; i++) {
		struct taf_trail *t = &trails.list[i];

		if (!is_guest(t, c) || taf_trail_load(t, c->crumbs))
			continue;
		taf_story_tell(&story, t, runner, &world);
		judge(&worst, t, &story);
		taf_trail_unload(t);
	}
	taf_trails_free(&trails);
	if (worst.others)
		snprintf(more, sizeof(more), ", and %u more", worst.others);
	if (worst.line[0])
		taf_tell("%s%s; see: taffrail report --last", worst.line, more);
}

bool taf_closing_was_active(const struct taf_closing *c)
{
	struct taf_trails trails;
	struct taf_world world;
	bool is_active = false;

	if (!c->crumbs[0] || !has_newer(c))
		return false;
	taf_world_now(&world);
	if (taf_trails_scan(&trails, c->crumbs, &world))
		return false;
	for (size_t i = 0; i < trails.n && !is_active; i++)
		is_active = is_guest(&trails.list[i], c);
	taf_trails_free(&trails);
	return is_active;
}

bool taf_close_run(const struct taf_closing *c, const struct taf_end *end)
{
	bool was_active = c->crumbs[0] && taf_closing_was_active(c);

	/* A wait before the start is in the log: so is how that ended. */
	if (!was_active && !taf_crumb_is_open())
		return false;
	taf_closing_end(c, end);
	taf_crumb_close();
	if (was_active)
		say_worst(c);
	return was_active;
}
