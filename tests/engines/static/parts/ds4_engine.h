/* SPDX-License-Identifier: MIT */
/* ds4_engine.h -- the part of ds4's interface that is watched, and how often it waited. */
#ifndef DS4_ENGINE_H
#define DS4_ENGINE_H

#include <stddef.h>

struct ds4_options {
	const char *model_path;
	int more[16];
};

struct ds4_tokens {
	int *v;
	int len, cap;
};

int ds4_engine_open(void **out, const struct ds4_options *options);
void ds4_engine_close(void *engine);
int ds4_session_create(void **out, void *engine, int tokens);
void ds4_session_free(void *session);
int ds4_session_sync(void *session, const struct ds4_tokens *prompt, char *err, size_t n);
int ds4_session_eval(void *session, int token, char *err, size_t n);
int ds4_session_pos(void *session);
int ds4_gpu_synchronize(void);
long ds4_waits(void);

#endif
