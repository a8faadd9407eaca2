/* SPDX-License-Identifier: MIT */
/* guest.h -- what the guest programs share: the fake engine, opened as a plugin host would. */
#ifndef GUEST_H
#define GUEST_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fake/fake_value.h"

struct guest_engine {
	void *handle;
	void *(*load)(const char *path, struct fake_value params);
	void *(*make)(void *model, struct fake_value params);
	int32_t (*decode)(void *ctx, struct fake_batch batch);
	void (*sync)(void *ctx);
	void (*free_ctx)(void *ctx);
	void (*free_model)(void *model);
	void (*on_decode)(void (*fn)(void));
	long (*count)(const char *name);
};

/* The file beside this program. */
static inline void guest_beside(char *out, size_t room, const char *file)
{
	ssize_t n = readlink("/proc/self/exe", out, room - 1);

	out[n > 0 ? n : 0] = '\0';
	n = strrchr(out, '/') ? strrchr(out, '/') - out + 1 : 0;
	snprintf(out + n, room - (size_t)n, "%s", file);
}

static inline void guest_symbol(void *to, void *handle, const char *name)
{
	void *p = dlsym(handle, name);

	if (!p) {
		fprintf(stderr, "guest: no %s: %s\n", name, dlerror());
		_exit(95);
	}
	memcpy(to, &p, sizeof(p));
}

static inline void guest_open(struct guest_engine *e)
{
	char path[4096];
	const char *given = getenv("FAKE_LLAMA");

	guest_beside(path, sizeof(path), "libfake_llama.so");
	e->handle = dlopen(given ? given : path, RTLD_NOW | RTLD_LOCAL);
	if (!e->handle) {
		fprintf(stderr, "guest: %s\n", dlerror());
		_exit(95);
	}
	guest_symbol(&e->load, e->handle, "llama_model_load_from_file");
	guest_symbol(&e->make, e->handle, "llama_init_from_model");
	guest_symbol(&e->decode, e->handle, "llama_decode");
	guest_symbol(&e->sync, e->handle, "llama_synchronize");
	guest_symbol(&e->free_ctx, e->handle, "llama_free");
	guest_symbol(&e->free_model, e->handle, "llama_model_free");
	guest_symbol(&e->on_decode, e->handle, "fake_on_decode");
	guest_symbol(&e->count, e->handle, "fake_count");
}

#endif
