/* SPDX-License-Identifier: MIT */
/* fake_llama_told.h -- what fake_llama.c, which alone includes it, tells when it is asked: of what a
 * context begins with, of a model's file, of sizes. */
#ifndef FAKE_LLAMA_TOLD_H
#define FAKE_LLAMA_TOLD_H

/* n_ctx, n_batch; n_ubatch, n_seq_max: as every version has them, and behind them threads,
 * four types, RoPE's settings: as in 2025. */
struct fake_value llama_context_default_params(void)
{
	static const float turn[] = { 0, 0, -1, -1, -1, -1, 0, -1 };
	struct fake_value v = fake_value_of(512);

	fake_called(FAKE_llama_context_default_params);
	v.pad = 2048;
	v.words[0] = 512 | 1ull << 32;
	v.words[1] = 4 | 4ull << 32;
	v.words[2] = v.words[3] = UINT64_MAX;
	memcpy(&v.words[getenv("FAKE_LAYOUT") ? 5 : 4], turn, sizeof(turn));
	return v;
}

static int32_t put(char *buf, size_t room, const char *s, size_t n)
{
	snprintf(buf, room, "%.*s", (int)n, s);
	return number(FAKE_llama_model_meta_val_str, (int32_t)n);
}

int32_t llama_model_meta_val_str(const void *model, const char *key, char *buf, size_t room)
{
	const char *at = getenv("FAKE_META");

	fake_called(FAKE_llama_model_meta_val_str);
	if (model && !strcmp(key, "general.architecture"))
		return put(buf, room, "llama", 5);
	for (; at && !strncmp(key, "llama.", 6); at = strchr(at, ',')) {
		size_t n;

		at += *at == ',';
		n = strcspn(at, "=");
		if (n == strlen(key + 6) && at[n] && !memcmp(at, key + 6, n))
			return put(buf, room, at + n + 1, strcspn(at + n + 1, ","));
	}
	return put(buf, room, "", 0) - 1;
}

uint32_t llama_n_ctx(const void *ctx)
{
	const char *n = getenv("FAKE_N_CTX");

	fake_called(FAKE_llama_n_ctx);
	return ctx ? (n ? (uint32_t)atoi(n) : 4096) : 0;
}

/* Without FAKE_SEQUENCES there is one. */
uint32_t llama_n_seq_max(const void *ctx)
{
	uint32_t n = (uint32_t)fake_setting("FAKE_SEQUENCES");

	fake_called(FAKE_llama_n_seq_max);
	return ctx ? n + !n : 0;
}

/* FAKE_OLD: as if it were not there yet. */
uint32_t llama_n_ctx_seq(const void *ctx)
{
	fake_called(FAKE_llama_n_ctx_seq);
	return ctx && !fake_setting("FAKE_OLD") ? llama_n_ctx(ctx) / llama_n_seq_max(ctx) : 0;
}

static int32_t width_of(int row, const void *model)
{
	const struct model *m = model;

	fake_called(row);
	return m && strstr(m->path, "vocab") ? 0 : 64;
}

int32_t llama_model_n_embd(const void *model)
{
	return width_of(FAKE_llama_model_n_embd, model);
}

int32_t llama_n_embd(const void *model)
{
	return width_of(FAKE_llama_n_embd, model);
}

uint64_t llama_model_size(const void *model)
{
	fake_called(FAKE_llama_model_size);
	return model ? 123456789 : 0;
}

#endif
