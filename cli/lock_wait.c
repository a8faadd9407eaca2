/* SPDX-License-Identifier: MIT */
#include "lock_wait.h"

#include <stdio.h>
#include <string.h>

#include "../policy/text.h"
#include "show.h"

static const char held_by[] = "held by ";

const char *taf_lock_fate_name(enum taf_lock_fate fate)
{
	static const char *const names[] = { "waits", "got", "refused", "left" };

	return names[fate];
}

/* A record of a rule of the lock. */
static bool is_of_lock(const struct taf_past *p, struct taf_crumb_line *line, char rule[48])
{
	return (p->kind == TAF_HOLD || p->kind == TAF_REFUSE) && taf_past_line(p, line) &&
	       taf_crumb_text(line, TAF_KEY_RULE, rule, 48) && taf_starts(rule, "lock.");
}

/* "held by NAME; waited 300ms": who that was. */
static void take_whom(struct taf_lock_wait *l, const struct taf_crumb_line *line)
{
	char msg[400] = "", *end;

	taf_crumb_text(line, TAF_KEY_MSG, msg, sizeof(msg));
	if (!taf_starts(msg, held_by))
		return;
	end = strstr(msg, "; waited ");
	if (end)
		*end = '\0';
	taf_copy(l->whom, msg + sizeof(held_by) - 1, sizeof(l->whom));
}

static void take_hold(struct taf_lock_wait *l, const struct taf_trail *t, const struct taf_past *p,
		      const struct taf_world *now)
{
	bool is_alive = !strcmp(t->boot, now->boot) && now->is_alive(t->pid, t->start);
	struct taf_crumb_line end;
	uint64_t us = 0;

	l->utc_us = taf_trail_utc_us(t, p->mono_ns);
	l->fate = p->mate ? TAF_LOCK_GOT : is_alive ? TAF_LOCK_WAITS : TAF_LOCK_LEFT;
	if (p->mate && p->mate != TAF_MATE_GONE && taf_past_line(&t->past[p->mate - 1], &end))
		taf_crumb_us(&end, TAF_KEY_MS, &us);
	else if (is_alive && now->mono_ns > p->mono_ns)
		us = (now->mono_ns - p->mono_ns) / 1000;
	else if (t->last_ns > p->mono_ns)
		us = (t->last_ns - p->mono_ns) / 1000;
	l->ms = us / 1000;
}

bool taf_lock_wait_read(const struct taf_trail *t, const struct taf_world *now,
			struct taf_lock_wait *out)
{
	struct taf_lock_wait l = { .pid = t->pid };
	struct taf_crumb_line line;
	bool is_there = false;

	for (size_t i = 0; i < t->n_past; i++) {
		const struct taf_past *p = &t->past[i];

		if (p->phase == TAF_END || !is_of_lock(p, &line, l.rule))
			continue;
		is_there = true;
		take_whom(&l, &line);
		if (p->kind == TAF_HOLD) {
			take_hold(&l, t, p, now);
			continue;
		}
		l.fate = TAF_LOCK_REFUSED;
		l.utc_us = l.utc_us ? l.utc_us : taf_trail_utc_us(t, p->mono_ns);
	}
	if (!is_there)
		return false;
	taf_copy(l.run, t->run, sizeof(l.run));
	if (t->n_past && taf_past_line(&t->past[0], &line))
		taf_crumb_text(&line, TAF_KEY_EXE, l.program, sizeof(l.program));
	*out = l;
	return true;
}

void taf_lock_wait_text(const struct taf_lock_wait *l, char *buf, size_t room)
{
	static const char *const verbs[] = { "has waited", "waited", "", "waited" };
	static const char *const tails[] = { "", ", then went on", "", "; it ended meanwhile" };
	char safe[800], span[32];
	bool has_waited = l->ms || l->fate != TAF_LOCK_REFUSED;

	taf_show_span(span, sizeof(span), l->ms);
	taf_show_safe(safe, sizeof(safe), l->whom[0] ? l->whom : "another program");
	if (l->fate == TAF_LOCK_REFUSED)
		snprintf(buf, room, "was refused the GPU lock%s%s, held by %s",
			 has_waited ? " after " : "", has_waited ? span : "", safe);
	else
		snprintf(buf, room, "%s %s for the GPU lock, held by %s%s", verbs[l->fate], span,
			 safe, tails[l->fate]);
}

void taf_lock_wait_json(struct taf_json *j, const char *key, const struct taf_lock_wait *l)
{
	if (!l) {
		taf_json_null(j, key);
		return;
	}
	taf_json_open(j, key, '{');
	taf_json_time(j, "time", l->utc_us);
	taf_json_text(j, "exe", l->program[0] ? l->program : NULL);
	taf_json_i64(j, "pid", l->pid);
	taf_json_text(j, "run", l->run[0] ? l->run : NULL);
	taf_json_text(j, "rule", l->rule);
	taf_json_u64(j, "waited_ms", l->ms);
	taf_json_text(j, "held_by", l->whom[0] ? l->whom : NULL);
	taf_json_text(j, "outcome", taf_lock_fate_name(l->fate));
	taf_json_close(j);
}
