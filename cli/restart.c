/* SPDX-License-Identifier: MIT */
#include "restart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../policy/classify.h"
#include "../policy/value.h"
#include "clock.h"
#include "own.h"
#include "show.h"
#include "story.h"
#include "tell.h"

#define MAX 5u
#define WINDOW_MS 600000u
#define DELAY_MS 1000u
#define DELAY_MAX_MS 60000u
#define STABLE_MS 300000u
#define STARTUP_MS 10000u

void taf_restart_defaults(struct taf_restart_rules *r)
{
	*r = (struct taf_restart_rules){ .max = MAX,
					 .window_ms = WINDOW_MS,
					 .delay_ms = DELAY_MS,
					 .delay_max_ms = DELAY_MAX_MS,
					 .stable_ms = STABLE_MS,
					 .startup_ms = STARTUP_MS };
}

int taf_restart_budget(const char *s, struct taf_restart_rules *r)
{
	const char *rest = s;
	uint64_t max, window;

	if (!taf_read_u64(s, &rest, &max) || max > TAF_RESTARTS_MAX || *rest != '/' ||
	    taf_value_ms(rest + 1, &window, NULL) || !window || window > 30ull * 86400000)
		return -EINVAL;
	r->max = (uint32_t)max;
	r->window_ms = window;
	return 0;
}

/* ---- What is known about an end ---- */

/* How often the kernel has ended a process for want of memory. */
static uint64_t oom_kills(void)
{
	unsigned long long n = 0;
	char line[128];
	FILE *f = fopen("/proc/vmstat", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "oom_kill %llu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* The last error of the guests that this life had. */
struct last_error {
	bool was_active;
	char class[64];
	char msg[512];
};

static void take_error(const struct taf_trail *t, struct last_error *e)
{
	struct taf_crumb_line line;
	char class[sizeof(e->class)];

	for (size_t i = 0; i < t->n_past; i++) {
		if (t->past[i].kind != TAF_ERROR || !taf_past_line(&t->past[i], &line) ||
		    !taf_crumb_text(&line, TAF_KEY_CLASS, class, sizeof(class)))
			continue;
		/* abort() follows what failed; a remark is nothing that it died of. */
		if ((!strcmp(class, "abort") && e->class[0]) || taf_class_is_remark(class))
			continue;
		taf_copy(e->class, class, sizeof(e->class));
		taf_crumb_text(&line, TAF_KEY_MSG, e->msg, sizeof(e->msg));
	}
}

static void find_error(const struct taf_restarter *r, struct last_error *e)
{
	struct taf_trails trails;
	struct taf_world world;

	memset(e, 0, sizeof(*e));
	if (!taf_closing_was_active(r->closing))
		return;
	taf_world_now(&world);
	if (taf_trails_scan(&trails, r->closing->crumbs, &world))
		return;
	for (size_t i = 0; i < trails.n; i++) {
		struct taf_trail *t = &trails.list[i];

		if (!taf_trail_is_guest(t) || strcmp(t->run, r->closing->run) != 0 ||
		    strcmp(t->boot, world.boot) != 0 || t->first_ns / 1000000 < r->began_ms ||
		    taf_trail_load(t, trails.dir))
			continue;
		e->was_active = true;
		take_error(t, e);
		taf_trail_unload(t);
	}
	taf_trails_free(&trails);
}

/* By its message if the table knows that, else by its own name. */
static bool classify(const struct last_error *e, struct taf_error_class *found)
{
	return taf_classify(e->msg, strlen(e->msg), found) || taf_class_named(e->class, found);
}

static void judge_error(const struct last_error *e, struct taf_restart_end *end)
{
	struct taf_error_class found;

	end->was_active = e->was_active;
	if (!strcmp(e->class, "out_of_memory"))
		end->is_out_of_memory = true;
	if (!e->class[0] || !classify(e, &found))
		return;
	end->is_out_of_memory = end->is_out_of_memory || taf_ends(found.name, "_oom") ||
				!strcmp(found.name, "metal_alloc_failed");
	end->is_respawn = !strcmp(found.hint, "respawn_now");
	end->is_lockout = !strcmp(found.hint, "wait_lockout");
}

/* ---- Telling ---- */

static void crumb(const struct taf_restarter *r, const char *text)
{
	struct taf_own own = taf_closing_own(r->closing);
	char extra[48];
	struct taf_rec rec = { .kind = TAF_RESTART,
			       .phase = TAF_MARK,
			       .call = "run",
			       .rule = r->asked_rule,
			       .msg = text,
			       .extra = extra,
			       .keep = TAF_KEEP_SYNC };

	if (!taf_closing_was_active(r->closing) || !taf_own_open(&own))
		return;
	snprintf(extra, sizeof(extra), ",\"pid_of_guest\":%d", (int)r->guest->pid);
	taf_crumb(&rec);
}

static void tell(const struct taf_restarter *r, const struct taf_end *end,
		 const struct taf_restart_answer *a)
{
	char text[640], word[64], delay[32], window[32];

	taf_end_word(word, sizeof(word), end);
	if (a->again)
		snprintf(text, sizeof(text), "%s (pid %d) %s%s%s; restart %u of %u in %s, after %s",
			 r->name, (int)r->guest->pid, word, r->asked[0] ? ": " : "", r->asked,
			 a->count, r->rules->max,
			 taf_show_span(window, sizeof(window), r->rules->window_ms),
			 taf_show_span(delay, sizeof(delay), a->delay_ms));
	else
		snprintf(text, sizeof(text), "%s (pid %d) %s and is not restarted: %s", r->name,
			 (int)r->guest->pid, word, a->why);
	if (a->again || a->why[0]) {
		crumb(r, text);
		taf_tell("%s", text);
	}
}

/* ---- The guest that shall end ---- */

void taf_restart_ask(struct taf_restarter *r, const char *why, const char *rule)
{
	if (r->asked[0])
		return;
	if (!taf_restart_has_room(r->rules, &r->past, taf_clock_ms())) {
		if (!r->is_told_spent)
			taf_tell("%s (pid %d) is not restarted, although %s: it has been as often "
				 "as it may be",
				 r->name, (int)r->guest->pid, why);
		r->is_told_spent = true;
		return;
	}
	taf_copy(r->asked, why, sizeof(r->asked));
	r->asked_rule = rule;
	r->asked_ms = taf_clock_ms();
	/* It is our child, and nobody but us waits for it: the pid is its own. */
	kill(r->guest->pid, SIGTERM);
}

bool taf_restart_press(struct taf_restarter *r)
{
	char after[32];

	if (!r->asked_ms || r->is_kill_sent || r->is_told_lives)
		return false;
	if (taf_clock_ms() - r->asked_ms <
	    (uint64_t)r->policy->watch_deadline_ms + r->policy->exit_deadline_ms)
		return true;
	taf_show_span(after, sizeof(after), taf_clock_ms() - r->asked_ms);
	if (r->policy->watch_action == TAF_WATCH_KILL) {
		r->is_kill_sent = true;
		taf_tell("%s (pid %d) lives on %s after SIGTERM and is killed", r->name,
			 (int)r->guest->pid, after);
		kill(r->guest->pid, SIGKILL);
	} else {
		r->is_told_lives = true;
		taf_tell("%s (pid %d) lives on %s after SIGTERM; watch.action=kill would end it",
			 r->name, (int)r->guest->pid, after);
	}
	return false;
}

/* ---- One after the other ---- */

static void decide(struct taf_restarter *r, const struct taf_end *end, uint64_t oom_before,
		   struct taf_restart_answer *a)
{
	struct taf_restart_end e = { .now_ms = taf_clock_ms(),
				     .signal = end->signal,
				     .status = end->status,
				     .was_asked = r->asked[0] != '\0',
				     .was_told = r->guest->was_told };
	struct last_error error;

	e.ran_ms = e.now_ms - r->began_ms;
	find_error(r, &error);
	judge_error(&error, &e);
	if (end->signal == SIGKILL && oom_kills() != oom_before)
		e.is_out_of_memory = true;
	taf_restart_decide(r->rules, &r->past, &e, a);
}

int taf_restart_supervise(struct taf_restarter *r, struct taf_end *end)
{
	struct taf_restart_answer a;
	uint64_t oom_before;
	bool is_first = true;
	int err;

	for (;;) {
		oom_before = oom_kills();
		r->began_ms = taf_clock_ms();
		r->asked[0] = '\0';
		r->asked_rule = NULL;
		r->asked_ms = 0;
		r->is_kill_sent = r->is_told_lives = r->is_told_spent = false;
		err = taf_supervise(r->guest, end);
		if (err && is_first)
			return err;
		if (err) {
			taf_tell("%s is not restarted, because there can be no process: %s",
				 r->name, strerror(-err));
			return 0;
		}
		is_first = false;
		r->closing->guest = r->guest->pid;
		if (r->rules->mode == TAF_RESTART_NEVER)
			return 0;
		decide(r, end, oom_before, &a);
		tell(r, end, &a);
		if (!a.again)
			return 0;
		if (taf_closing_was_active(r->closing))
			taf_closing_end(r->closing, end);
		if (!taf_supervise_pause((int64_t)a.delay_ms) ||
		    r->may_start(r->arg, a.waits_for_gate))
			return 0;
	}
}
