/* SPDX-License-Identifier: MIT */
#include "restart.h"

static bool is_polite(int signal)
{
	return signal == TAF_SIG_HUP || signal == TAF_SIG_INT || signal == TAF_SIG_PIPE ||
	       signal == TAF_SIG_TERM;
}

/* Statuses that say: the command line, the policy or the program itself is wrong. */
static bool is_misstart(const struct taf_restart_end *e)
{
	return !e->signal &&
	       (e->status == 64 || e->status == 78 || e->status == 126 || e->status == 127);
}

/* Why it is not started again, as far as its end says; NULL: nothing speaks against it. */
static const char *objection(const struct taf_restart_rules *r, const struct taf_restart_end *e)
{
	if (r->mode == TAF_RESTART_NEVER || e->was_told)
		return "";
	if (e->was_asked)
		return NULL;
	if (!e->signal && !e->status)
		return "";
	if (is_polite(e->signal) && r->mode != TAF_RESTART_ALWAYS)
		return "";
	if (is_misstart(e))
		return "its status says that it could not start";
	if (!e->was_active && e->ran_ms < r->startup_ms)
		return "it ended at its start, before it used an engine";
	if (e->is_out_of_memory)
		return "there was too little memory, and would be again";
	return NULL;
}

static uint32_t in_window(const struct taf_restart_rules *r, const struct taf_restart_past *p,
			  uint64_t now_ms)
{
	uint32_t kept = p->n < TAF_RESTARTS_MAX ? p->n : TAF_RESTARTS_MAX, n = 0;

	for (uint32_t i = 0; i < kept; i++)
		n += p->at_ms[i] + r->window_ms > now_ms;
	return n;
}

static uint64_t delay_ms(const struct taf_restart_rules *r, const struct taf_restart_past *p,
			 const struct taf_restart_end *e)
{
	uint64_t ms = r->delay_ms;

	if (e->is_respawn && !p->row)
		return 0;
	for (uint32_t i = 0; i < p->row && ms < r->delay_max_ms; i++)
		ms *= 2;
	return ms < r->delay_max_ms ? ms : r->delay_max_ms;
}

bool taf_restart_has_room(const struct taf_restart_rules *r, const struct taf_restart_past *p,
			  uint64_t now_ms)
{
	return in_window(r, p, now_ms) < r->max;
}

void taf_restart_decide(const struct taf_restart_rules *r, struct taf_restart_past *p,
			const struct taf_restart_end *e, struct taf_restart_answer *a)
{
	const char *no = objection(r, e);

	*a = (struct taf_restart_answer){ .why = no ? no : "" };
	if (no)
		return;
	a->count = in_window(r, p, e->now_ms) + 1;
	if (!taf_restart_has_room(r, p, e->now_ms)) {
		a->why = "it has been restarted as often as it may be";
		return;
	}
	if (e->ran_ms >= r->stable_ms)
		p->row = 0;
	a->again = true;
	a->waits_for_gate = e->is_lockout;
	a->delay_ms = delay_ms(r, p, e);
	p->at_ms[p->n++ % TAF_RESTARTS_MAX] = e->now_ms;
	/* To be recycled is no failure, unless it comes again at once. */
	if (!e->was_asked || e->ran_ms < r->startup_ms)
		p->row++;
}
