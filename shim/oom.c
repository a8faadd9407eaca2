/* SPDX-License-Identifier: MIT */
#include "oom.h"

#include "../policy/policy.h"
#include "../policy/text.h"
#include "act.h"
#include "burst.h"
#include "crumb.h"
#include "memory.h"

/* "out of memory: try 1 of 3 after a drain" */
static void say(const struct taf_call *c, uint32_t tries, enum taf_kind kind)
{
	char buf[80];
	struct taf_text t;
	struct taf_rec r = { .kind = kind,
			     .phase = TAF_MARK,
			     .engine = c->table->engine,
			     .call = taf_row_name(c->table, c->row),
			     .has = TAF_HAS_BYTES,
			     .bytes = c->bytes,
			     .rule = taf_rule_info(TAF_RULE_memory_oom_retries)->path,
			     .msg = buf };

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, "out of memory: ");
	taf_text_put(&t, kind == TAF_WOULD ? "would drain and try again" : "try ");
	if (kind != TAF_WOULD) {
		taf_text_u64(&t, tries + 1);
		taf_text_put(&t, " of ");
		taf_text_u64(&t, taf_rules.memory_oom_retries);
		taf_text_put(&t, " after a drain");
	}
	taf_crumb(&r);
}

bool taf_oom_again(const struct taf_call *c, uint32_t tries)
{
	if (!c->is_counted || tries >= taf_rules.memory_oom_retries || taf_tls.in_callback ||
	    taf_state_now() != TAF_ACTIVE || taf_is_other_process())
		return false;
	if (taf_rules.mode == TAF_MODE_OBSERVE) {
		say(c, tries, TAF_WOULD);
		return false;
	}
	if (taf_api_of(c->table->engine) != TAF_API_NONE)
		taf_burst_ready(c);
	taf_act_drain_all(NULL, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM | TAF_DRAIN_IDLE,
			  TAF_RULE_memory_oom_retries);
	taf_memory_stale();
	say(c, tries, TAF_NOTE);
	return true;
}
