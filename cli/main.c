/* SPDX-License-Identifier: MIT */
/* main.c -- the command: finds the verb and hands it its arguments.
 *
 * The first thing it does is to note how it was started (signal mask,
 * dispositions), because `run` must hand exactly that to the guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervise.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
};

static const struct verb verbs[] = {
#define VERB(name, text) { #name, taf_verb_##name },
	TAF_VERBS(VERB)
#undef VERB
};

static const struct verb *verb_of(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int unknown_verb(const char *name)
{
	const char *near = taf_usage_nearest(name);

	if (near)
		taf_tell("there is no verb \"%s\"; did you mean \"%s\"? See: taffrail help", name,
			 near);
	else
		taf_tell("there is no verb \"%s\"; see: taffrail help", name);
	return TAF_EXIT_USAGE;
}

/* Whether help is asked for before the words of a guest begin. */
static bool asks_help(int argc, char **argv)
{
	return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

/* Whether this is the command under that other name: a link to it. */
static bool is_called(const char *self, const char *name)
{
	const char *slash = strrchr(self, '/');

	return !strcmp(slash ? slash + 1 : self, name);
}

/* Output that could not be written is a failure: a full disk must not look like a good report. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		if (errno != EPIPE)
			taf_tell("cannot write the output: %s", strerror(errno));
		status = TAF_EXIT_INTERNAL;
	}
	return status;
}

/* A closed stdin, stdout or stderr must not become the number of a file of
 * ours. The place-holders close on exec, so the guest finds them closed; that of
 * stdout cannot be written, so that what is printed is not taken for told. */
static void fill_closed(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", (fd == 1 ? O_RDONLY : O_RDWR) | O_CLOEXEC) != fd)
			return;
}

int taf_verb_help(int argc, char **argv)
{
	if (argc > 2)
		return taf_usage_wrong("help", "one verb at a time");
	if (argc < 2)
		taf_usage_overview();
	else if (!strcmp(argv[1], "--man"))
		taf_usage_man();
	else if (!taf_usage_verb(argv[1]))
		return unknown_verb(argv[1]);
	return TAF_EXIT_OK;
}

int main(int argc, char **argv)
{
	const struct verb *verb;

	taf_signals_save();
	fill_closed();
	if (argc && is_called(argv[0], "taffrail-python"))
		return finish(taf_verb_python(argc, argv));
	if (argc < 2) {
		taf_tell("which verb? See: taffrail help");
		return TAF_EXIT_USAGE;
	}
	if (asks_help(argc, argv)) {
		taf_usage_overview();
		return finish(TAF_EXIT_OK);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("taffrail " TAF_VERSION);
		return finish(TAF_EXIT_OK);
	}
	verb = verb_of(argv[1]);
	if (!verb)
		return unknown_verb(argv[1]);
	if (asks_help(argc - 1, argv + 1)) {
		taf_usage_verb(verb->name);
		return finish(TAF_EXIT_OK);
	}
	return finish(verb->run(argc - 1, argv + 1));
}
