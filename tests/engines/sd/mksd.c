/* SPDX-License-Identifier: MIT */
/* mksd.c -- writes small models that stable-diffusion.cpp really loads.
 *
 *	mksd image|decoder|upscaler SEED FILE
 *
 *   image     Z-Image, with one layer of each kind, and a Qwen3 of one layer that reads the
 *             prompt: the engine takes their sizes from the tensors, but those of heads and
 *             vocabulary
 *   decoder   the tiny autoencoder that makes an image of what Z-Image computes
 *   upscaler  ESRGAN of one block, which makes an image four times as wide
 *
 * Safetensors, F32, weights from a generator that gives the same file for the same seed on
 * every machine.  What is painted is noise; that all of the engine computes is what the tests
 * need.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WIDTH = 256, /* of Z-Image: what the time is embedded in */
	HEAD = 128,
	FEED = 768, /* 8/3 of the width, and a multiple of 256 */
	PATCH = 2 * 2 * 16, /* pixels of a latent image by its channels */
	READER = 32, /* width of the Qwen3 */
	READER_FEED = 64,
	VOCAB = 151936,
	CHANNELS = 64, /* of the autoencoder and of ESRGAN */
	GROWTH = 32,
	LATENT = 16,
};

#define MODEL "model.diffusion_model"
#define READS "text_encoders.llm.model"

struct tensor {
	char name[96];
	uint64_t dims[4], elements;
	int n_dims;
};

static struct tensor tensors[256];
static size_t n_tensors;

/* The name without its last part, which is "weight" or "bias" or a parameter's own. */
static char at[64];

/* index below 0: there is none. */
static void into(const char *front, const char *name, int index)
{
	char number[16] = "";

	if (index >= 0)
		snprintf(number, sizeof(number), ".%d", index);
	snprintf(at, sizeof(at), "%s%s%s", front, name, number);
}

static void add(const char *part, int n_dims, const uint64_t *dims)
{
	struct tensor *t = &tensors[n_tensors++];

	if (n_tensors == sizeof(tensors) / sizeof(tensors[0])) {
		fputs("mksd: more tensors than there is room for\n", stderr);
		exit(70);
	}
	snprintf(t->name, sizeof(t->name), "%s.%s", at, part);
	t->n_dims = n_dims;
	t->elements = 1;
	for (int i = 0; i < n_dims; i++) {
		t->dims[i] = dims[i];
		t->elements *= dims[i];
	}
}

static void vector(const char *part, uint64_t n)
{
	add(part, 1, &n);
}

static void matrix(const char *part, uint64_t out, uint64_t in)
{
	add(part, 2, (uint64_t[]){ out, in });
}

/* Of 3 by 3. */
static void conv(const char *part, uint64_t out, uint64_t in, int has_bias)
{
	char name[32];

	snprintf(name, sizeof(name), "%s.weight", part);
	add(name, 4, (uint64_t[]){ out, in, 3, 3 });
	snprintf(name, sizeof(name), "%s.bias", part);
	if (has_bias)
		vector(name, out);
}

/* ---- Z-Image ---- */

static void joint_block(const char *kind, int is_modulated)
{
	into(MODEL ".", kind, 0);
	matrix("attention.qkv.weight", 3 * WIDTH, WIDTH);
	matrix("attention.out.weight", WIDTH, WIDTH);
	vector("attention.q_norm.weight", HEAD);
	vector("attention.k_norm.weight", HEAD);
	matrix("feed_forward.w1.weight", FEED, WIDTH);
	matrix("feed_forward.w2.weight", WIDTH, FEED);
	matrix("feed_forward.w3.weight", FEED, WIDTH);
	vector("attention_norm1.weight", WIDTH);
	vector("attention_norm2.weight", WIDTH);
	vector("ffn_norm1.weight", WIDTH);
	vector("ffn_norm2.weight", WIDTH);
	if (is_modulated) {
		matrix("adaLN_modulation.0.weight", 4 * WIDTH, WIDTH);
		vector("adaLN_modulation.0.bias", 4 * WIDTH);
	}
}

static void linear(const char *name, uint64_t out, uint64_t in)
{
	into(MODEL ".", name, -1);
	matrix("weight", out, in);
	vector("bias", out);
}

static void reader(void)
{
	into(READS, "", -1);
	matrix("embed_tokens.weight", VOCAB, READER);
	vector("norm.weight", READER);
	into(READS, ".layers", 0);
	matrix("self_attn.q_proj.weight", 32 * HEAD, READER);
	matrix("self_attn.k_proj.weight", 8 * HEAD, READER);
	matrix("self_attn.v_proj.weight", 8 * HEAD, READER);
	matrix("self_attn.o_proj.weight", READER, 32 * HEAD);
	vector("self_attn.q_norm.weight", HEAD);
	vector("self_attn.k_norm.weight", HEAD);
	matrix("mlp.gate_proj.weight", READER_FEED, READER);
	matrix("mlp.up_proj.weight", READER_FEED, READER);
	matrix("mlp.down_proj.weight", READER, READER_FEED);
	vector("input_layernorm.weight", READER);
	vector("post_attention_layernorm.weight", READER);
}

static void image(void)
{
	linear("x_embedder", WIDTH, PATCH);
	linear("t_embedder.mlp.0", WIDTH, 256);
	linear("t_embedder.mlp.2", WIDTH, WIDTH);
	into(MODEL, ".cap_embedder", 0);
	vector("weight", READER);
	linear("cap_embedder.1", WIDTH, READER);
	into(MODEL, "", -1);
	vector("cap_pad_token", WIDTH);
	vector("x_pad_token", WIDTH);
	joint_block("noise_refiner", 1);
	joint_block("context_refiner", 0);
	joint_block("layers", 1);
	linear("final_layer.linear", PATCH, WIDTH);
	linear("final_layer.adaLN_modulation.1", WIDTH, WIDTH);
	reader();
}

/* ---- what makes images of it ---- */

static void tiny_blocks(const char *side, int first, int n)
{
	for (int i = first; i < first + n; i++) {
		into(side, ".layers", i);
		conv("conv.0", CHANNELS, CHANNELS, 1);
		conv("conv.2", CHANNELS, CHANNELS, 1);
		conv("conv.4", CHANNELS, CHANNELS, 1);
	}
}

/* Three times three blocks, with a change of size before or behind each three. */
static void decoder(void)
{
	into("decoder", ".layers", -1);
	conv("0", CHANNELS, LATENT, 1);
	conv("6", CHANNELS, CHANNELS, 0);
	conv("11", CHANNELS, CHANNELS, 0);
	conv("16", CHANNELS, CHANNELS, 0);
	conv("18", 3, CHANNELS, 1);
	tiny_blocks("decoder", 2, 3);
	tiny_blocks("decoder", 7, 3);
	tiny_blocks("decoder", 12, 3);
	tiny_blocks("decoder", 17, 1);
	into("encoder", ".layers", -1);
	conv("0", CHANNELS, 3, 1);
	conv("2", CHANNELS, CHANNELS, 0);
	conv("6", CHANNELS, CHANNELS, 0);
	conv("10", CHANNELS, CHANNELS, 0);
	conv("14", LATENT, CHANNELS, 1);
	tiny_blocks("encoder", 1, 1);
	tiny_blocks("encoder", 3, 3);
	tiny_blocks("encoder", 7, 3);
	tiny_blocks("encoder", 11, 3);
}

static void dense_block(int n)
{
	static const char *const rdb[] = { "rdb1", "rdb2", "rdb3" };
	char name[16];

	into("body.0.", rdb[n - 1], -1);
	for (uint64_t i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "conv%d", (int)i + 1);
		conv(name, i < 4 ? GROWTH : CHANNELS, CHANNELS + i * GROWTH, 1);
	}
}

/* At the top level of names there is no part before. */
static void top_conv(const char *name, uint64_t out, uint64_t in)
{
	into(name, "", -1);
	add("weight", 4, (uint64_t[]){ out, in, 3, 3 });
	vector("bias", out);
}

static void upscaler(void)
{
	top_conv("conv_first", CHANNELS, 3);
	for (int i = 1; i <= 3; i++)
		dense_block(i);
	top_conv("conv_body", CHANNELS, CHANNELS);
	top_conv("conv_up1", CHANNELS, CHANNELS);
	top_conv("conv_up2", CHANNELS, CHANNELS);
	top_conv("conv_hr", CHANNELS, CHANNELS);
	top_conv("conv_last", 3, CHANNELS);
}

/* ---- the file ---- */

static void put(FILE *f, const void *p, size_t n)
{
	if (n && fwrite(p, 1, n, f) != n) {
		fprintf(stderr, "mksd: cannot write: %s\n", strerror(errno));
		exit(1);
	}
}

/* Little endian, whatever this machine is. */
static void put_number(FILE *f, uint64_t v, size_t size)
{
	uint8_t b[8];

	for (size_t i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	put(f, b, size);
}

static void put_header(FILE *f)
{
	static char text[sizeof(tensors) / sizeof(tensors[0]) * 200];
	size_t n = 0;
	uint64_t from = 0, to;

	for (size_t i = 0; i < n_tensors; i++, from = to) {
		const struct tensor *t = &tensors[i];

		to = from + 4 * t->elements;
		n += (size_t)sprintf(text + n, "%c\"%s\":{\"dtype\":\"F32\",\"shape\":[",
				     i ? ',' : '{', t->name);
		for (int d = 0; d < t->n_dims; d++)
			n += (size_t)sprintf(text + n, "%s%" PRIu64, d ? "," : "", t->dims[d]);
		n += (size_t)sprintf(text + n, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}",
				     from, to);
	}
	text[n++] = '}';
	while (n % 8)
		text[n++] = ' ';
	put_number(f, n, 8);
	put(f, text, n);
}

/* Between -0.08 and 0.08, and a norm near 1. */
static void put_data(FILE *f, const struct tensor *t, uint64_t *random)
{
	float base = strstr(t->name, "norm") ? 1 : 0, v;
	uint32_t bits;

	for (uint64_t i = 0; i < t->elements; i++) {
		*random ^= *random << 13;
		*random ^= *random >> 7;
		*random ^= *random << 17;
		v = base + ((float)(*random >> 40) / (float)(1 << 24) - 0.5F) * 0.16F;
		memcpy(&bits, &v, sizeof(bits));
		put_number(f, bits, 4);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*list)(void);
	} kinds[] = { { "image", image }, { "decoder", decoder }, { "upscaler", upscaler } };
	uint64_t random = argc == 4 ? strtoull(argv[2], NULL, 10) * 2654435761u + 1 : 0;
	FILE *f;

	for (size_t i = 0; argc == 4 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].name))
			kinds[i].list();
	if (!n_tensors) {
		fputs("usage: mksd image|decoder|upscaler SEED FILE\n", stderr);
		return 64;
	}
	f = fopen(argv[3], "wb");
	if (!f) {
		fprintf(stderr, "mksd: %s: %s\n", argv[3], strerror(errno));
		return 1;
	}
	put_header(f);
	for (size_t i = 0; i < n_tensors; i++)
		put_data(f, &tensors[i], &random);
	if (fclose(f)) {
		fprintf(stderr, "mksd: %s: %s\n", argv[3], strerror(errno));
		return 1;
	}
	return 0;
}
