/* SPDX-License-Identifier: MIT */
/* header_maker.h -- writes GGUF and safetensors headers into memory, right or wrong ones. */
#ifndef TAF_HEADER_MAKER_H
#define TAF_HEADER_MAKER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAKER_ROOM 65536

struct maker {
	uint8_t bytes[MAKER_ROOM];
	size_t n;
};

static inline void put_bytes(struct maker *m, const void *p, size_t n)
{
	if (n > sizeof(m->bytes) - m->n)
		abort();
	memcpy(m->bytes + m->n, p, n);
	m->n += n;
}

static inline void put_number(struct maker *m, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t b = (uint8_t)(v >> (8 * i));

		put_bytes(m, &b, 1);
	}
}

static inline void put_string(struct maker *m, const char *s)
{
	put_number(m, strlen(s), 8);
	put_bytes(m, s, strlen(s));
}

static inline void put_head(struct maker *m, uint64_t tensors, uint64_t pairs)
{
	m->n = 0;
	put_bytes(m, "GGUF", 4);
	put_number(m, 3, 4);
	put_number(m, tensors, 8);
	put_number(m, pairs, 8);
}

static inline void pair_text(struct maker *m, const char *key, const char *value)
{
	put_string(m, key);
	put_number(m, 8, 4);
	put_string(m, value);
}

static inline void pair_u32(struct maker *m, const char *key, uint64_t value)
{
	put_string(m, key);
	put_number(m, 4, 4);
	put_number(m, value, 4);
}

static inline void pair_list(struct maker *m, const char *key, const uint32_t *v, size_t n)
{
	put_string(m, key);
	put_number(m, 9, 4);
	put_number(m, 4, 4);
	put_number(m, n, 8);
	for (size_t i = 0; i < n; i++)
		put_number(m, v[i], 4);
}

static inline void put_tensor(struct maker *m, const char *name, uint32_t type, uint64_t offset)
{
	put_string(m, name);
	put_number(m, 1, 4);
	put_number(m, 8, 8);
	put_number(m, type, 4);
	put_number(m, offset, 8);
}

/* Up to the next multiple of 32, then n bytes of data. */
static inline void put_data(struct maker *m, size_t n)
{
	while (m->n % 32)
		put_number(m, 0, 1);
	while (n--)
		put_number(m, 0x5a, 1);
}

/* A sound llama of 4 layers, 8 heads of 64, 2 of them for keys; 96 bytes of data. */
static inline void make_llama(struct maker *m)
{
	put_head(m, 2, 11);
	pair_text(m, "general.architecture", "llama");
	pair_text(m, "general.name", "Tiny");
	pair_text(m, "general.size_label", "1M");
	pair_u32(m, "general.file_type", 15);
	pair_u32(m, "llama.block_count", 4);
	pair_u32(m, "llama.context_length", 4096);
	pair_u32(m, "llama.embedding_length", 512);
	pair_u32(m, "llama.attention.head_count", 8);
	pair_u32(m, "llama.attention.head_count_kv", 2);
	put_string(m, "tokenizer.ggml.tokens");
	put_number(m, 9, 4);
	put_number(m, 8, 4);
	put_number(m, 3, 8);
	put_string(m, "a");
	put_string(m, "");
	put_string(m, "hello");
	pair_u32(m, "llama.rope.dimension_count", 64);
	put_tensor(m, "a.weight", 12, 0);
	put_tensor(m, "b.weight", 12, 32);
	put_data(m, 96);
}

/* JSON behind its length, then n bytes of data. */
static inline void make_safetensors(struct maker *m, const char *json, size_t n)
{
	m->n = 0;
	put_string(m, json);
	while (n--)
		put_number(m, 0x5a, 1);
}

static inline void write_bytes(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(p, 1, n, f) != n || fclose(f))
		abort();
}

#endif
