/* SPDX-License-Identifier: MIT */
/* guest_states.c -- a program that saves what its context holds, and restores it.
 *
 *   guest_states WORD...
 *
 *   load=PATH      loads a model and makes a context of it, in the place of those before
 *   NAME=NUMBER    of the contexts that follow: a name in rope_names, the others by default
 *   infer=N        N decodes
 *   save=FILE      seqsave=FILE    oldsave=FILE      by llama_state_save_file and its kin
 *   restore=FILE   seqrestore=FILE oldrestore=FILE
 *   adapter=FILE   loads an adapter and sets it; none: takes all away
 *   one=FILE       loads an adapter and sets it beside the others, as in 2025; scale=N sets
 *                  it anew, less takes it away, clear all
 *   older          one= and its kin by the names before that
 *   memory         restores a state from memory
 *
 * Prints what each gave. */
#include <stdbool.h>

#include "guest.h"

static struct guest_engine engine;
static void *model, *ctx;

/* Where the fake has them, in words of 32 bits. */
static const struct {
	const char *name;
	int at;
} rope_names[] = { { "scaling", 6 },	{ "rope_base", 10 }, { "rope_scale", 11 },
		   { "yarn_ext", 12 },	{ "yarn_attn", 13 }, { "yarn_fast", 14 },
		   { "yarn_slow", 15 }, { "yarn_orig", 16 } };
static struct fake_value params;

static struct {
	bool (*save)(void *ctx, const char *path, const void *tokens, size_t n);
	bool (*old_save)(void *ctx, const char *path, const void *tokens, size_t n);
	size_t (*seq_save)(void *ctx, const char *path, int32_t seq, const void *tokens, size_t n);
	bool (*restore)(void *ctx, const char *path, void *out, size_t room, size_t *n);
	bool (*old_restore)(void *ctx, const char *path, void *out, size_t room, size_t *n);
	size_t (*seq_restore)(void *ctx, const char *path, int32_t seq, void *out, size_t room,
			      size_t *n);
	void *(*adapter)(void *model, const char *path);
	int32_t (*set)(void *ctx, void **adapters, size_t n, float *scales);
	size_t (*memory)(void *ctx, const void *data, size_t size);
	struct fake_value (*defaults)(void);
} f;

/* Of 2025, and by the names before. */
static struct {
	void *(*load)(void *model, const char *path);
	int32_t (*set)(void *ctx, void *adapter, float scale);
	int32_t (*take)(void *ctx, void *adapter);
	void (*clear)(void *ctx);
} one_by_one;
static void *newest;

static void open_adapters(bool is_older)
{
	static const char *const names[2][4] = {
		{ "llama_adapter_lora_init", "llama_set_adapter_lora", "llama_rm_adapter_lora",
		  "llama_clear_adapter_lora" },
		{ "llama_lora_adapter_init", "llama_lora_adapter_set", "llama_lora_adapter_remove",
		  "llama_lora_adapter_clear" },
	};

	guest_symbol(&one_by_one.load, engine.handle, names[is_older][0]);
	guest_symbol(&one_by_one.set, engine.handle, names[is_older][1]);
	guest_symbol(&one_by_one.take, engine.handle, names[is_older][2]);
	guest_symbol(&one_by_one.clear, engine.handle, names[is_older][3]);
}

/* Of the two that are no floats one is the first, the other the last. */
static bool do_rope(const char *word, const char *value)
{
	const int n = (int)(sizeof(rope_names) / sizeof(rope_names[0]));

	for (int i = 0; value && i < n; i++) {
		int32_t whole = atoi(value);
		float number = (float)atof(value);
		char *at = (char *)&params + 4 * rope_names[i].at;

		if (strncmp(word, rope_names[i].name, (size_t)(value - 1 - word)) ||
		    rope_names[i].name[value - 1 - word])
			continue;
		memcpy(at, i && i < n - 1 ? (void *)&number : (void *)&whole, 4);
		return true;
	}
	return false;
}

static bool do_adapter(const char *word, const char *value)
{
	if (!strcmp(word, "older")) {
		open_adapters(true);
	} else if (!strncmp(word, "one=", 4)) {
		newest = one_by_one.load(model, value);
		one_by_one.set(ctx, newest, 1);
	} else if (value && !strncmp(word, "scale=", 6)) {
		one_by_one.set(ctx, newest, (float)atof(value));
	} else if (!strcmp(word, "less")) {
		one_by_one.take(ctx, newest);
	} else if (!strcmp(word, "clear")) {
		one_by_one.clear(ctx);
	} else {
		return false;
	}
	return true;
}

static void open_rest(void)
{
	guest_symbol(&f.save, engine.handle, "llama_state_save_file");
	guest_symbol(&f.old_save, engine.handle, "llama_save_session_file");
	guest_symbol(&f.seq_save, engine.handle, "llama_state_seq_save_file");
	guest_symbol(&f.restore, engine.handle, "llama_state_load_file");
	guest_symbol(&f.old_restore, engine.handle, "llama_load_session_file");
	guest_symbol(&f.seq_restore, engine.handle, "llama_state_seq_load_file");
	guest_symbol(&f.adapter, engine.handle, "llama_adapter_lora_init");
	guest_symbol(&f.set, engine.handle, "llama_set_adapters_lora");
	guest_symbol(&f.memory, engine.handle, "llama_state_seq_set_data");
	guest_symbol(&f.defaults, engine.handle, "llama_context_default_params");
	params = f.defaults();
	open_adapters(false);
}

static void load(const char *path)
{
	if (ctx)
		engine.free_ctx(ctx);
	if (model)
		engine.free_model(model);
	model = engine.load(path, fake_value_of(0));
	ctx = model ? engine.make(model, params) : NULL;
	if (!ctx)
		exit(3);
}

static void set_adapter(const char *path)
{
	void *adapters[1];
	float scale = 1;

	adapters[0] = path ? f.adapter(model, path) : NULL;
	f.set(ctx, adapters, path != NULL, &scale);
}

static bool do_file(const char *word, const char *path)
{
	size_t n = 0;

	if (!strncmp(word, "save", 4))
		return f.save(ctx, path, NULL, 0);
	if (!strncmp(word, "oldsave", 7))
		return f.old_save(ctx, path, NULL, 0);
	if (!strncmp(word, "seqsave", 7))
		return f.seq_save(ctx, path, 0, NULL, 0) > 0;
	if (!strncmp(word, "restore", 7))
		return f.restore(ctx, path, NULL, 0, &n);
	if (!strncmp(word, "oldrestore", 10))
		return f.old_restore(ctx, path, NULL, 0, &n);
	if (!strncmp(word, "seqrestore", 10))
		return f.seq_restore(ctx, path, 0, NULL, 0, &n) > 0;
	exit(64);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	guest_open(&engine);
	open_rest();
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (do_adapter(argv[i], value ? value + 1 : NULL) ||
		    do_rope(argv[i], value ? value + 1 : NULL))
			continue;
		if (!strcmp(argv[i], "none"))
			set_adapter(NULL);
		else if (!strcmp(argv[i], "memory"))
			f.memory(ctx, argv, 1);
		else if (!value)
			return 64;
		else if (!strncmp(argv[i], "load=", 5))
			load(value + 1);
		else if (!strncmp(argv[i], "infer=", 6))
			for (int k = 0; k < atoi(value + 1); k++)
				engine.decode(ctx, fake_batch_of(1));
		else if (!strncmp(argv[i], "adapter=", 8))
			set_adapter(value + 1);
		else
			printf("%.*s %s\n", (int)(value - argv[i]), argv[i],
			       do_file(argv[i], value + 1) ? "ok" : "failed");
	}
	return 0;
}
