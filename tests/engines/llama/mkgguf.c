/* SPDX-License-Identifier: MIT */
/* mkgguf.c -- writes a small llama model that llama.cpp really loads.
 *
 *	mkgguf [--layers N] [--embd N] [--ff N] [--ctx N] [--name TEXT] [--seed N] [--hollow] FILE
 *
 * GGUF version 3, F32, a vocabulary of 256 bytes and a few words, weights from
 * a generator that gives the same file for the same options on every machine.
 * What it generates is nonsense; that it computes as much as a real model of
 * its size is what the tests and the benchmark need.
 *
 * --hollow leaves the weights out: the header tells of them and the file is as
 * long as they are, but it is a hole that takes no space.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { T_U32 = 4, T_I32 = 5, T_F32 = 6, T_BOOL = 7, T_STRING = 8, T_ARRAY = 9 };
enum { ALIGNMENT = 32, BYTES = 256, SPECIAL = 3 };

static const char *const words[] = { "\xe2\x96\x81"
				     "a",
				     "\xe2\x96\x81"
				     "b",
				     "hello",
				     "\xe2\x96\x81"
				     "hello" };
enum { WORDS = sizeof(words) / sizeof(words[0]), VOCAB = SPECIAL + BYTES + WORDS };

struct plan {
	uint64_t layers, embd, ff, ctx, seed, heads, heads_kv;
	const char *name, *file;
	bool is_hollow;
};

struct tensor {
	char name[48];
	uint64_t dims[2];
	int n_dims;
	bool is_norm;
};

struct out {
	FILE *f;
	uint64_t at, n_pairs;
	uint64_t random;
};

static void put(struct out *o, const void *p, size_t n)
{
	if (n && fwrite(p, 1, n, o->f) != n) {
		fprintf(stderr, "mkgguf: cannot write: %s\n", strerror(errno));
		exit(1);
	}
	o->at += n;
}

/* The format is little endian, whatever this machine is. */
static void put_number(struct out *o, uint64_t v, size_t size)
{
	uint8_t b[8];

	for (size_t i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	put(o, b, size);
}

static void put_float(struct out *o, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	put_number(o, bits, 4);
}

static void put_text(struct out *o, const char *s)
{
	put_number(o, strlen(s), 8);
	put(o, s, strlen(s));
}

static void put_key(struct out *o, const char *key, uint32_t type)
{
	put_text(o, key);
	put_number(o, type, 4);
	o->n_pairs++;
}

static void pair_text(struct out *o, const char *key, const char *value)
{
	put_key(o, key, T_STRING);
	put_text(o, value);
}

static void pair_u32(struct out *o, const char *key, uint64_t value)
{
	put_key(o, key, T_U32);
	put_number(o, value, 4);
}

static void pair_f32(struct out *o, const char *key, float value)
{
	put_key(o, key, T_F32);
	put_float(o, value);
}

static void pair_array(struct out *o, const char *key, uint32_t type)
{
	put_key(o, key, T_ARRAY);
	put_number(o, type, 4);
	put_number(o, VOCAB, 8);
}

static void put_vocabulary(struct out *o)
{
	static const char *const special[SPECIAL] = { "<unk>", "<s>", "</s>" };
	char text[8];

	pair_text(o, "tokenizer.ggml.model", "llama");
	pair_array(o, "tokenizer.ggml.tokens", T_STRING);
	for (int i = 0; i < SPECIAL; i++)
		put_text(o, special[i]);
	for (int i = 0; i < BYTES; i++) {
		snprintf(text, sizeof(text), "<0x%02X>", i);
		put_text(o, text);
	}
	for (int i = 0; i < WORDS; i++)
		put_text(o, words[i]);
	pair_array(o, "tokenizer.ggml.scores", T_F32);
	for (int i = 0; i < VOCAB; i++)
		put_float(o, 0);
	/* unknown, control, control, bytes, then normal words */
	pair_array(o, "tokenizer.ggml.token_type", T_I32);
	for (int i = 0; i < VOCAB; i++)
		put_number(o, i == 0 ? 2 : i < SPECIAL ? 3 : i < SPECIAL + BYTES ? 6 : 1, 4);
	pair_u32(o, "tokenizer.ggml.bos_token_id", 1);
	pair_u32(o, "tokenizer.ggml.eos_token_id", 2);
	pair_u32(o, "tokenizer.ggml.unknown_token_id", 0);
	put_key(o, "tokenizer.ggml.add_bos_token", T_BOOL);
	put_number(o, 1, 1);
}

static void put_pairs(struct out *o, const struct plan *p)
{
	pair_text(o, "general.architecture", "llama");
	pair_text(o, "general.name", p->name);
	pair_text(o, "general.size_label", "tiny");
	pair_u32(o, "general.file_type", 0);
	pair_u32(o, "general.alignment", ALIGNMENT);
	pair_u32(o, "llama.block_count", p->layers);
	pair_u32(o, "llama.context_length", p->ctx);
	pair_u32(o, "llama.embedding_length", p->embd);
	pair_u32(o, "llama.feed_forward_length", p->ff);
	pair_u32(o, "llama.attention.head_count", p->heads);
	pair_u32(o, "llama.attention.head_count_kv", p->heads_kv);
	pair_f32(o, "llama.attention.layer_norm_rms_epsilon", 1e-5F);
	pair_u32(o, "llama.rope.dimension_count", p->embd / p->heads);
	pair_f32(o, "llama.rope.freq_base", 10000.0F);
	pair_u32(o, "llama.vocab_size", VOCAB);
	put_vocabulary(o);
}

static struct tensor tensor_of(const char *name, uint64_t a, uint64_t b)
{
	struct tensor t = { .dims = { a, b }, .n_dims = b ? 2 : 1 };

	snprintf(t.name, sizeof(t.name), "%s.weight", name);
	t.is_norm = strstr(name, "norm") != NULL;
	return t;
}

static struct tensor layer_tensor(uint64_t layer, const char *part, uint64_t a, uint64_t b)
{
	char name[40];

	snprintf(name, sizeof(name), "blk.%llu.%s", (unsigned long long)layer, part);
	return tensor_of(name, a, b);
}

static size_t list_tensors(const struct plan *p, struct tensor *t)
{
	uint64_t kv = p->embd / p->heads * p->heads_kv;
	size_t n = 0;

	t[n++] = tensor_of("token_embd", p->embd, VOCAB);
	t[n++] = tensor_of("output_norm", p->embd, 0);
	t[n++] = tensor_of("output", p->embd, VOCAB);
	for (uint64_t i = 0; i < p->layers; i++) {
		t[n++] = layer_tensor(i, "attn_norm", p->embd, 0);
		t[n++] = layer_tensor(i, "attn_q", p->embd, p->embd);
		t[n++] = layer_tensor(i, "attn_k", p->embd, kv);
		t[n++] = layer_tensor(i, "attn_v", p->embd, kv);
		t[n++] = layer_tensor(i, "attn_output", p->embd, p->embd);
		t[n++] = layer_tensor(i, "ffn_norm", p->embd, 0);
		t[n++] = layer_tensor(i, "ffn_gate", p->embd, p->ff);
		t[n++] = layer_tensor(i, "ffn_up", p->embd, p->ff);
		t[n++] = layer_tensor(i, "ffn_down", p->ff, p->embd);
	}
	return n;
}

static uint64_t elements_of(const struct tensor *t)
{
	return t->dims[0] * (t->n_dims == 2 ? t->dims[1] : 1);
}

static void pad(struct out *o)
{
	static const char zeros[ALIGNMENT];

	put(o, zeros, (ALIGNMENT - o->at % ALIGNMENT) % ALIGNMENT);
}

static void put_infos(struct out *o, const struct tensor *t, size_t n)
{
	uint64_t offset = 0;

	for (size_t i = 0; i < n; i++) {
		put_text(o, t[i].name);
		put_number(o, (uint64_t)t[i].n_dims, 4);
		for (int d = 0; d < t[i].n_dims; d++)
			put_number(o, t[i].dims[d], 8);
		put_number(o, 0, 4); /* F32 */
		put_number(o, offset, 8);
		offset += (elements_of(&t[i]) * 4 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	}
	pad(o);
}

/* Room for the data of a tensor, without the data. */
static void skip_data(struct out *o, const struct tensor *t)
{
	o->at += elements_of(t) * 4;
	o->at += (ALIGNMENT - o->at % ALIGNMENT) % ALIGNMENT;
}

/* Between -0.08 and 0.08. */
static float next_weight(struct out *o)
{
	o->random ^= o->random << 13;
	o->random ^= o->random >> 7;
	o->random ^= o->random << 17;
	return ((float)(o->random >> 40) / (float)(1 << 24) - 0.5F) * 0.16F;
}

static void put_data(struct out *o, const struct tensor *t)
{
	float row[1024];
	uint64_t left = elements_of(t);

	while (left) {
		size_t n = left < 1024 ? (size_t)left : 1024;

		for (size_t i = 0; i < n; i++)
			row[i] = t->is_norm ? 1.0F : next_weight(o);
		for (size_t i = 0; i < n; i++)
			put_float(o, row[i]);
		left -= n;
	}
	pad(o);
}

static int write_model(const struct plan *p)
{
	struct tensor *t = calloc(3 + 9 * p->layers, sizeof(*t));
	struct out o = { .f = fopen(p->file, "wb"), .random = p->seed * 2654435761u + 1 };
	size_t n;

	if (!o.f || !t) {
		fprintf(stderr, "mkgguf: %s: %s\n", p->file, strerror(errno));
		free(t);
		if (o.f)
			fclose(o.f);
		return 1;
	}
	n = list_tensors(p, t);
	put(&o, "GGUF", 4);
	put_number(&o, 3, 4);
	put_number(&o, n, 8);
	put_number(&o, 0, 8); /* pairs, known later */
	put_pairs(&o, p);
	put_infos(&o, t, n);
	for (size_t i = 0; i < n; i++)
		(p->is_hollow ? skip_data : put_data)(&o, &t[i]);
	free(t);
	if (p->is_hollow && (fflush(o.f) || ftruncate(fileno(o.f), (off_t)o.at))) {
		fprintf(stderr, "mkgguf: %s: %s\n", p->file, strerror(errno));
		fclose(o.f);
		return 1;
	}
	if (fseek(o.f, 16, SEEK_SET) == 0)
		put_number(&o, o.n_pairs, 8);
	if (ferror(o.f) || fclose(o.f)) {
		fprintf(stderr, "mkgguf: %s: %s\n", p->file, strerror(errno));
		return 1;
	}
	printf("%s: %llu layers, %zu tensors\n", p->file, (unsigned long long)p->layers, n);
	return 0;
}

/* The value of the option at argv[*i]; moves on. */
static const char *value_at(int argc, char **argv, int *i)
{
	if (*i + 1 >= argc) {
		fprintf(stderr, "mkgguf: %s needs a value\n", argv[*i]);
		exit(64);
	}
	return argv[++*i];
}

static uint64_t number_at(int argc, char **argv, int *i)
{
	const char *name = argv[*i], *text = value_at(argc, argv, i);
	char *end;
	unsigned long long v = strtoull(text, &end, 10);

	if (!*text || *end || v < 1 || v > 1u << 20) {
		fprintf(stderr, "mkgguf: %s is a number from 1 to 1048576\n", name);
		exit(64);
	}
	return v;
}

static void read_options(int argc, char **argv, struct plan *p)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--layers"))
			p->layers = number_at(argc, argv, &i);
		else if (!strcmp(argv[i], "--embd"))
			p->embd = number_at(argc, argv, &i);
		else if (!strcmp(argv[i], "--ff"))
			p->ff = number_at(argc, argv, &i);
		else if (!strcmp(argv[i], "--ctx"))
			p->ctx = number_at(argc, argv, &i);
		else if (!strcmp(argv[i], "--seed"))
			p->seed = number_at(argc, argv, &i);
		else if (!strcmp(argv[i], "--name"))
			p->name = value_at(argc, argv, &i);
		else if (!strcmp(argv[i], "--hollow"))
			p->is_hollow = true;
		else if (argv[i][0] != '-' && !p->file)
			p->file = argv[i];
		else
			p->layers = 0; /* asks for the usage line */
	}
}

int main(int argc, char **argv)
{
	struct plan p = { .layers = 2,
			  .embd = 64,
			  .ff = 128,
			  .ctx = 256,
			  .seed = 1,
			  .name = "Tiny Random Llama" };

	read_options(argc, argv, &p);
	if (!p.file || !p.layers || p.embd % 64) {
		fprintf(stderr, "usage: mkgguf [--layers N] [--embd N, a multiple of 64] [--ff N] "
				"[--ctx N] [--name TEXT] [--seed N] [--hollow] FILE\n");
		return 64;
	}
	/* Heads of 16 elements, of 64 in larger ones; two share a key where they can. */
	p.heads = p.embd < 256 ? p.embd / 16 : p.embd / 64;
	p.heads_kv = p.heads % 2 ? p.heads : p.heads / 2;
	return write_model(&p);
}
