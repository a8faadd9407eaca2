/* SPDX-License-Identifier: MIT */
/* config_json.c -- the shape of a model from the config.json beside its weights.
 *
 * Two levels count: the members of the document, and those of the language
 * part's object (text_config and its like), which win wherever they stand.
 * Objects of other parts (vision, audio) are stepped over. */
#include "safetensors.h"
#include "scan.h"

#include <errno.h>

#define CONFIG_LIMIT (4u << 20)

enum want { W_U32, W_TEXT, W_HEADS_KV, W_LAYER_TYPES, W_PERIOD, W_QUANT };

struct key {
	char name[32];
	uint16_t offset, room; /* of the member of struct taf_config */
	uint8_t want;
	bool is_weak; /* another name for a member: only where that one is missing */
};

#define AT(member) (uint16_t) offsetof(struct taf_config, member)
#define NUMBER(name, member) \
	{ \
		name, AT(member), 0, W_U32, false \
	}
#define WEAK(name, member) \
	{ \
		name, AT(member), 0, W_U32, true \
	}
#define TEXT(name, member) \
	{ \
		name, AT(member), sizeof(((struct taf_config *)0)->member), W_TEXT, false \
	}

static const struct key keys[] = {
	TEXT("model_type", model_type),
	TEXT("dtype", dtype),
	TEXT("torch_dtype", dtype),
	NUMBER("num_hidden_layers", shape.layers),
	WEAK("n_layer", shape.layers),
	WEAK("num_layers", shape.layers),
	NUMBER("num_attention_heads", shape.heads),
	WEAK("n_head", shape.heads),
	NUMBER("hidden_size", shape.embedding),
	WEAK("n_embd", shape.embedding),
	NUMBER("head_dim", shape.key_length),
	NUMBER("v_head_dim", shape.value_length),
	NUMBER("global_head_dim", global_head_dim),
	NUMBER("num_global_key_value_heads", global_heads_kv),
	NUMBER("max_position_embeddings", shape.context),
	WEAK("n_positions", shape.context),
	NUMBER("sliding_window", shape.window),
	NUMBER("kv_lora_rank", shape.kv_lora_rank),
	NUMBER("qk_rope_head_dim", shape.rope_dim),
	NUMBER("num_kv_shared_layers", shape.shared_layers),
	NUMBER("full_attention_interval", shape.full_period),
	NUMBER("num_nextn_predict_layers", shape.nextn_layers),
	NUMBER("vocab_size", vocab_size),
	NUMBER("num_experts", expert_count),
	WEAK("num_local_experts", expert_count),
	WEAK("n_routed_experts", expert_count),
	{ "num_key_value_heads", 0, 0, W_HEADS_KV, false },
	{ "layer_types", 0, 0, W_LAYER_TYPES, false },
	{ "sliding_window_pattern", 0, 0, W_PERIOD, false },
	{ "quantization", 0, 0, W_QUANT, false },
	{ "quantization_config", 0, 0, W_QUANT, false },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))
_Static_assert(KEYS <= 64, "one bit a key");

static const char languages[][20] = { "text_config", "llm_config", "language_config" };

struct walk {
	struct taf_scan scan;
	struct taf_config *c;
	uint64_t by_language; /* keys that the language part gave */
};

static uint32_t small(const struct taf_scan *s)
{
	if (!s->is_whole)
		return 0;
	return s->number > UINT32_MAX ? UINT32_MAX : (uint32_t)s->number;
}

static void set_heads_kv(struct taf_shape *s, uint32_t il, uint32_t v)
{
	if (il < TAF_LAYERS_MAX)
		s->heads_kv[il] = (uint16_t)(v > UINT16_MAX ? UINT16_MAX : v);
}

/* One number, or a list of one a layer. */
static void read_heads_kv(struct walk *w, enum taf_scan_token t)
{
	struct taf_shape *s = &w->c->shape;
	uint32_t n = 0;

	if (t == TAF_SCAN_NUMBER) {
		set_heads_kv(s, 0, small(&w->scan));
		s->heads_kv_told = 1;
		return;
	}
	if (t != TAF_SCAN_ARRAY) {
		taf_scan_skip(&w->scan, t);
		return;
	}
	while ((t = taf_scan_next(&w->scan)) > TAF_SCAN_CLOSE) {
		set_heads_kv(s, n, t == TAF_SCAN_NUMBER ? small(&w->scan) : 0);
		n += n < TAF_LAYERS_MAX;
	}
	s->heads_kv_told = n;
}

/* One word a layer: "full_attention", "sliding_attention", "linear_attention", ... */
static void read_layer_types(struct walk *w, enum taf_scan_token t)
{
	struct taf_shape *s = &w->c->shape;
	uint32_t n = 0;

	if (t != TAF_SCAN_ARRAY) {
		taf_scan_skip(&w->scan, t);
		return;
	}
	taf_zero(s->swa, sizeof(s->swa));
	taf_zero(s->recurrent, sizeof(s->recurrent));
	while ((t = taf_scan_next(&w->scan)) == TAF_SCAN_STRING) {
		const char *kind = w->scan.text;

		taf_shape_mark(s->swa, n,
			       taf_starts(kind, "sliding") || taf_starts(kind, "chunked"));
		taf_shape_mark(s->recurrent, n,
			       taf_starts(kind, "linear") || taf_starts(kind, "conv") ||
				       taf_starts(kind, "mamba") || taf_starts(kind, "recurrent"));
		n += n < TAF_LAYERS_MAX;
	}
	if (t != TAF_SCAN_CLOSE)
		taf_reader_fail(w->scan.r, -EINVAL, "layer_types is no list of words");
	s->swa_told = n;
	s->recurrent_told = n;
}

static void read_quant(struct walk *w, enum taf_scan_token t)
{
	struct taf_scan *s = &w->scan;
	struct taf_config *c = w->c;

	if (t != TAF_SCAN_OBJECT) {
		taf_scan_skip(s, t);
		return;
	}
	while (taf_scan_next(s) == TAF_SCAN_KEY) {
		bool is_bits = taf_same(s->text, "bits"),
		     is_group = taf_same(s->text, "group_size");
		bool is_method = taf_same(s->text, "quant_method");

		t = taf_scan_next(s);
		if (is_bits && t == TAF_SCAN_NUMBER)
			c->quant_bits = small(s);
		else if (is_group && t == TAF_SCAN_NUMBER)
			c->quant_group = small(s);
		else if (is_method && t == TAF_SCAN_STRING)
			taf_copy(c->quant_method, s->text, sizeof(c->quant_method));
		else
			taf_scan_skip(s, t);
	}
}

/* A value that may be missing (null) keeps what is known. */
static void read_value(struct walk *w, const struct key *k, enum taf_scan_token t)
{
	char *member = (char *)w->c + k->offset;
	uint32_t *number = (uint32_t *)(void *)member;

	switch (k->want) {
	case W_HEADS_KV: read_heads_kv(w, t); return;
	case W_LAYER_TYPES: read_layer_types(w, t); return;
	case W_QUANT: read_quant(w, t); return;
	case W_PERIOD: number = &w->c->shape.swa_period; break;
	default: break;
	}
	if (k->want == W_TEXT && t == TAF_SCAN_STRING)
		taf_copy(member, w->scan.text, k->room);
	else if (k->want != W_TEXT && t == TAF_SCAN_NUMBER && !(k->is_weak && *number))
		*number = small(&w->scan);
	else
		taf_scan_skip(&w->scan, t);
}

static bool is_language(const char *name)
{
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (taf_same(name, languages[i]))
			return true;
	return false;
}

/* The members of the object whose '{' is read. */
static void read_members(struct walk *w, bool is_inner)
{
	struct taf_scan *s = &w->scan;
	enum taf_scan_token t;
	size_t i;

	while (taf_scan_next(s) == TAF_SCAN_KEY) {
		bool is_part = !is_inner && is_language(s->text);

		for (i = 0; i < KEYS && !taf_same(s->text, keys[i].name); i++)
			;
		t = taf_scan_next(s);
		if (is_part && t == TAF_SCAN_OBJECT) {
			read_members(w, true);
		} else if (i == KEYS || (!is_inner && w->by_language >> i & 1)) {
			taf_scan_skip(s, t);
		} else {
			if (is_inner)
				w->by_language |= (uint64_t)1 << i;
			read_value(w, &keys[i], t);
		}
	}
}

/* From the names of config.json to those of a shape. */
static void settle(struct taf_config *c)
{
	struct taf_shape *s = &c->shape;

	taf_copy(s->arch, c->model_type, sizeof(s->arch));
	/* What MLX and vLLM keep of MLA is the compressed row. */
	s->is_mla = s->kv_lora_rank != 0;
	if (!s->value_length)
		s->value_length = s->key_length;
	if (c->global_head_dim) {
		s->key_length_swa = s->key_length;
		s->value_length_swa = s->value_length;
		s->key_length = c->global_head_dim;
		s->value_length = c->global_head_dim;
	}
	if (c->global_heads_kv && s->heads_kv_told == 1) {
		s->heads_kv_swa = s->heads_kv[0];
		set_heads_kv(s, 0, c->global_heads_kv);
	}
}

int taf_config_read(struct taf_reader *r, struct taf_config *c)
{
	struct walk w;

	taf_zero(c, sizeof(*c));
	taf_zero(&w, sizeof(w));
	w.c = c;
	taf_scan_init(&w.scan, r, r->at + CONFIG_LIMIT);
	if (taf_scan_next(&w.scan) != TAF_SCAN_OBJECT)
		return taf_reader_fail(r, -EINVAL, "config.json is no JSON object");
	read_members(&w, false);
	settle(c);
	return r->err;
}
