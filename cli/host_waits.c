/* SPDX-License-Identifier: MIT */
/* host_waits.c -- the waits of the policy, against the time between a stop and the kill.
 *
 * A wait happens inside of the program's own call.  Its handler runs all the same,
 * but one that only sets a flag is heeded when the call returns, and what is
 * killed before that has not left in order.
 */
#include "host.h"

#include <stdio.h>

#include "show.h"

#define LIST_ROOM 256

/* Each rule that can wait, by the names of its settings. */
#define WAITS(W) \
	W(cadence_on_violation, cadence_max_wait_ms) \
	W(lock_on_conflict, lock_max_wait_ms) \
	W(breaker_on_open, breaker_max_wait_ms) \
	W(cooldown_on_hold, cooldown_max_wait_ms) \
	W(memory_on_misfit, memory_max_wait_ms) \
	W(recycle_on_due, recycle_max_wait_ms)

/* "lock.max_wait 600s, " behind what is in the list. */
static void add(char list[LIST_ROOM], size_t *used, int rule, uint64_t ms)
{
	char shown[32];
	int n = snprintf(list + *used, LIST_ROOM - *used, "%s%s %s", *used ? ", " : "",
			 taf_rule_info(rule)->path, taf_show_ms(shown, sizeof(shown), ms * 1000));

	*used += n > 0 && (size_t)n < LIST_ROOM - *used ? (size_t)n : 0;
}

void taf_host_waits(struct taf_host_look *l, const char *who, const char *key, uint64_t kill_ms)
{
	const struct taf_rules *r = &l->rules;
	char list[LIST_ROOM] = "", have[32];
	size_t used = 0;

	if (r->mode != TAF_MODE_ENFORCE)
		return;
#define TAF_ADD(on, max) \
	if (r->on == TAF_ON_WAIT && r->max > kill_ms) \
		add(list, &used, TAF_RULE_##max, r->max);
	WAITS(TAF_ADD)
#undef TAF_ADD
	if (used)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "stop-wait",
				 "%s is killed %s after a stop, and a rule may keep it waiting "
				 "for longer (%s): a program that answers the signal by a flag "
				 "sees the flag when the wait ends; set the wait below %s",
				 who, taf_show_ms(have, sizeof(have), kill_ms * 1000), list, key);
}
