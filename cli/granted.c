/* SPDX-License-Identifier: MIT */
#include "granted.h"

#include <string.h>

#include "../policy/rules.h"
#include "../policy/text.h"

static bool is_limit(const char *rule)
{
	switch (taf_rule_of(rule)) {
	case TAF_RULE_limits_wired:
	case TAF_RULE_limits_cache:
	case TAF_RULE_limits_memory: return true;
	default: return false; /* what is let go of at the exit limits nothing */
	}
}

/* The rule stands behind what was granted. */
static bool read_answer(struct taf_granted *g)
{
	char *rule = strstr(g->text, ": limits.");

	if (!rule || !strstr(g->text, " granted "))
		return false;
	g->is_would = strstr(g->text, ", would be granted ") != NULL;
	*rule = '\0';
	taf_copy(g->rule, rule + 2, sizeof(g->rule));
	return is_limit(g->rule);
}

bool taf_granted_read(const struct taf_past *p, struct taf_granted *g)
{
	struct taf_crumb_line line;

	g->is_would = false;
	if (p->kind != TAF_LIMIT || p->phase == TAF_BEGIN || !taf_past_line(p, &line) ||
	    !taf_crumb_text(&line, TAF_KEY_MSG, g->text, sizeof(g->text)))
		return false;
	if (p->phase == TAF_END)
		return read_answer(g);
	return taf_crumb_text(&line, TAF_KEY_RULE, g->rule, sizeof(g->rule)) && is_limit(g->rule);
}
