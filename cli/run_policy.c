/* SPDX-License-Identifier: MIT */
#include "joined.h"
#include "run_policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_find.h"
#include "role_cli.h"
#include "tell.h"
#include "verbs.h"

static void say_mistake(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

/* Why the program is not started, and the command that shows the mistakes. */
static void say_refusal(const struct taf_run_args *a, int n_bad)
{
	char line[1024];
	struct taf_text t;

	taf_text_init(&t, line, sizeof(line));
	taf_text_put(&t, a->policy ? " " : "");
	taf_text_put(&t, a->policy ? a->policy : "");
	for (size_t i = 0; i < a->n_sets; i++) {
		taf_text_put(&t, " --set '");
		taf_text_put(&t, a->sets[i]);
		taf_text_char(&t, '\'');
	}
	taf_tell("%s is not started, because the policy has %d mistake%s; see: taffrail check%s",
		 a->command[0], n_bad, n_bad == 1 ? "" : "s", line);
}

int taf_run_policy_read(const struct taf_run_args *a, const char *exe,
			const struct taf_state_dir *state, struct taf_run_policy *p)
{
	static struct taf_policy file;
	static struct taf_policy_found found;
	struct taf_policy_ask ask = { .file = a->policy,
				      .sets = a->sets,
				      .n_sets = a->n_sets,
				      .is_strict = a->is_strict,
				      .tell = say_mistake };
	struct taf_start start = taf_start_of_command(exe, a->command);
	char *words = taf_joined(a->command);

	if (!words)
		return TAF_EXIT_INTERNAL;
	ask.state = state->path[0] ? state->path : NULL;
	ask.who.exe = exe;
	ask.who.argv = words;
	ask.who.start = &start;
	if (taf_policy_find(&ask, &file, &found)) {
		taf_tell("there is no memory left to read the policy");
		free(words);
		return TAF_EXIT_INTERNAL;
	}
	free(words);
	p->rules = found.rules;
	memcpy(p->path, found.path, sizeof(p->path));
	memcpy(p->blob, found.blob, sizeof(p->blob));
	p->set = found.set;
	p->is_strict = found.is_strict;
	if (found.n_bad && found.is_strict) {
		say_refusal(a, found.n_bad);
		return TAF_EXIT_POLICY;
	}
	taf_policy_tell_instead(a->policy, &found);
	return 0;
}
