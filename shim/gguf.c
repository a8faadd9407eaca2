/* SPDX-License-Identifier: MIT */
#include "gguf.h"

#include "scratch.h"

#include <errno.h>

#define KEY_MAX 65535u /* the format's own limit */
#define DEPTH_MAX 4
#define DIMS_MAX 4
#define TENSOR_TYPES 64
#define SEEN_SLOTS 512 /* keys watched for duplicates, at most three quarters of it */

enum type {
	T_U8,
	T_I8,
	T_U16,
	T_I16,
	T_U32,
	T_I32,
	T_F32,
	T_BOOL,
	T_STRING,
	T_ARRAY,
	T_U64,
	T_I64,
	T_F64,
	T_COUNT
};

/* Bytes of a value; 0: it has a length of its own. */
static const uint8_t type_size[T_COUNT] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };

enum want { W_U32, W_TEXT, W_COUNT, W_HEADS, W_HEADS_KV, W_SWA, W_RECURRENT };

/* A key that matters. With is_arch it stands behind "ARCHITECTURE.". */
struct key {
	char name[40];
	uint16_t offset, room; /* of the member of struct taf_gguf */
	uint8_t want;
	bool is_arch;
};

#define AT(member) (uint16_t) offsetof(struct taf_gguf, member)
#define NUMBER(name, member) \
	{ \
		name, AT(member), 0, W_U32, false \
	}
#define TEXT(name, member) \
	{ \
		name, AT(member), sizeof(((struct taf_gguf *)0)->member), W_TEXT, false \
	}
#define OF_ARCH(name, member) \
	{ \
		name, AT(member), 0, W_U32, true \
	}

static const struct key keys[] = {
	TEXT("general.architecture", shape.arch),
	TEXT("general.name", name),
	TEXT("general.size_label", size_label),
	TEXT("general.type", type),
	NUMBER("general.file_type", file_type),
	NUMBER("general.alignment", alignment),
	NUMBER("split.no", split_no),
	NUMBER("split.count", split_count),
	{ "tokenizer.ggml.tokens", AT(vocab_size), 0, W_COUNT, false },
	OF_ARCH("block_count", shape.layers),
	OF_ARCH("context_length", shape.context),
	OF_ARCH("embedding_length", shape.embedding),
	OF_ARCH("nextn_predict_layers", shape.nextn_layers),
	OF_ARCH("full_attention_interval", shape.full_period),
	OF_ARCH("expert_count", expert_count),
	OF_ARCH("vocab_size", vocab_size),
	OF_ARCH("rope.dimension_count", shape.rope_dim),
	OF_ARCH("rope.scaling.original_context_length", rope_turn),
	OF_ARCH("attention.key_length", shape.key_length),
	OF_ARCH("attention.value_length", shape.value_length),
	OF_ARCH("attention.key_length_swa", shape.key_length_swa),
	OF_ARCH("attention.value_length_swa", shape.value_length_swa),
	OF_ARCH("attention.key_length_mla", shape.key_length_mla),
	OF_ARCH("attention.value_length_mla", shape.value_length_mla),
	OF_ARCH("attention.kv_lora_rank", shape.kv_lora_rank),
	OF_ARCH("attention.sliding_window", shape.window),
	OF_ARCH("attention.shared_kv_layers", shape.shared_layers),
	{ "attention.head_count", 0, 0, W_HEADS, true },
	{ "attention.head_count_kv", 0, 0, W_HEADS_KV, true },
	{ "attention.sliding_window_pattern", 0, 0, W_SWA, true },
	{ "attention.recurrent_layers", 0, 0, W_RECURRENT, true },
};

struct walk {
	struct taf_reader *r;
	struct taf_gguf *g;
	uint32_t seen[SEEN_SLOTS]; /* hashes of keys, 0: free */
	uint32_t n_seen;
	uint64_t tensors_of[TENSOR_TYPES];
	uint64_t far; /* the greatest offset of a tensor with data */
	bool is_late; /* keys came before the architecture */
};

static int skip_string(struct taf_reader *r)
{
	uint64_t n;

	return taf_reader_u64(r, &n) ? r->err : taf_reader_skip(r, n);
}

static int skip_value(struct walk *w, uint32_t type, int depth)
{
	struct taf_reader *r = w->r;
	uint32_t inner;
	uint64_t n;

	if (type >= T_COUNT)
		return taf_reader_fail(r, -EINVAL, "a value has an unknown type");
	if (type_size[type])
		return taf_reader_skip(r, type_size[type]);
	if (type == T_STRING)
		return skip_string(r);
	if (depth >= DEPTH_MAX)
		return taf_reader_fail(r, -EINVAL, "arrays are nested too deep");
	if (taf_reader_u32(r, &inner) || taf_reader_u64(r, &n))
		return r->err;
	if (inner < T_COUNT && type_size[inner])
		return taf_reader_skip_items(r, n, type_size[inner]);
	if (inner == T_ARRAY)
		w->g->is_odd = true; /* legal once, and no engine takes it */
	for (uint64_t i = 0; i < n && !r->err; i++)
		skip_value(w, inner, depth + 1);
	return r->err;
}

/* A whole number of any width, cut to 32 bits. A value of another type is stepped over. */
static int read_number(struct walk *w, uint32_t type, uint32_t *v)
{
	uint8_t b[8] = { 0 };
	uint64_t n = 0;
	size_t size = type < T_COUNT ? type_size[type] : 0;
	bool is_signed = type == T_I8 || type == T_I16 || type == T_I32 || type == T_I64;

	if (!size || type == T_F32 || type == T_F64) {
		w->g->is_odd = true;
		return skip_value(w, type, 0);
	}
	if (taf_reader_get(w->r, b, size))
		return w->r->err;
	for (size_t i = 0; i < size; i++)
		n |= (uint64_t)b[i] << (8 * i);
	if (is_signed && b[size - 1] & 0x80) {
		w->g->is_odd = true; /* -1 means "none" to some writers */
		return 0;
	}
	if (n > UINT32_MAX)
		w->g->is_odd = true;
	*v = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	return 0;
}

static int read_text(struct walk *w, uint32_t type, char *to, size_t room)
{
	struct taf_reader *r = w->r;
	uint64_t n;
	size_t take;

	if (type != T_STRING) {
		w->g->is_odd = true;
		return skip_value(w, type, 0);
	}
	if (taf_reader_u64(r, &n))
		return r->err;
	take = n < room ? (size_t)n : room - 1;
	if (n > r->size - r->at)
		return taf_reader_skip(r, n);
	if (taf_reader_get(r, to, take))
		return r->err;
	to[take] = '\0';
	for (size_t i = 0; i < take; i++)
		if (!to[i])
			to[i] = '?'; /* a NUL inside would hide the rest */
	return taf_reader_skip(r, n - take);
}

/* What an entry of a per-layer array goes to. */
static void set_layer(struct taf_shape *s, enum want want, uint32_t il, uint32_t v)
{
	if (il >= TAF_LAYERS_MAX)
		return;
	switch (want) {
	case W_HEADS: s->heads = v > s->heads ? v : s->heads; break;
	case W_HEADS_KV: s->heads_kv[il] = (uint16_t)(v > UINT16_MAX ? UINT16_MAX : v); break;
	case W_SWA: taf_shape_mark(s->swa, il, v != 0); break;
	default: taf_shape_mark(s->recurrent, il, v != 0); break;
	}
}

static void set_told(struct taf_shape *s, enum want want, uint32_t n)
{
	switch (want) {
	case W_HEADS_KV: s->heads_kv_told = n; break;
	case W_SWA: s->swa_told = n; break;
	case W_RECURRENT: s->recurrent_told = n; break;
	default: break;
	}
}

/* One number for all layers. */
static int read_all_layers(struct walk *w, const struct key *k, uint32_t type)
{
	struct taf_shape *s = &w->g->shape;
	uint32_t v = 0;

	if (read_number(w, type, &v))
		return w->r->err;
	switch (k->want) {
	case W_HEADS: s->heads = v; break;
	case W_HEADS_KV:
		set_layer(s, W_HEADS_KV, 0, v);
		s->heads_kv_told = 1;
		break;
	case W_SWA: s->swa_period = v; break;
	default:
		for (uint32_t il = 0; il < TAF_LAYERS_MAX; il++)
			set_layer(s, W_RECURRENT, il, v);
		s->recurrent_told = TAF_LAYERS_MAX;
	}
	return 0;
}

static int read_layers(struct walk *w, const struct key *k, uint32_t type)
{
	struct taf_reader *r = w->r;
	uint32_t inner, v, told;
	uint64_t n;

	if (type != T_ARRAY)
		return read_all_layers(w, k, type);
	if (taf_reader_u32(r, &inner) || taf_reader_u64(r, &n))
		return r->err;
	if (inner >= T_COUNT || !type_size[inner] || inner == T_F32 || inner == T_F64)
		return taf_reader_fail(r, -EINVAL, "a list of layers holds no whole numbers");
	told = n < TAF_LAYERS_MAX ? (uint32_t)n : TAF_LAYERS_MAX;
	for (uint32_t il = 0; il < told && !r->err; il++) {
		v = 0;
		if (!read_number(w, inner, &v))
			set_layer(&w->g->shape, k->want, il, v);
	}
	/* One entry would read as "the same for all": a list of one layer is that too. */
	set_told(&w->g->shape, k->want, told);
	return taf_reader_skip_items(r, n - told, type_size[inner]);
}

/* An array, of which only the length matters. */
static int read_count(struct walk *w, uint32_t type, uint32_t *v)
{
	uint64_t n, from = w->r->at;
	uint32_t inner;

	if (type == T_ARRAY) {
		if (taf_reader_u32(w->r, &inner) || taf_reader_u64(w->r, &n))
			return w->r->err;
		if (!*v)
			*v = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
		w->r->at = from;
	}
	return skip_value(w, type, 0);
}

static int read_value(struct walk *w, const struct key *k, uint32_t type)
{
	char *member = (char *)w->g + k->offset;

	switch (k->want) {
	case W_U32: return read_number(w, type, (uint32_t *)(void *)member);
	case W_TEXT: return read_text(w, type, member, k->room);
	case W_COUNT: return read_count(w, type, (uint32_t *)(void *)member);
	default: return read_layers(w, k, type);
	}
}

/* What stands behind "ARCHITECTURE." in key; NULL when key is not of that form. */
static const char *behind_arch(struct walk *w, const char *key)
{
	size_t n = taf_len(w->g->shape.arch);

	if (n && taf_same_n(key, w->g->shape.arch, n) && key[n] == '.')
		return key + n + 1;
	if (!n)
		w->is_late = true;
	return NULL;
}

static const struct key *find_key(struct walk *w, const char *key)
{
	const char *rest = behind_arch(w, key);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].is_arch ? rest && taf_same(rest, keys[i].name)
				    : taf_same(key, keys[i].name))
			return &keys[i];
	return NULL;
}

/* True when key came before in this file. */
static bool is_seen(struct walk *w, const char *key)
{
	uint32_t h = 2166136261u;

	for (; *key; key++)
		h = (h ^ (uint8_t)*key) * 16777619u;
	h += !h;
	if (w->n_seen >= SEEN_SLOTS / 4 * 3)
		return false;
	for (uint32_t i = h % SEEN_SLOTS;; i = (i + 1) % SEEN_SLOTS) {
		if (w->seen[i] == h)
			return true;
		if (!w->seen[i]) {
			w->seen[i] = h;
			w->n_seen++;
			return false;
		}
	}
}

/* Of two pairs with the same key the first counts. */
static int read_pair(struct walk *w)
{
	struct taf_reader *r = w->r;
	char name[96];
	const struct key *k;
	uint64_t n;
	uint32_t type;
	size_t take;

	if (taf_reader_u64(r, &n))
		return r->err;
	if (!n || n > KEY_MAX)
		return taf_reader_fail(r, -EINVAL, "a key is empty or too long");
	take = n < sizeof(name) ? (size_t)n : 0; /* none of ours is that long */
	if (taf_reader_get(r, name, take) || taf_reader_skip(r, n - take) ||
	    taf_reader_u32(r, &type))
		return r->err;
	name[take] = '\0';
	if (take && is_seen(w, name)) {
		w->g->is_odd = true;
		return skip_value(w, type, 0);
	}
	k = find_key(w, name);
	return k ? read_value(w, k, type) : skip_value(w, type, 0);
}

static int read_pairs(struct walk *w)
{
	uint64_t from = w->r->at;
	bool had_arch;

	do {
		had_arch = w->g->shape.arch[0] != '\0';
		w->r->at = from;
		w->is_late = false;
		w->n_seen = 0;
		taf_zero(w->seen, sizeof(w->seen));
		for (uint64_t i = 0; i < w->g->n_pairs && !w->r->err; i++)
			read_pair(w);
	} while (!w->r->err && w->is_late && !had_arch && w->g->shape.arch[0]);
	return w->r->err;
}

static void take_largest(struct taf_gguf *g, uint64_t bytes)
{
	if (bytes > g->largest)
		g->largest = bytes;
}

static int read_tensor(struct walk *w)
{
	struct taf_reader *r = w->r;
	char name[32]; /* its beginning */
	uint32_t dims, type;
	uint64_t size, offset, elements = 1;

	if (read_text(w, T_STRING, name, sizeof(name)) || taf_reader_u32(r, &dims))
		return r->err;
	w->g->has_rope_sets |= taf_same(name, "rope_factors_long.weight");
	if (dims > DIMS_MAX)
		return taf_reader_fail(r, -EINVAL, "a tensor has too many dimensions");
	for (uint32_t i = 0; i < dims; i++) {
		if (taf_reader_u64(r, &size))
			return r->err;
		elements = elements && size ? 1 : 0;
	}
	if (taf_reader_u32(r, &type) || taf_reader_u64(r, &offset))
		return r->err;
	if (type < TENSOR_TYPES)
		w->tensors_of[type]++;
	else
		w->g->is_odd = true;
	if (elements && offset > w->far) {
		take_largest(w->g, offset - w->far);
		w->far = offset;
	}
	return 0;
}

static int read_head(struct walk *w)
{
	struct taf_reader *r = w->r;
	struct taf_gguf *g = w->g;
	uint8_t magic[4];

	if (taf_reader_get(r, magic, sizeof(magic)))
		return r->err;
	if (!taf_equal(magic, "GGUF", 4))
		return taf_reader_fail(r, -EINVAL, "not a GGUF file: its first bytes are others");
	if (taf_reader_u32(r, &g->version))
		return r->err;
	if (g->version && !(g->version & 0xffff))
		return taf_reader_fail(r, -EINVAL, "GGUF of the other endianness");
	if (g->version < 2 || g->version > 3)
		return taf_reader_fail(r, -EINVAL, "a GGUF version that is neither 2 nor 3");
	if (taf_reader_u64(r, &g->n_tensors) || taf_reader_u64(r, &g->n_pairs))
		return r->err;
	if (g->n_pairs > TAF_GGUF_PAIRS_MAX)
		return taf_reader_fail(r, -E2BIG, "more key and value pairs than any model has");
	return 0;
}

/* Where the data begins, and whether the file goes that far. */
static int find_data(struct walk *w)
{
	struct taf_reader *r = w->r;
	struct taf_gguf *g = w->g;
	uint64_t most = 0, rest;

	if (!g->alignment || g->alignment & (g->alignment - 1))
		return taf_reader_fail(r, -EINVAL, "the alignment is no power of two");
	for (uint32_t i = 0; i < TENSOR_TYPES; i++)
		if (w->tensors_of[i] > most) {
			most = w->tensors_of[i];
			g->tensor_type = i;
		}
	rest = r->at % g->alignment;
	g->data_offset = r->at + (rest ? g->alignment - rest : 0);
	g->data_bytes = r->size > g->data_offset ? r->size - g->data_offset : 0;
	g->is_short = g->n_tensors && w->far >= g->data_bytes;
	if (g->n_tensors && !g->is_short)
		take_largest(g, g->data_bytes - w->far);
	return 0;
}

static int read_all(struct walk *w)
{
	if (read_head(w) || read_pairs(w))
		return w->r->err;
	for (uint64_t i = 0; i < w->g->n_tensors && !w->r->err; i++)
		read_tensor(w);
	return w->r->err ? w->r->err : find_data(w);
}

int taf_gguf_read(struct taf_reader *r, struct taf_gguf *g)
{
	struct walk *w = taf_scratch_take(sizeof(*w));
	int err;

	taf_zero(g, sizeof(*g));
	g->file_type = TAF_GGUF_NONE;
	g->tensor_type = TAF_GGUF_NONE;
	g->alignment = 32;
	if (!w)
		return taf_reader_fail(r, -ENOMEM, "no memory is left to read it");
	taf_zero(w, sizeof(*w));
	w->r = r;
	w->g = g;
	err = read_all(w);
	taf_scratch_give(w);
	return err;
}

uint64_t taf_gguf_kv_bytes(const struct taf_gguf *g, const struct taf_cache_ask *ask)
{
	struct taf_cache c;

	taf_shape_cache(&g->shape, &c);
	return taf_cache_bytes(&c, ask);
}
