/* SPDX-License-Identifier: MIT */
#include "shape.h"

#include "../policy/text.h"

/* Which layers slide where the header gives a window but no pattern. Engines
 * know it by architecture: one layer in period is full, the last of each group
 * or the first.  An architecture that is not here does not slide. */
struct slide {
	char arch[20];
	uint8_t period; /* 0: every layer slides */
	bool is_full_first;
};

static const struct slide slides[] = {
	{ "gemma2", 2, false },		 { "gemma3", 6, false },       { "gemma3_text", 6, false },
	{ "gemma3n", 5, false },	 { "gpt-oss", 2, false },      { "gpt_oss", 2, false },
	{ "llama4", 4, false },		 { "cohere2", 4, false },      { "cohere2moe", 4, true },
	{ "exaone4", 4, false },	 { "exaone-moe", 4, false },   { "olmo2", 4, false },
	{ "olmo3", 4, false },		 { "afmoe", 4, false },	       { "smallthinker", 4, true },
	{ "plamo3", 8, false },		 { "mellum", 4, false },       { "laguna", 4, true },
	{ "gemma-embedding", 6, false }, { "muse-glimmer", 4, false },
};

/* Layers at the end that share, where only the architecture says so. */
#define GEMMA3N_OWN_LAYERS 20
#define RECURRENT_PERIOD 4 /* hybrid architectures without a word on it */

static const char hybrids[][16] = { "qwen3next",  "qwen35",  "qwen35moe",
				    "qwen3_next", "qwen3_5", "qwen3_5_moe" };

static const struct {
	char name[8];
	uint32_t unit;
} units[] = {
	{ "f32", 128 }, { "f16", 64 },	{ "bf16", 64 }, { "q8_0", 34 },	  { "q4_0", 18 },
	{ "q4_1", 20 }, { "q5_0", 22 }, { "q5_1", 24 }, { "iq4_nl", 18 },
};

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_add_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t mul(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static bool is_marked(const uint8_t *map, uint32_t layer)
{
	return layer < TAF_LAYERS_MAX && map[layer / 8] >> (layer % 8) & 1;
}

/* True when layer il is not the full one of its group. */
static bool is_partial(uint32_t il, uint32_t period, bool is_full_first)
{
	if (!period)
		return true;
	return is_full_first ? il % period != 0 : il % period < period - 1;
}

static bool is_sliding(const struct taf_shape *s, uint32_t il)
{
	if (!s->window)
		return false;
	if (s->swa_told)
		return is_marked(s->swa, il);
	for (size_t i = 0; i < sizeof(slides) / sizeof(slides[0]); i++) {
		const struct slide *k = &slides[i];

		if (taf_same(s->arch, k->arch))
			return is_partial(il, s->swa_period ? s->swa_period : k->period,
					  k->is_full_first);
	}
	/* A pattern of 1 means that no layer slides. */
	return s->swa_period && is_partial(il, s->swa_period, false);
}

static bool is_recurrent(const struct taf_shape *s, uint32_t il)
{
	if (s->recurrent_told)
		return is_marked(s->recurrent, il);
	if (s->full_period)
		return is_partial(il, s->full_period, false);
	for (size_t i = 0; i < sizeof(hybrids) / sizeof(hybrids[0]); i++)
		if (taf_same(s->arch, hybrids[i]))
			return is_partial(il, RECURRENT_PERIOD, false);
	return false;
}

static uint32_t heads_kv_of(const struct taf_shape *s, uint32_t il, bool slides_here)
{
	if (!s->heads_kv_told)
		return s->heads;
	if (s->heads_kv_told == 1)
		return slides_here && s->heads_kv_swa ? s->heads_kv_swa : s->heads_kv[0];
	return il < s->heads_kv_told && il < TAF_LAYERS_MAX ? s->heads_kv[il] : s->heads;
}

/* Elements a token of one layer: keys in *k, values in *v. */
static void layer_of(const struct taf_shape *s, uint32_t il, uint64_t *k, uint64_t *v)
{
	bool slides_here = is_sliding(s, il);
	uint64_t heads = heads_kv_of(s, il, slides_here);
	uint64_t head = s->heads ? s->embedding / s->heads : 0;
	uint64_t key = s->key_length ? s->key_length : head;
	uint64_t value = s->value_length ? s->value_length : head;
	bool is_compressed = s->kv_lora_rank && (s->is_mla || heads == 1 ||
						 (s->key_length_mla && s->value_length_mla));

	if (is_compressed) {
		*k = add(s->kv_lora_rank, s->rope_dim);
		*v = 0;
		return;
	}
	if (slides_here) {
		key = s->key_length_swa ? s->key_length_swa : key;
		value = s->value_length_swa ? s->value_length_swa : value;
	}
	*k = mul(heads, key);
	*v = mul(heads, value);
}

/* How many layers, from the first on, have a cache of their own. */
static uint32_t own_layers(const struct taf_shape *s)
{
	uint32_t n = s->layers > s->nextn_layers ? s->layers - s->nextn_layers : 0;

	if (!s->shared_layers && taf_same(s->arch, "gemma3n"))
		return n < GEMMA3N_OWN_LAYERS ? n : GEMMA3N_OWN_LAYERS;
	return n > s->shared_layers ? n - s->shared_layers : 0;
}

void taf_shape_cache(const struct taf_shape *s, struct taf_cache *c)
{
	/* A count beyond any model is charged at its last known layer, without walking it. */
	uint32_t n = own_layers(s), walk = n < 2 * TAF_LAYERS_MAX ? n : 2 * TAF_LAYERS_MAX;
	uint64_t k, v;

	taf_zero(c, sizeof(*c));
	c->window = s->window;
	for (uint32_t il = 0; il < walk; il++) {
		bool slides_here = is_sliding(s, il);

		if (is_recurrent(s, il))
			continue;
		layer_of(s, il, &k, &v);
		if (!k && !v)
			continue;
		c->layers++;
		*(slides_here ? &c->window_k : &c->full_k) =
			add(slides_here ? c->window_k : c->full_k, k);
		*(slides_here ? &c->window_v : &c->full_v) =
			add(slides_here ? c->window_v : c->full_v, v);
	}
	if (n > walk) {
		layer_of(s, walk, &k, &v);
		c->full_k = add(c->full_k, mul(k, n - walk));
		c->full_v = add(c->full_v, mul(v, n - walk));
		c->layers = n;
	}
}

/* Elements of all tokens, in bytes. */
static uint64_t weigh(uint64_t elements, uint64_t tokens, uint32_t unit)
{
	uint64_t n = mul(elements, tokens);

	if (n == UINT64_MAX)
		return n;
	return add(mul(n / 32, unit), (n % 32 * unit + 31) / 32);
}

uint64_t taf_cache_bytes(const struct taf_cache *c, const struct taf_cache_ask *ask)
{
	uint32_t k = ask->k_unit ? ask->k_unit : 64, v = ask->v_unit ? ask->v_unit : 64;
	uint32_t sequences = ask->sequences ? ask->sequences : 1;
	uint64_t tokens = ask->context, window;
	uint64_t sum = add(weigh(c->full_k, tokens, k), weigh(c->full_v, tokens, v));

	/* llama.cpp keeps the window of every sequence and one micro-batch, padded to 256. */
	window = add(mul(c->window, sequences), ask->ubatch ? ask->ubatch : 512);
	if (ask->is_window_full || window > tokens)
		window = tokens;
	else
		window = window > UINT64_MAX - 255 ? UINT64_MAX : (window + 255) / 256 * 256;
	sum = add(sum, weigh(c->window_k, window, k));
	return add(sum, weigh(c->window_v, window, v));
}

uint32_t taf_cache_unit(const char *type)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (taf_same(type, units[i].name))
			return units[i].unit;
	return 0;
}
