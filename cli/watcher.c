/* SPDX-License-Identifier: MIT */
#include "watcher.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/text.h"
#include "../shim/stacks.h"
#include "clock.h"
#include "ring_file.h"
#include "show.h"
#include "story.h"

#define STALLS_MAX 16
#define FILES_MAX 4 /* of a session, up to which its log is read for the name of a model */
#define QUIET_MS 1000u /* at least so long without a submit, before a guest is called idle */
#define STALL_PCT 10u /* of the time that processes wait for memory: really short of it */
#define SECOND_TERM_MS 60000u /* pressure: until another guest may be told to end */

/* One guest at one look. */
struct guest {
	const struct taf_trail *trail;
	struct taf_ring_copy ring;
	bool is_idle;
};

const char *taf_seen_name(enum taf_seen what)
{
	static const char *const names[] = { "stalled",	 "moved", "terminated", "killed",
					     "lives",	 "ended", "restart",	"pressure",
					     "evidence", "waits", "waited" };

	return (unsigned)what < sizeof(names) / sizeof(*names) ? names[what] : "";
}

/* ---- Telling ---- */

static void crumb(struct taf_watcher *w, const struct taf_watch_event *e)
{
	char extra[64];
	bool is_observing = w->rules->mode == TAF_MODE_OBSERVE;
	struct taf_rec r = { .kind = TAF_NOTE,
			     .phase = TAF_MARK,
			     .class = taf_seen_name(e->what),
			     .call = e->call[0] ? e->call : NULL,
			     .model = e->model[0] ? e->model : NULL,
			     .rule = e->rule,
			     .msg = e->text,
			     .extra = extra,
			     .keep = TAF_KEEP_SYNC };

	if (!taf_own_open(&w->own))
		return;
	snprintf(extra, sizeof(extra), e->pid ? ",\"pid_of_guest\":%d" : "%.0d", (int)e->pid);
	if (is_observing && e->what == TAF_SEEN_STALLED && w->rules->watch_action != TAF_WATCH_LOG)
		r.kind = TAF_WOULD;
	taf_crumb(&r);
}

static void tell(struct taf_watcher *w, const struct taf_watch_event *e)
{
	crumb(w, e);
	w->tell(w->ctx, e);
}

/* "node (pid 12)" */
static const char *who(char *buf, size_t room, const struct taf_watch_event *e)
{
	char safe[64];

	snprintf(buf, room, "%s (pid %d)",
		 e->exe[0] ? taf_show_safe(safe, sizeof(safe), e->exe) : "a process", (int)e->pid);
	return buf;
}

static void tell_about(struct taf_watcher *w, struct taf_watched *one, enum taf_seen what,
		       const char *words)
{
	char name[96];

	one->event.what = what;
	snprintf(one->event.text, sizeof(one->event.text), "%s %s",
		 who(name, sizeof(name), &one->event), words);
	tell(w, &one->event);
}

/* ---- What was told of ---- */

static struct taf_watched *find(struct taf_watcher *w, int32_t pid, uint64_t start, int32_t tid)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].proc.pid == pid && w->list[i].proc.start == start &&
		    w->list[i].tid == tid)
			return &w->list[i];
	return NULL;
}

/* NULL: the table is full, or the process has just gone. */
static struct taf_watched *add(struct taf_watcher *w, const struct guest *g, int32_t tid)
{
	struct taf_watched *one = &w->list[w->n];
	int err;

	if (w->n == TAF_WATCHED_MAX)
		return NULL;
	memset(one, 0, sizeof(*one));
	err = taf_proc_open(&one->proc, g->trail->pid, g->trail->start);
	if (err == -ESRCH)
		return NULL;
	one->tid = tid;
	one->event.pid = g->trail->pid;
	one->event.start = g->trail->start;
	one->event.tid = tid;
	taf_copy(one->event.session, g->trail->id, sizeof(one->event.session));
	taf_copy(one->event.exe, taf_base(g->ring.facts.exe), sizeof(one->event.exe));
	taf_copy(one->event.model, g->ring.facts.model, sizeof(one->event.model));
	w->n++;
	return one;
}

static void drop(struct taf_watcher *w, size_t i)
{
	taf_proc_close(&w->list[i].proc);
	memmove(&w->list[i], &w->list[i + 1], (w->n - i - 1) * sizeof(w->list[0]));
	w->n--;
}

/* ---- Acting ---- */

static bool may_act(const struct taf_watcher *w)
{
	return w->rules->mode == TAF_MODE_ENFORCE;
}

static void send(struct taf_watcher *w, struct taf_watched *one, int signo)
{
	int err = taf_proc_signal(&one->proc, signo);
	char words[160], name[32];

	*(signo == SIGKILL ? &one->kill_ms : &one->term_ms) = taf_clock_ms();
	taf_show_signal(name, sizeof(name), signo);
	if (err)
		snprintf(words, sizeof(words), "cannot be sent %s: %s", name, strerror(-err));
	else
		snprintf(words, sizeof(words), "was sent %s", name);
	tell_about(w, one, signo == SIGKILL ? TAF_SEEN_KILLED : TAF_SEEN_TERMINATED, words);
}

static bool was_told_to_end(const struct taf_watcher *w, const struct taf_proc *proc)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].proc.pid == proc->pid && w->list[i].proc.start == proc->start &&
		    w->list[i].term_ms)
			return true;
	return false;
}

static void capture(struct taf_watcher *w, struct taf_watched *one)
{
	char path[TAF_PATH_MAX];

	if (!w->stacks[0] || taf_stacks_write(w->stacks, one->event.session, one->proc.pid, path))
		return;
	taf_copy(one->event.stack, path, sizeof(one->event.stack));
}

/* The log knows which model a load is of; a long one is not read for that. */
static void name_model(struct taf_watcher *w, const struct guest *g, struct taf_watched *one)
{
	static struct taf_story story;
	struct taf_trail copy = *g->trail;
	struct taf_world world;

	if (copy.n_files > FILES_MAX || taf_trail_load(&copy, w->crumbs))
		return;
	taf_world_now(&world);
	taf_story_tell(&story, &copy, NULL, &world);
	for (size_t i = 0; i < story.n_open; i++)
		if (story.open[i].tid == one->tid && story.open[i].model[0])
			taf_copy(one->event.model, story.open[i].model, sizeof(one->event.model));
	taf_trail_unload(&copy);
}

static void tell_stalled(struct taf_watcher *w, const struct guest *g, struct taf_watched *one)
{
	struct taf_watch_event *e = &one->event;
	char words[640], still[32], limit[32], model[160] = "", safe[128], stack[512], name[128];

	name_model(w, g, one);
	if (may_act(w) && w->rules->watch_action >= TAF_WATCH_STACK)
		capture(w, one);
	if (e->model[0])
		snprintf(model, sizeof(model), " on %s",
			 taf_show_safe(safe, sizeof(safe), e->model));
	snprintf(words, sizeof(words), "has been in %s%s for %s without progress (%s %s)%s%s",
		 taf_show_call(name, sizeof(name), e->call), model,
		 taf_show_span(still, sizeof(still), e->still_ms), e->rule,
		 taf_show_span(limit, sizeof(limit), e->limit_ms),
		 e->stack[0] ? "; stacks in " : "",
		 e->stack[0] ? taf_show_safe(stack, sizeof(stack), e->stack) : "");
	tell_about(w, one, TAF_SEEN_STALLED, words);
	if (may_act(w) && w->rules->watch_action >= TAF_WATCH_TERMINATE &&
	    !was_told_to_end(w, &one->proc))
		send(w, one, SIGTERM);
}

static void see_stall(struct taf_watcher *w, const struct guest *g, const struct taf_stall *s)
{
	struct taf_watched *one = find(w, g->trail->pid, g->trail->start, s->tid);
	bool is_new = !one || one->since != s->call.stamp;

	if (!one)
		one = add(w, g, s->tid);
	if (!one)
		return;
	one->is_there = true;
	one->event.still_ms = s->still_ms;
	if (!is_new)
		return;
	one->since = s->call.stamp;
	one->event.limit_ms = s->limit_ms;
	one->event.rule = taf_rule_info(s->rule)->path;
	taf_ring_file_name(one->event.call, sizeof(one->event.call), &s->call);
	if (!one->event.call[0] && s->call.kind < TAF_KIND_COUNT)
		taf_copy(one->event.call, taf_kind_name((enum taf_kind)s->call.kind),
			 sizeof(one->event.call));
	tell_stalled(w, g, one);
}

static void tell_restart(struct taf_watcher *w, const struct guest *g, struct taf_watched *one)
{
	const struct taf_ring_facts *f = &g->ring.facts;
	int row = taf_rule_of(f->restart_rule);
	char words[256], why[128], rule[32];

	one->event.rule = row >= 0 ? taf_rule_info(row)->path : NULL;
	taf_show_safe(one->event.reason, sizeof(one->event.reason), f->restart_why);
	snprintf(words, sizeof(words), "asks to be restarted: %s (%s)",
		 taf_show_safe(why, sizeof(why), f->restart_why),
		 taf_show_safe(rule, sizeof(rule), f->restart_rule));
	tell_about(w, one, TAF_SEEN_RESTART, words);
}

static void see_restart(struct taf_watcher *w, const struct guest *g)
{
	struct taf_watched *one = find(w, g->trail->pid, g->trail->start, 0);

	if (!one)
		one = add(w, g, 0);
	if (!one)
		return;
	one->is_there = true;
	if (!one->since)
		tell_restart(w, g, one);
	one->since = 1;
	if (g->is_idle && !w->is_restart_due)
		w->restart = one->event;
	w->is_restart_due = w->is_restart_due || g->is_idle;
}

static void see_hold(struct taf_watcher *w, const struct taf_ring_facts *f)
{
	struct taf_watch_hold *hold = &w->holds[w->n_holds];

	if (w->n_holds == TAF_HOLDS_MAX)
		return;
	w->n_holds++;
	hold->pid = f->pid;
	hold->start = f->start;
	hold->since_ns = f->held_since_ns;
	hold->pass_ns = f->held_pass_ns;
	hold->from_ns = f->held_from_ns;
	hold->need_ms = f->held_need_ms;
	taf_copy(hold->exe, taf_base(f->exe), sizeof(hold->exe));
	taf_copy(hold->rule, f->held_rule, sizeof(hold->rule));
	taf_copy(hold->why, f->held_why, sizeof(hold->why));
}

static void see_guest(struct taf_watcher *w, struct guest *g, const struct taf_world *world)
{
	struct taf_stall stalls[STALLS_MAX];
	uint32_t quiet = w->rules->drain_idle_ms > QUIET_MS ? w->rules->drain_idle_ms : QUIET_MS;
	size_t n;

	taf_ring_calibrate(&g->ring, world->tsc, world->mono_ns);
	g->is_idle = taf_stall_is_idle(&g->ring, world->mono_ns, quiet);
	n = taf_stall_find(&g->ring, w->rules, world->mono_ns, stalls, STALLS_MAX);
	for (size_t i = 0; i < n; i++)
		see_stall(w, g, &stalls[i]);
	w->n_live++;
	w->n_stalled += n;
	if (g->ring.facts.held_since_ns)
		see_hold(w, &g->ring.facts);
	if (g->ring.facts.wants_restart)
		see_restart(w, g);
}

/* ---- Afterwards ---- */

static void after_term(struct taf_watcher *w, struct taf_watched *one)
{
	char words[128], after[32];

	if (one->kill_ms || one->is_told_lives ||
	    taf_clock_ms() - one->term_ms < w->rules->watch_deadline_ms)
		return;
	if (w->rules->watch_action == TAF_WATCH_KILL) {
		send(w, one, SIGKILL);
		return;
	}
	one->is_told_lives = true;
	snprintf(words, sizeof(words), "lives on %s after SIGTERM; watch.action=kill would end it",
		 taf_show_span(after, sizeof(after), taf_clock_ms() - one->term_ms));
	tell_about(w, one, TAF_SEEN_LIVES, words);
}

static void settle(struct taf_watcher *w)
{
	for (size_t i = 0; i < w->n;) {
		struct taf_watched *one = &w->list[i];
		bool is_alive = taf_proc_is_alive(&one->proc);

		if (is_alive && one->term_ms)
			after_term(w, one);
		if (!is_alive && one->term_ms)
			tell_about(w, one, TAF_SEEN_ENDED, "has ended");
		else if (is_alive && !one->is_there && one->tid && !one->term_ms)
			tell_about(w, one, TAF_SEEN_MOVED, "goes on");
		if (!is_alive || (!one->is_there && !one->term_ms))
			drop(w, i);
		else
			i++;
	}
}

/* ---- Memory ---- */

/* Nothing in flight, and the most memory of its own. */
static void relieve(struct taf_watcher *w, const struct guest *guests, size_t n)
{
	const struct guest *biggest = NULL;
	uint64_t most = 0, bytes;
	struct taf_watched *one;

	if (w->pressure_term_ms && taf_clock_ms() - w->pressure_term_ms < SECOND_TERM_MS)
		return;
	for (size_t i = 0; i < n; i++) {
		bytes = guests[i].is_idle ? taf_proc_own_bytes(guests[i].trail->pid) : 0;
		if (bytes > most) {
			most = bytes;
			biggest = &guests[i];
		}
	}
	one = biggest ? find(w, biggest->trail->pid, biggest->trail->start, 0) : NULL;
	if (biggest && !one)
		one = add(w, biggest, 0);
	if (!one || one->term_ms)
		return;
	one->event.rule = taf_rule_info(TAF_RULE_memory_critical_pct)->path;
	w->pressure_term_ms = taf_clock_ms();
	send(w, one, SIGTERM);
}

static void see_pressure(struct taf_watcher *w, const struct guest *guests, size_t n)
{
	struct taf_watch_event e = { .what = TAF_SEEN_PRESSURE };
	struct taf_pressure p;
	enum taf_pressure_is level;
	int rule;

	taf_pressure_now(&p);
	level = taf_pressure_level(&p, w->rules->memory_warn_pct, w->rules->memory_critical_pct);
	rule = level == TAF_PRESSURE_CRITICAL ? TAF_RULE_memory_critical_pct
					      : TAF_RULE_memory_warn_pct;
	if (level > w->pressure && n) {
		e.rule = taf_rule_info(rule)->path;
		snprintf(e.text, sizeof(e.text), "memory: %u%% of the machine's is in use (%s)%s",
			 p.used_pct, e.rule,
			 p.has_stall && p.stall_pct ? ", and processes wait for it" : "");
		tell(w, &e);
	}
	w->pressure = level;
	if (level == TAF_PRESSURE_CRITICAL && p.has_stall && p.stall_pct >= STALL_PCT &&
	    may_act(w) && w->rules->watch_action >= TAF_WATCH_TERMINATE)
		relieve(w, guests, n);
}

/* ---- One look ---- */

static bool is_meant(const struct taf_watcher *w, const struct taf_trail *t)
{
	return taf_trail_is_guest(t) && (!w->run || !strcmp(w->run, t->run));
}

int taf_watcher_look(struct taf_watcher *w)
{
	struct taf_trails trails;
	struct taf_world world;
	struct guest *guests;
	void **bytes;
	size_t n = 0;
	int err;

	taf_world_now(&world);
	err = taf_trails_scan_live(&trails, w->crumbs, &world);
	guests = calloc(trails.n + 1, sizeof(*guests));
	bytes = calloc(trails.n + 1, sizeof(*bytes));
	w->n_live = w->n_stalled = w->n_holds = 0;
	w->is_restart_due = false;
	for (size_t i = 0; i < w->n; i++)
		w->list[i].is_there = false;
	for (size_t i = 0; guests && bytes && !err && i < trails.n; i++) {
		guests[n].trail = &trails.list[i];
		if (!is_meant(w, &trails.list[i]) ||
		    !taf_ring_file_read(&trails.list[i], &guests[n].ring, &bytes[n]))
			continue;
		taf_world_now(&world);
		see_guest(w, &guests[n++], &world);
	}
	if (guests && bytes && !err) {
		settle(w);
		see_pressure(w, guests, n);
	}
	for (size_t i = 0; bytes && i < n; i++)
		free(bytes[i]);
	free(bytes);
	free(guests);
	taf_trails_free(&trails);
	return err;
}

bool taf_watcher_is_waiting(const struct taf_watcher *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].term_ms && !w->list[i].is_told_lives)
			return true;
	return false;
}

void taf_watcher_close(struct taf_watcher *w)
{
	while (w->n)
		drop(w, w->n - 1);
	taf_crumb_close();
}
