/* SPDX-License-Identifier: MIT */
/* gguf.h -- what a GGUF header says about its model, read without trusting it.
 *
 *   "GGUF" u32 version u64 tensors u64 pairs
 *   pairs:   string key, u32 type, value        string: u64 length, bytes
 *   tensors: string name, u32 dims, u64 each, u32 type, u64 offset
 *   data from the next multiple of general.alignment (32)
 *
 * All little endian.  Types: 0 u8 1 i8 2 u16 3 i16 4 u32 5 i32 6 f32 7 bool
 * 8 string 9 array (u32 type, u64 count) 10 u64 11 i64 12 f64.  Versions 2 and 3.
 *
 * The header is walked once, twice when the architecture comes after its own
 * keys.  Arrays of fixed size are stepped over; strings are stepped over one by
 * one, which the reader's budget bounds.  What a real engine would refuse but
 * what does not stop us from reading is_odd; what stops us is an error.
 *
 * Never allocates, never follows an offset of a tensor.
 */
#ifndef TAF_GGUF_H
#define TAF_GGUF_H

#include "reader.h"
#include "shape.h"

#define TAF_GGUF_PAIRS_MAX 65536u
#define TAF_GGUF_NONE UINT32_MAX

struct taf_gguf {
	char name[128], size_label[32];
	char type[16]; /* general.type: "model", "adapter", "mmproj"; "" not told */
	uint32_t version, alignment;
	uint32_t file_type; /* of the whole file; TAF_GGUF_NONE: not told */
	uint32_t tensor_type; /* the most frequent one; TAF_GGUF_NONE: no tensors */
	uint32_t expert_count, vocab_size;
	uint32_t rope_turn; /* tokens; 0 not told (model.h) */
	uint32_t split_no, split_count;
	uint64_t n_tensors, n_pairs;
	uint64_t data_offset, data_bytes; /* to the end of the file */
	uint64_t largest; /* tensor, from where it begins to where the next one does */
	bool is_odd; /* duplicate keys, numbers out of range, nested arrays */
	bool is_short; /* a tensor begins past the end of the file */
	bool has_rope_sets; /* model.h */
	struct taf_shape shape; /* .arch is general.architecture */
};

/* 0, or -errno with the flaw in r. Whatever was read until then is in g. */
int taf_gguf_read(struct taf_reader *r, struct taf_gguf *g);
/* "Q4_K_M" or the like; "" unknown. */
const char *taf_gguf_quant(const struct taf_gguf *g);
/* Bytes of the key and value cache for ask. */
uint64_t taf_gguf_kv_bytes(const struct taf_gguf *g, const struct taf_cache_ask *ask);

#endif
