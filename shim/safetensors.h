/* SPDX-License-Identifier: MIT */
/* safetensors.h -- what a safetensors header and a config.json say about a model.
 *
 *   FILE.safetensors   u64 length (little endian), that many bytes of JSON, data
 *       {"__metadata__":{...},"NAME":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},...}
 *
 * The weights' bytes are the file without its header; the JSON is read only for
 * the kind of the numbers and to tell an adapter from a model, up to a limit
 * that the caller sets.  Layers and heads stand in the config.json beside it,
 * the language part of a vision model under text_config.
 */
#ifndef TAF_SAFETENSORS_H
#define TAF_SAFETENSORS_H

#include "reader.h"
#include "shape.h"

#define TAF_SAFETENSORS_HEADER_MAX 100000000u

struct taf_safetensors {
	uint64_t header_bytes, data_offset, data_bytes; /* data: to the end of the file */
	uint64_t n_tensors, n_elements; /* of the part of the header that was read */
	uint64_t largest; /* tensor in bytes, likewise */
	char dtype[16]; /* of most bytes; "" unknown */
	char format[16]; /* __metadata__.format: "mlx", "pt" */
	bool is_lora; /* tensors of low-rank adapters */
	bool is_partial; /* the header is longer than the limit */
	bool is_odd; /* offsets that go backwards, shapes that overflow */
	bool is_short; /* a tensor ends past the end of the file */
};

struct taf_config {
	char model_type[32]; /* of the language part where there is one */
	char dtype[16]; /* "bfloat16" */
	char quant_method[16]; /* "awq", "gptq", ...; "" */
	uint32_t quant_bits, quant_group;
	uint32_t expert_count, vocab_size;
	uint32_t global_head_dim, global_heads_kv; /* of layers that do not slide */
	struct taf_shape shape; /* .arch is model_type */
};

/* Reads at most limit bytes of the JSON. 0, or -errno with the flaw in r. */
int taf_safetensors_read(struct taf_reader *r, struct taf_safetensors *s, uint64_t limit);
/* The length word alone: data_offset and data_bytes. */
int taf_safetensors_measure(struct taf_reader *r, struct taf_safetensors *s);
int taf_config_read(struct taf_reader *r, struct taf_config *c);

#endif
