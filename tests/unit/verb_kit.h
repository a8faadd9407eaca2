/* SPDX-License-Identifier: MIT */
/* verb_kit.h -- a written session in a state directory, a verb on it, and what it says.
 *
 * Header of static functions, for one test program each.
 */
#ifndef TAF_TEST_VERB_KIT_H
#define TAF_TEST_VERB_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../cli/verbs.h"
#include "../../shim/sys.h"
#include "crumb_fixture.h"

#define SIZE 65536
#define OUTPUT_MAX 262144

static char state_dir[64], crumbs[128];
static char out[OUTPUT_MAX], err[OUTPUT_MAX];

static int setup(void **state)
{
	struct fx *f = malloc(sizeof(*f));

	fx_begin(f, 77, SIZE);
	*state = f;
	fx_state(state_dir, crumbs);
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	fx_remove(state_dir);
	return 0;
}

static int divert(int fd, const char *name, int *saved)
{
	char path[128];
	int to;

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	to = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	*saved = dup(fd);
	dup2(to, fd);
	return to;
}

static void take_back(int fd, int to, int saved, char *text)
{
	ssize_t n = pread(to, text, OUTPUT_MAX - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	dup2(saved, fd);
	close(saved);
	close(to);
}

/* Runs a verb with --state; what it says is in out and err. */
static int call(int (*verb)(int argc, char **argv), const char *a, const char *b, const char *c)
{
	char words[5][256];
	char *argv[6] = { words[0] };
	const char *more[3] = { a, b, c };
	int argc = 2, saved[2], to[2], rc;

	snprintf(words[0], sizeof(words[0]), "verb");
	snprintf(words[1], sizeof(words[1]), "--state=%s", state_dir);
	argv[1] = words[1];
	for (int i = 0; i < 3 && more[i]; i++, argc++) {
		snprintf(words[argc], sizeof(words[argc]), "%s", more[i]);
		argv[argc] = words[argc];
	}
	fflush(stdout);
	to[0] = divert(1, "out", &saved[0]);
	to[1] = divert(2, "err", &saved[1]);
	rc = verb(argc, argv);
	fflush(stdout);
	take_back(1, to[0], saved[0], out);
	take_back(2, to[1], saved[1], err);
	return rc;
}

/* Offset of word in the output; the test fails without it. */
static size_t place_of(const char *word)
{
	const char *p = strstr(out, word);

	if (!p)
		fail_msg("no %s in: %s", word, out);
	return (size_t)(p - out);
}

#endif
