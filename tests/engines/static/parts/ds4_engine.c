/* SPDX-License-Identifier: MIT */
/* ds4_engine.c -- an engine with names and shapes of ds4, which computes nothing.
 *
 *   DS4_FAIL=TEXT   no token can be computed, for that reason */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ds4_engine.h"

struct engine {
	char path[64];
};

struct session {
	struct engine *engine;
	int has, room;
};

static long waits;

int ds4_engine_open(void **out, const struct ds4_options *options)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e || !options->model_path || strstr(options->model_path, "fail")) {
		fprintf(stderr, "ds4: no model\n");
		free(e);
		return 1;
	}
	strncpy(e->path, options->model_path, sizeof(e->path) - 1);
	*out = e;
	return 0;
}

void ds4_engine_close(void *engine)
{
	free(engine);
}

int ds4_session_create(void **out, void *engine, int tokens)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return 1;
	s->engine = engine;
	s->room = tokens;
	*out = s;
	return 0;
}

void ds4_session_free(void *session)
{
	free(session);
}

static int failed(char *err, size_t n, const char *why)
{
	snprintf(err, n, "ds4: %s", why);
	return 1;
}

int ds4_session_sync(void *session, const struct ds4_tokens *prompt, char *err, size_t n)
{
	struct session *s = session;

	if (prompt->len > s->room)
		return failed(err, n, "the prompt is too long");
	s->has = prompt->len;
	return 0;
}

int ds4_session_eval(void *session, int token, char *err, size_t n)
{
	struct session *s = session;

	if (getenv("DS4_FAIL"))
		return failed(err, n, getenv("DS4_FAIL"));
	if (token < 0 || s->has == s->room)
		return failed(err, n, "no room");
	s->has++;
	return 0;
}

int ds4_session_pos(void *session)
{
	return ((struct session *)session)->has;
}

int ds4_gpu_synchronize(void)
{
	waits++;
	return 1;
}

long ds4_waits(void)
{
	return waits;
}
