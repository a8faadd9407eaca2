/* SPDX-License-Identifier: MIT */
/* shape.h -- the shape of a model's attention, and the cache that it asks for.
 *
 *   header (gguf.c, config.json) -> struct taf_shape -- taf_shape_cache --> struct taf_cache
 *   struct taf_cache + context, types -- taf_cache_bytes --> bytes
 *
 * A token leaves one key and one value in every layer that has a cache.  Their
 * sizes differ a layer: some layers hold only a sliding window, some use the
 * cache of another, some have none at all (recurrent ones), and MLA keeps one
 * compressed row.  The sums over the layers fit in a few numbers, which is what
 * is kept of a model.  Arithmetic saturates: too much is UINT64_MAX, never less.
 */
#ifndef TAF_SHAPE_H
#define TAF_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAF_LAYERS_MAX 512

/* Numbers as the header gives them; 0: not given. */
struct taf_shape {
	char arch[32];
	uint32_t layers, context, embedding, heads;
	uint32_t nextn_layers; /* at the end, for multi-token prediction: no cache */
	uint32_t key_length, value_length; /* elements a head */
	uint32_t key_length_swa, value_length_swa;
	uint32_t key_length_mla, value_length_mla;
	uint32_t kv_lora_rank, rope_dim;
	uint32_t window; /* sliding window, tokens */
	uint32_t swa_period; /* of every so many layers one sees everything */
	uint32_t full_period; /* of every so many layers one has attention at all */
	uint32_t shared_layers; /* at the end, using the cache of others */
	uint32_t heads_kv_told; /* entries in heads_kv: 0 none, 1 the same for all */
	uint32_t heads_kv_swa; /* of the sliding layers where they differ */
	uint32_t swa_told, recurrent_told; /* bits in the maps below */
	bool is_mla; /* stored compressed whatever else the header says */
	uint16_t heads_kv[TAF_LAYERS_MAX];
	uint8_t swa[TAF_LAYERS_MAX / 8], recurrent[TAF_LAYERS_MAX / 8];
};

/* Elements that one token takes, summed over the layers. */
struct taf_cache {
	uint64_t full_k, full_v; /* layers that keep the whole context */
	uint64_t window_k, window_v; /* layers that keep a window */
	uint32_t window; /* tokens */
	uint32_t layers; /* with a cache */
};

/* What an engine is asked for. Zero is its default. */
struct taf_cache_ask {
	uint64_t context; /* tokens, of all sequences together */
	uint32_t sequences; /* 1 */
	uint32_t ubatch; /* 512 */
	uint32_t k_unit, v_unit; /* bytes a 32 elements: taf_cache_unit; 64 = f16 */
	bool is_window_full; /* sliding layers keep everything too */
};

void taf_shape_cache(const struct taf_shape *s, struct taf_cache *c);
uint64_t taf_cache_bytes(const struct taf_cache *c, const struct taf_cache_ask *ask);
/* Bytes of 32 elements of a cache type by its name ("f16", "q8_0", ...); 0: unknown. */
uint32_t taf_cache_unit(const char *type);

static inline void taf_shape_mark(uint8_t *map, uint32_t layer, bool is_set)
{
	if (layer < TAF_LAYERS_MAX && is_set)
		map[layer / 8] = (uint8_t)(map[layer / 8] | 1u << (layer % 8));
}

#endif
