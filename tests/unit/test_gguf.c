/* SPDX-License-Identifier: MIT */
/* test_gguf.c -- headers of GGUF, sound and hostile.
 *
 *	test_gguf --corpus DIR    writes the seeds of the fuzz target instead */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../shim/gguf.h"
#include "header_maker.h"

static struct maker m;
static struct taf_gguf g;
static struct taf_reader r;

/* With a window so small that everything lies across its edge. */
static int read_with(size_t window)
{
	static uint8_t buf[TAF_READER_WINDOW];
	uint8_t *exact = malloc(m.n ? m.n : 1); /* so that a sanitizer sees one byte too many */
	int err;

	memcpy(exact, m.bytes, m.n);
	taf_reader_of_memory(&r, exact, m.n);
	taf_reader_window(&r, buf, window);
	err = taf_gguf_read(&r, &g);
	free(exact);
	return err;
}

static int read_made(void)
{
	int err = read_with(TAF_READER_WINDOW);

	assert_int_equal(err, read_with(7));
	return err;
}

static void assert_flaw(int err, const char *text)
{
	char told[128];
	struct taf_text t;

	assert_int_equal(read_made(), err);
	taf_text_init(&t, told, sizeof(told));
	taf_reader_tell(&r, &t);
	assert_non_null(strstr(told, text));
	assert_non_null(strstr(told, " at byte "));
}

static void test_sound(void **state)
{
	(void)state;
	make_llama(&m);
	assert_int_equal(read_made(), 0);
	assert_string_equal(g.shape.arch, "llama");
	assert_string_equal(g.name, "Tiny");
	assert_string_equal(g.size_label, "1M");
	assert_string_equal(taf_gguf_quant(&g), "Q4_K_M");
	assert_int_equal(g.shape.layers, 4);
	assert_int_equal(g.shape.context, 4096);
	assert_int_equal(g.shape.heads_kv[0], 2);
	assert_int_equal(g.shape.heads_kv_told, 1);
	assert_int_equal(g.vocab_size, 3);
	assert_int_equal(g.data_bytes, 96);
	assert_int_equal(g.largest, 64); /* the second one goes to the end */
	assert_int_equal(g.data_offset % 32, 0);
	assert_int_equal(g.data_offset + g.data_bytes, m.n);
	assert_false(g.is_odd);
	assert_false(g.is_short);
}

/* Every cut is refused or leaves the file marked as short; none is read past. */
static void test_cut_anywhere(void **state)
{
	size_t whole;

	(void)state;
	make_llama(&m);
	whole = m.n;
	for (size_t n = 0; n < whole; n++) {
		m.n = n;
		if (read_made() == 0)
			assert_true(g.is_short || n > whole - 96);
		else
			assert_int_equal(r.err, -ENODATA);
	}
}

static void test_wrong_beginnings(void **state)
{
	(void)state;
	make_llama(&m);
	m.bytes[0] = 'X';
	assert_flaw(-EINVAL, "not a GGUF file");
	make_llama(&m);
	m.bytes[4] = 0;
	m.bytes[7] = 3;
	assert_flaw(-EINVAL, "other endianness");
	for (int v = 0; v < 6; v++) {
		make_llama(&m);
		m.bytes[4] = (uint8_t)v;
		if (v == 2 || v == 3)
			assert_int_equal(read_made(), 0);
		else
			assert_flaw(-EINVAL, "version");
	}
}

static void test_lengths_near_the_end_of_numbers(void **state)
{
	static const uint64_t lengths[] = { UINT64_MAX,	       UINT64_MAX - 7,
					    (uint64_t)1 << 63, ((uint64_t)1 << 62) + 1,
					    (uint64_t)1 << 61, 1u << 31 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint64_t n = lengths[i];

		put_head(&m, 0, 1); /* a key */
		put_number(&m, n, 8);
		assert_flaw(-EINVAL, "key");
		put_head(&m, 0, 1); /* a text of ours */
		put_string(&m, "general.name");
		put_number(&m, 8, 4);
		put_number(&m, n, 8);
		assert_flaw(-ENODATA, "past the end");
		for (uint32_t type = 0; type < 13; type++) { /* an array of each type */
			put_head(&m, 0, 1);
			put_string(&m, "x");
			put_number(&m, 9, 4);
			put_number(&m, type, 4);
			put_number(&m, n, 8);
			assert_true(read_made() < 0);
		}
		put_head(&m, n, 0); /* tensors */
		assert_int_equal(read_made(), -ENODATA);
		put_head(&m, 0, n); /* pairs */
		assert_flaw(-E2BIG, "pairs");
	}
}

static void test_list_of_layers_near_the_end(void **state)
{
	(void)state;
	put_head(&m, 0, 2);
	pair_text(&m, "general.architecture", "llama");
	put_string(&m, "llama.attention.head_count_kv");
	put_number(&m, 9, 4);
	put_number(&m, 4, 4);
	put_number(&m, (uint64_t)1 << 62, 8); /* times 4 is 0 */
	for (int i = 0; i < 600; i++)
		put_number(&m, 1, 4);
	assert_flaw(-ENODATA, "past the end");
}

static void put_nested(int depth)
{
	put_head(&m, 0, 1);
	put_string(&m, "x");
	put_number(&m, 9, 4);
	for (int i = 1; i < depth; i++) {
		put_number(&m, 9, 4);
		put_number(&m, 1, 8);
	}
	put_number(&m, 0, 4);
	put_number(&m, 3, 8);
	put_bytes(&m, "abc", 3);
}

static void test_nested_arrays(void **state)
{
	(void)state;
	put_nested(1);
	assert_int_equal(read_made(), 0);
	assert_false(g.is_odd);
	put_nested(4);
	assert_int_equal(read_made(), 0);
	assert_true(g.is_odd);
	put_nested(5);
	assert_flaw(-EINVAL, "too deep");
	put_nested(2000);
	assert_flaw(-EINVAL, "too deep");
}

/* Reading stops at the budget, however much the file would give. */
static void test_budget(void **state)
{
	static uint8_t window[64];

	(void)state;
	make_llama(&m);
	taf_reader_of_memory(&r, m.bytes, m.n);
	taf_reader_window(&r, window, sizeof(window));
	r.budget = 100;
	assert_int_equal(taf_gguf_read(&r, &g), -E2BIG);
	assert_int_equal(r.budget, 0);
}

static void test_odd_values(void **state)
{
	(void)state;
	put_head(&m, 0, 5);
	pair_u32(&m, "general.architecture", 7); /* not a text */
	pair_text(&m, "general.name", "first");
	pair_text(&m, "general.name", "second");
	put_string(&m, "general.file_type");
	put_number(&m, 6, 4);
	put_number(&m, 0, 4); /* a float */
	put_string(&m, "split.count");
	put_number(&m, 10, 4);
	put_number(&m, (uint64_t)1 << 40, 8);
	put_data(&m, 0);
	assert_int_equal(read_made(), 0);
	assert_true(g.is_odd);
	assert_string_equal(g.name, "first");
	assert_string_equal(g.shape.arch, "");
	assert_int_equal(g.file_type, TAF_GGUF_NONE);
	assert_int_equal(g.split_count, UINT32_MAX);
}

static void test_unknown_types(void **state)
{
	(void)state;
	put_head(&m, 0, 1);
	put_string(&m, "x");
	put_number(&m, 13, 4);
	assert_flaw(-EINVAL, "unknown type");
	put_head(&m, 1, 0);
	put_string(&m, "t");
	put_number(&m, 5, 4);
	assert_flaw(-EINVAL, "dimensions");
	put_head(&m, 0, 1);
	pair_u32(&m, "general.alignment", 33);
	assert_flaw(-EINVAL, "power of two");
}

static void test_long_and_broken_names(void **state)
{
	char name[400];

	(void)state;
	memset(name, 0xff, sizeof(name)); /* no UTF-8 */
	name[sizeof(name) - 1] = '\0';
	put_head(&m, 0, 2);
	pair_text(&m, "general.name", name);
	put_string(&m, "general.type");
	put_number(&m, 8, 4);
	put_number(&m, 3, 8);
	put_bytes(&m, "a\0b", 3);
	put_data(&m, 0);
	assert_int_equal(read_made(), 0);
	assert_int_equal(strlen(g.name), sizeof(g.name) - 1);
	assert_string_equal(g.type, "a?b");
}

static void test_architecture_comes_last(void **state)
{
	(void)state;
	put_head(&m, 0, 3);
	pair_u32(&m, "qwen2.block_count", 28);
	pair_u32(&m, "llama.block_count", 4);
	pair_text(&m, "general.architecture", "qwen2");
	put_data(&m, 0);
	assert_int_equal(read_made(), 0);
	assert_int_equal(g.shape.layers, 28);
	assert_false(g.is_odd);
}

static void test_guessed_quant(void **state)
{
	(void)state;
	put_head(&m, 3, 0);
	put_tensor(&m, "a", 0, 0);
	put_tensor(&m, "b", 8, 32);
	put_tensor(&m, "c", 8, 64);
	put_data(&m, 96);
	assert_int_equal(read_made(), 0);
	assert_string_equal(taf_gguf_quant(&g), "Q8_0");
	g.file_type = 33; /* given up */
	assert_string_equal(taf_gguf_quant(&g), "");
	g.file_type = 1024 + 2;
	assert_string_equal(taf_gguf_quant(&g), "Q4_0");
}

/* 4 layers, 2 heads of 64 for keys and values each, 2 bytes. */
/* Whatever else such a name begins with is no such tensor. */
static void test_rope_sets(void **state)
{
	static const struct {
		const char *name;
		bool is_one;
	} t[] = { { "rope_factors_long.weight", true },
		  { "rope_factors_short.weight", false },
		  { "rope_factors_long.weight.of.another.kind.by.far", false },
		  { "rope_freqs.weight", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		put_head(&m, 1, 2);
		pair_text(&m, "general.architecture", "phi3");
		pair_u32(&m, "phi3.rope.scaling.original_context_length", 4096);
		put_tensor(&m, t[i].name, 0, 0);
		put_data(&m, 32);
		assert_int_equal(read_made(), 0);
		assert_int_equal(g.rope_turn, 4096);
		assert_int_equal(g.has_rope_sets, t[i].is_one);
	}
}

static void test_kv_plain(void **state)
{
	struct taf_cache_ask ask = { .context = 1000 };

	(void)state;
	make_llama(&m);
	assert_int_equal(read_made(), 0);
	assert_int_equal(taf_gguf_kv_bytes(&g, &ask), 1000u * 4 * 2 * 64 * 2 * 2);
	ask.k_unit = taf_cache_unit("q8_0");
	ask.v_unit = taf_cache_unit("q4_0");
	assert_int_equal(taf_gguf_kv_bytes(&g, &ask), 1000u * 4 * 2 * 64 * (34 + 18) / 32);
	assert_int_equal(taf_cache_unit("q3_k"), 0);
	ask.context = UINT64_MAX / 2;
	assert_true(taf_gguf_kv_bytes(&g, &ask) == UINT64_MAX);
}

static void test_kv_lists(void **state)
{
	static const uint32_t heads[] = { 0, 4, 0, 2 };
	struct taf_cache_ask ask = { .context = 100 };
	struct taf_cache c;

	(void)state;
	put_head(&m, 0, 6);
	pair_text(&m, "general.architecture", "lfm2");
	pair_u32(&m, "lfm2.block_count", 4);
	pair_u32(&m, "lfm2.attention.head_count", 8);
	pair_list(&m, "lfm2.attention.head_count_kv", heads, 4);
	pair_u32(&m, "lfm2.attention.key_length", 16);
	pair_u32(&m, "lfm2.attention.value_length", 32);
	put_data(&m, 0);
	assert_int_equal(read_made(), 0);
	taf_shape_cache(&g.shape, &c);
	assert_int_equal(c.layers, 2);
	assert_int_equal(taf_gguf_kv_bytes(&g, &ask), 100u * 6 * (16 + 32) * 2);
}

static void test_kv_window(void **state)
{
	struct taf_cache_ask ask = { .context = 32768 };
	struct taf_cache c;
	uint64_t token = (uint64_t)4 * 128 * 2 * 2; /* one layer */

	(void)state;
	put_head(&m, 0, 8);
	pair_text(&m, "general.architecture", "gemma3");
	pair_u32(&m, "gemma3.block_count", 12);
	pair_u32(&m, "gemma3.embedding_length", 1024);
	pair_u32(&m, "gemma3.attention.head_count", 8);
	pair_u32(&m, "gemma3.attention.head_count_kv", 4);
	pair_u32(&m, "gemma3.attention.key_length", 128);
	pair_u32(&m, "gemma3.attention.value_length", 128);
	pair_u32(&m, "gemma3.attention.sliding_window", 1000);
	put_data(&m, 0);
	assert_int_equal(read_made(), 0);
	taf_shape_cache(&g.shape, &c);
	/* 10 of 12 slide; 1000 + 512 tokens are padded to 1536. */
	assert_int_equal(taf_cache_bytes(&c, &ask), token * (2 * 32768 + 10 * 1536));
	ask.is_window_full = true;
	assert_int_equal(taf_cache_bytes(&c, &ask), token * 12 * 32768);
	ask = (struct taf_cache_ask){ .context = 512 };
	assert_int_equal(taf_cache_bytes(&c, &ask), token * 12 * 512);
}

static void test_kv_pattern_and_sharing(void **state)
{
	static const uint32_t slides[] = { 1, 1, 0, 1, 1, 0 };
	struct taf_cache_ask ask = { .context = 8192 };

	(void)state;
	put_head(&m, 0, 9);
	pair_text(&m, "general.architecture", "gemma4");
	pair_u32(&m, "gemma4.block_count", 6);
	pair_u32(&m, "gemma4.attention.head_count", 8);
	pair_u32(&m, "gemma4.attention.head_count_kv", 1);
	pair_u32(&m, "gemma4.attention.key_length", 512);
	pair_u32(&m, "gemma4.attention.key_length_swa", 256);
	pair_u32(&m, "gemma4.attention.sliding_window", 512);
	pair_u32(&m, "gemma4.attention.shared_kv_layers", 3);
	pair_list(&m, "gemma4.attention.sliding_window_pattern", slides, 6);
	put_data(&m, 0);
	assert_int_equal(read_made(), 0);
	/* Of the first three, two slide; no embedding is told, so values have no length. */
	assert_int_equal(taf_gguf_kv_bytes(&g, &ask), (8192u * 512 + 1024u * 2 * 256) * 2);
}

static void test_kv_compressed(void **state)
{
	struct taf_cache_ask ask = { .context = 4096 };

	(void)state;
	put_head(&m, 0, 6);
	pair_text(&m, "general.architecture", "deepseek2");
	pair_u32(&m, "deepseek2.block_count", 61);
	pair_u32(&m, "deepseek2.attention.head_count", 128);
	pair_u32(&m, "deepseek2.attention.head_count_kv", 1);
	pair_u32(&m, "deepseek2.attention.kv_lora_rank", 512);
	pair_u32(&m, "deepseek2.rope.dimension_count", 64);
	put_data(&m, 0);
	assert_int_equal(read_made(), 0);
	assert_int_equal(taf_gguf_kv_bytes(&g, &ask), 4096u * 61 * 576 * 2);
}

static void test_kv_hybrid_and_absurd(void **state)
{
	struct taf_cache_ask ask = { .context = 100 };
	struct taf_cache c;

	(void)state;
	put_head(&m, 0, 5);
	pair_text(&m, "general.architecture", "qwen3next");
	pair_u32(&m, "qwen3next.block_count", 48);
	pair_u32(&m, "qwen3next.embedding_length", 2048);
	pair_u32(&m, "qwen3next.attention.head_count", 16);
	pair_u32(&m, "qwen3next.attention.head_count_kv", 2);
	put_data(&m, 0);
	assert_int_equal(read_made(), 0);
	assert_int_equal(taf_gguf_kv_bytes(&g, &ask), 100u * 12 * 2 * 128 * 2 * 2);
	g.shape = (struct taf_shape){ .layers = UINT32_MAX, .heads = 1, .embedding = UINT32_MAX };
	taf_shape_cache(&g.shape, &c);
	assert_int_equal(c.layers, UINT32_MAX);
	assert_true(c.full_k == (uint64_t)UINT32_MAX * UINT32_MAX);
	ask.context = 1u << 20;
	assert_true(taf_cache_bytes(&c, &ask) == UINT64_MAX);
}

static void seed(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	write_bytes(path, m.bytes, m.n);
}

static int write_corpus(const char *dir)
{
	static const uint32_t heads[] = { 1, 0, 2 };

	make_llama(&m);
	seed(dir, "llama");
	put_nested(4);
	seed(dir, "nested");
	put_head(&m, 1, 4);
	pair_u32(&m, "gemma3.attention.sliding_window", 512);
	pair_list(&m, "gemma3.attention.head_count_kv", heads, 3);
	pair_list(&m, "gemma3.attention.sliding_window_pattern", heads, 3);
	pair_text(&m, "general.architecture", "gemma3");
	put_tensor(&m, "x", 1, 0);
	put_data(&m, 16);
	seed(dir, "late");
	put_head(&m, 0, UINT64_MAX);
	seed(dir, "absurd");
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_wrong_beginnings),
		cmocka_unit_test(test_lengths_near_the_end_of_numbers),
		cmocka_unit_test(test_list_of_layers_near_the_end),
		cmocka_unit_test(test_nested_arrays),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_odd_values),
		cmocka_unit_test(test_unknown_types),
		cmocka_unit_test(test_long_and_broken_names),
		cmocka_unit_test(test_architecture_comes_last),
		cmocka_unit_test(test_guessed_quant),
		cmocka_unit_test(test_rope_sets),
		cmocka_unit_test(test_kv_plain),
		cmocka_unit_test(test_kv_lists),
		cmocka_unit_test(test_kv_window),
		cmocka_unit_test(test_kv_pattern_and_sharing),
		cmocka_unit_test(test_kv_compressed),
		cmocka_unit_test(test_kv_hybrid_and_absurd),
	};

	if (argc == 3 && !strcmp(argv[1], "--corpus"))
		return write_corpus(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
