/* SPDX-License-Identifier: MIT */
#include "run_policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_find.h"
#include "tell.h"
#include "verbs.h"

static void say_mistake(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

/* The words of the command with blanks between, as profiles match them; NULL: no memory. */
static char *join(char *const *words)
{
	size_t room = 1, used = 0;
	char *all;

	for (size_t i = 0; words[i]; i++)
		room += strlen(words[i]) + 1;
	all = calloc(1, room);
	for (size_t i = 0; all && words[i]; i++)
		used += (size_t)snprintf(all + used, room - used, "%s%s", i ? " " : "", words[i]);
	return all;
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
	char *words = join(a->command);

	if (!words)
		return TAF_EXIT_INTERNAL;
	ask.state = state->path[0] ? state->path : NULL;
	ask.who.exe = exe;
	ask.who.argv = words;
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
	if (!found.n_bad || !found.is_strict)
		return 0;
	taf_tell("%s is not started, because the policy has %d mistake%s; see: taffrail check",
		 a->command[0], found.n_bad, found.n_bad == 1 ? "" : "s");
	return TAF_EXIT_POLICY;
}
