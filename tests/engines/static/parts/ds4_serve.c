/* SPDX-License-Identifier: MIT */
/* ds4_serve.c -- what ds4's command does: a model, a session, a prompt, tokens.
 *
 *   ds4_serve MODEL [free]    with "free" session and model are given back */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ds4_engine.h"

static void tell_waits(void)
{
	if (getenv("DS4_TELL"))
		printf("%ld waits\n", ds4_waits());
	fflush(stdout);
}

static int generate(void *session)
{
	int ids[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct ds4_tokens prompt = { ids, 5, 9 }, longer = { ids, 9, 9 };
	char err[80] = "";

	if (ds4_session_sync(session, &prompt, err, sizeof(err)))
		printf("%s\n", err);
	for (int i = 0; i < 3; i++)
		if (ds4_session_eval(session, i, err, sizeof(err)))
			printf("%s\n", err);
	if (ds4_session_sync(session, &longer, err, sizeof(err)))
		printf("%s\n", err);
	printf("%d tokens\n", ds4_session_pos(session));
	if (!ds4_session_eval(session, -1, err, sizeof(err)))
		return 1;
	printf("%s\n", err);
	return 0;
}

int main(int argc, char **argv)
{
	struct ds4_options options = { .model_path = argc > 1 ? argv[1] : NULL };
	void *engine = NULL, *session = NULL;
	int rc;

	atexit(tell_waits);
	if (ds4_engine_open(&engine, &options) || ds4_session_create(&session, engine, 64))
		return 3;
	rc = generate(session);
	if (argc > 2 && !strcmp(argv[2], "free")) {
		ds4_session_free(session);
		ds4_engine_close(engine);
	}
	return rc;
}
