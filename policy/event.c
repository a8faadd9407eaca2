/* SPDX-License-Identifier: MIT */
#include "event.h"

#include "text.h"

struct kind_row {
	char name[12];
	enum taf_durability durability;
};

static const struct kind_row kinds[TAF_KIND_COUNT] = {
#define KIND(NAME, name, durability, text) [TAF_##NAME] = { #name, TAF_KEEP_##durability },
#include "kinds.def"
#undef KIND
};

static const char engines[TAF_ENGINE_COUNT][12] = {
	"",    "libc",	 "llama",  "ggml",   "mlx",   "mlxc",	 "cuda", "cudart",
	"hip", "opencl", "vulkan", "level0", "metal", "whisper", "sd",	 "ds4",
};

static const char phases[][8] = { "mark", "begin", "end" };

const char *taf_kind_name(enum taf_kind kind)
{
	return (unsigned)kind < TAF_KIND_COUNT ? kinds[kind].name : "?";
}

enum taf_durability taf_kind_durability(enum taf_kind kind)
{
	return (unsigned)kind < TAF_KIND_COUNT ? kinds[kind].durability : TAF_KEEP_NONE;
}

int taf_kind_of(const char *name)
{
	for (int i = 0; i < TAF_KIND_COUNT; i++)
		if (taf_same(taf_kind_name((enum taf_kind)i), name))
			return i;
	return -1;
}

const char *taf_phase_name(enum taf_phase phase)
{
	return (unsigned)phase < 3 ? phases[phase] : "?";
}

const char *taf_engine_name(enum taf_engine engine)
{
	return (unsigned)engine < TAF_ENGINE_COUNT ? engines[engine] : "";
}

int taf_engine_of(const char *name)
{
	for (int i = 1; i < TAF_ENGINE_COUNT; i++)
		if (taf_same(engines[i], name))
			return i;
	return -1;
}
