/* SPDX-License-Identifier: MIT */
/* lock.c -- `taffrail lock`: who has the GPU, who waits for it, and `--take`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/value.h"
#include "lock_cli.h"
#include "option.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

#define WAIT_MS 30000
#define SETTLE_MS 8000 /* a large model's buffers are with the kernel for so long: registry, 8 s */
#define LONGEST_MS 3600000

extern char **environ;

/* An option that takes a value. 1: it was one, 0: it was not, else an exit status. */
static int read_time(const char *name, const char *value, uint64_t *ms)
{
	char why[200];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	if (taf_value_ms(value, ms, &t) || *ms > LONGEST_MS)
		return taf_usage_wrong("lock", "%s wants a duration up to 1h: %s", name,
				       t.used ? why : value);
	return 1;
}

static int read_slot(const char *value, struct taf_lock_ask *ask)
{
	int64_t n;

	if (taf_value_int(value, &n, NULL) || n < 1 || n > TAF_LOCK_SLOTS)
		return taf_usage_wrong("lock", "--slot wants a number from 1 to %d, not \"%s\"",
				       TAF_LOCK_SLOTS, value);
	ask->slot = (uint32_t)n;
	return 1;
}

static int read_valued(char **argv, int *i, struct taf_lock_ask *ask)
{
	const char *value, *name = argv[*i];

	if ((value = taf_option(argv, i, "--slot")))
		return read_slot(value, ask);
	if ((value = taf_option(argv, i, "--wait")))
		return read_time("--wait", value, &ask->wait_ms);
	if ((value = taf_option(argv, i, "--settle")))
		return read_time("--settle", value, &ask->settle_ms);
	if ((value = taf_option(argv, i, "--policy")))
		ask->file = value;
	else if ((value = taf_option(argv, i, "--set")))
		ask->sets[ask->n_sets++] = value;
	else
		return 0;
	if (!*value)
		return taf_usage_wrong("lock", "%.*s wants a value", (int)strcspn(name, "="), name);
	return 1;
}

static int read_args(int argc, char **argv, struct taf_lock_ask *ask)
{
	for (int i = 1; i < argc; i++) {
		int done = argv[i][0] == '-' ? read_valued(argv, &i, ask) : 0;

		if (done > 1)
			return done;
		if (done)
			continue;
		if (!strcmp(argv[i], "--take"))
			ask->takes = true;
		else if (!strcmp(argv[i], "--json"))
			ask->is_json = true;
		else
			return taf_usage_wrong("lock", "%s \"%s\"", taf_option_wrong(argv[i]),
					       argv[i]);
	}
	if (ask->takes && ask->is_json)
		return taf_usage_wrong("lock", "--json shows, --take acts: one at a time");
	return 0;
}

static void say_mistake(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

static int look(struct taf_lock_ask *ask)
{
	static struct taf_lock_view view;
	char device[TAF_LOCK_DEVICE], why[512], words[TAF_PATH_MAX + 80];
	struct taf_text t;
	int err;

	ask->env = environ;
	taf_lock_device(environ, device);
	taf_text_init(&t, why, sizeof(why));
	if (taf_lock_place_look(ask->rules, environ, device, &view.place, &t)) {
		taf_tell("lock: there is no place for it: %s", why);
		return TAF_EXIT_INTERNAL;
	}
	err = taf_lock_view(&view, ask->rules->lock_slots);
	if (err) {
		taf_tell("lock: the lock %s cannot be looked at: %s",
			 taf_lock_place_words(&view.place, words, sizeof(words)),
			 err == -ETIMEDOUT ? "some process keeps its guard" : strerror(-err));
		return TAF_EXIT_INTERNAL;
	}
	if (ask->takes)
		return taf_lock_force(ask, &view);
	if (ask->is_json)
		taf_lock_print_json(ask, &view);
	else
		taf_lock_print(ask, &view);
	return TAF_EXIT_OK;
}

int taf_verb_lock(int argc, char **argv)
{
	static struct taf_policy policy;
	static struct taf_policy_found found;
	struct taf_lock_ask ask = { .wait_ms = WAIT_MS, .settle_ms = SETTLE_MS };
	struct taf_policy_ask which = { .tell = say_mistake };
	int status = TAF_EXIT_INTERNAL;

	ask.sets = calloc((size_t)argc + 1, sizeof(*ask.sets));
	if (!ask.sets)
		goto out;
	status = read_args(argc, argv, &ask);
	if (status)
		goto out;
	which.file = ask.file;
	which.sets = ask.sets;
	which.n_sets = ask.n_sets;
	if (taf_policy_find(&which, &policy, &found)) {
		status = TAF_EXIT_INTERNAL;
		goto out;
	}
	taf_policy_tell_instead(ask.file, &found);
	ask.rules = &found.rules;
	status = look(&ask);
	taf_policy_found_free(&found);
out:
	free(ask.sets);
	return status;
}
