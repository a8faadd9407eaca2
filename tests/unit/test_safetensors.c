/* SPDX-License-Identifier: MIT */
/* test_safetensors.c -- safetensors headers and config.json, sound and hostile.
 *
 *	test_safetensors --corpus DIR    writes the seeds of the fuzz target instead */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../shim/safetensors.h"
#include "../../shim/scan.h"
#include "header_maker.h"

static const char sound[] =
	"{\"__metadata__\":{\"format\":\"mlx\",\"x\":\"{\\\"y\\\":1}\"},"
	"\"model.embed.weight\":{\"dtype\":\"U32\",\"shape\":[4,3],\"data_offsets\":[0,48]},"
	"\"model.norm.weight\":{\"data_offsets\":[48,64],\"shape\":[8],\"dtype\":\"BF16\"}}  ";

static struct maker m;
static struct taf_reader r;
static struct taf_safetensors s;
static struct taf_config c;

static int read_with(size_t window, uint64_t limit)
{
	static uint8_t buf[TAF_READER_WINDOW];
	uint8_t *exact = malloc(m.n ? m.n : 1);
	int err;

	memcpy(exact, m.bytes, m.n);
	taf_reader_of_memory(&r, exact, m.n);
	taf_reader_window(&r, buf, window);
	err = taf_safetensors_read(&r, &s, limit);
	free(exact);
	return err;
}

static int read_made(const char *json, size_t data)
{
	int err;

	make_safetensors(&m, json, data);
	err = read_with(TAF_READER_WINDOW, UINT64_MAX);
	assert_int_equal(err, read_with(3, UINT64_MAX));
	return err;
}

static int read_config(const char *json)
{
	static uint8_t buf[64];

	taf_reader_of_memory(&r, json, strlen(json));
	taf_reader_window(&r, buf, sizeof(buf));
	return taf_config_read(&r, &c);
}

static void test_sound(void **state)
{
	(void)state;
	assert_int_equal(read_made(sound, 64), 0);
	assert_int_equal(s.n_tensors, 2);
	assert_int_equal(s.n_elements, 20);
	assert_int_equal(s.data_bytes, 64);
	assert_int_equal(s.data_offset, 8 + strlen(sound));
	assert_string_equal(s.dtype, "U32");
	assert_string_equal(s.format, "mlx");
	assert_false(s.is_lora || s.is_odd || s.is_short || s.is_partial);
	assert_int_equal(read_made(sound, 63), 0);
	assert_true(s.is_short);
}

static void test_lengths(void **state)
{
	static const uint64_t lengths[] = { 0, 100000000, (uint64_t)1 << 63, UINT64_MAX,
					    UINT64_MAX - 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		make_safetensors(&m, sound, 64);
		m.n = 0;
		put_number(&m, lengths[i], 8);
		m.n = 8 + strlen(sound);
		assert_int_equal(read_with(64, UINT64_MAX), -EINVAL);
	}
	make_safetensors(&m, sound, 0);
	m.n--;
	assert_int_equal(read_with(64, UINT64_MAX), -ENODATA);
	for (m.n = 0; m.n < 8; m.n++)
		assert_int_equal(read_with(64, UINT64_MAX), -ENODATA);
}

static void test_limit(void **state)
{
	(void)state;
	make_safetensors(&m, sound, 64);
	for (uint64_t limit = 0; limit < strlen(sound); limit++) {
		assert_int_equal(read_with(64, limit), 0);
		assert_true(s.is_partial);
		assert_int_equal(s.data_bytes, 64);
		assert_int_equal(r.budget > TAF_READER_BUDGET - 512, 1);
	}
	assert_int_equal(read_with(64, strlen(sound)), 0);
	assert_false(s.is_partial);
}

static void test_not_json(void **state)
{
	static const char *const broken[] = {
		"[]",
		"{",
		"{\"a\"}",
		"{\"a\":1}",
		"{\"a\":{}",
		"{\"a\":{},}",
		"{\"a\":{\"shape\":[1,]}}",
		"{\"a\":{\"shape\":[\"x\"]}}",
		"{\"a\":{\"data_offsets\":[1]}}",
		"nul",
		"{a:{}}",
		"{\"a\":{\"data_offsets\":[1,2,3]}}",
		"{\"a\":{\"data_offsets\":[-1,2]}}",
		"\"a",
		"{\"\\x\":{}}",
		"{\"a\":{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]",
		"{\"a\n\":{}}",
		"{\"a\":{\"x\":-}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		if (read_made(broken[i], 64) != -EINVAL)
			fail_msg("accepted: %s", broken[i]);
		assert_non_null(r.flaw);
	}
}

static void test_odd_tensors(void **state)
{
	(void)state;
	assert_int_equal(read_made("{\"a\":{\"shape\":[4294967296,4294967296],"
				   "\"data_offsets\":[9,5]}}",
				   64),
			 0);
	assert_true(s.is_odd);
	assert_int_equal(read_made("{\"a\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":"
				   "[0,18446744073709551615]}}",
				   64),
			 0);
	assert_true(s.is_short);
	assert_string_equal(s.dtype, "F16");
	assert_int_equal(read_made("{\"l.0.lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[1],"
				   "\"data_offsets\":[0,4]}}",
				   64),
			 0);
	assert_true(s.is_lora);
	assert_int_equal(read_made("{}", 0), 0);
	assert_int_equal(s.n_tensors, 0);
}

static void test_strings(void **state)
{
	static const char json[] = "[\"a\\u00e9\\u20ac\\u0000\\ud83d\\n\\\"\", 12, -3, 1.5, "
				   "18446744073709551616, true, null, {}]";
	static uint8_t buf[16];
	struct taf_scan scan;

	(void)state;
	taf_reader_of_memory(&r, json, strlen(json));
	taf_reader_window(&r, buf, sizeof(buf));
	taf_scan_init(&scan, &r, UINT64_MAX);
	assert_int_equal(taf_scan_next(&scan), TAF_SCAN_ARRAY);
	assert_int_equal(taf_scan_next(&scan), TAF_SCAN_STRING);
	assert_string_equal(scan.text, "a\xc3\xa9\xe2\x82\xac??\n\"");
	assert_int_equal(taf_scan_next(&scan), TAF_SCAN_NUMBER);
	assert_true(scan.is_whole && scan.number == 12);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(taf_scan_next(&scan), TAF_SCAN_NUMBER);
		assert_false(scan.is_whole);
	}
	assert_int_equal(taf_scan_next(&scan), TAF_SCAN_TRUE);
	assert_int_equal(taf_scan_next(&scan), TAF_SCAN_NULL);
	assert_int_equal(taf_scan_next(&scan), TAF_SCAN_OBJECT);
	assert_int_equal(taf_scan_next(&scan), TAF_SCAN_CLOSE);
	assert_int_equal(taf_scan_next(&scan), TAF_SCAN_CLOSE);
	assert_int_equal(taf_scan_next(&scan), TAF_SCAN_END);
}

static void test_config_plain(void **state)
{
	struct taf_cache cache;

	(void)state;
	assert_int_equal(
		read_config(
			"{\"model_type\":\"qwen2\",\"hidden_size\":3584,\"num_hidden_layers\":28,\n"
			"\"num_attention_heads\":28,\"num_key_value_heads\":4,\"max_position_"
			"embeddings\":32768,\n"
			"\"sliding_window\":131072,\"use_sliding_window\":false,\"rope_scaling\":"
			"null,\n"
			"\"quantization\":{\"group_size\":64,\"bits\":4,\"a.b\":{\"bits\":8}},"
			"\"torch_dtype\":\"bfloat16\"}"),
		0);
	assert_string_equal(c.shape.arch, "qwen2");
	assert_int_equal(c.shape.context, 32768);
	assert_int_equal(c.quant_bits, 4);
	assert_int_equal(c.quant_group, 64);
	assert_string_equal(c.dtype, "bfloat16");
	taf_shape_cache(&c.shape, &cache);
	assert_int_equal(cache.full_k, 28 * 4 * 128);
	assert_int_equal(cache.full_v, 28 * 4 * 128);
	assert_int_equal(cache.window_k, 0);
}

/* The language part wins wherever it stands, and vision is not looked at. */
static void test_config_nested(void **state)
{
	struct taf_cache cache;

	(void)state;
	assert_int_equal(read_config(
				 "{\"vision_config\":{\"num_hidden_layers\":99,\"hidden_size\":7},"
				 "\"text_config\":{\"num_hidden_layers\":6,\"num_attention_heads\":"
				 "8,\"head_dim\":256,"
				 "\"num_key_value_heads\":4,\"global_head_dim\":512,\"num_global_"
				 "key_value_heads\":2,"
				 "\"sliding_window\":1024,\"model_type\":\"gemma4_text\",\"num_kv_"
				 "shared_layers\":0,"
				 "\"layer_types\":[\"sliding_attention\",\"sliding_attention\","
				 "\"sliding_attention\","
				 "\"sliding_attention\",\"sliding_attention\",\"full_attention\"]},"
				 "\"model_type\":\"gemma4\",\"num_hidden_layers\":1}"),
			 0);
	assert_string_equal(c.model_type, "gemma4_text");
	assert_int_equal(c.shape.layers, 6);
	taf_shape_cache(&c.shape, &cache);
	assert_int_equal(cache.full_k, 2 * 512);
	assert_int_equal(cache.window_k, 5 * 4 * 256);
	assert_int_equal(cache.window, 1024);
}

static void test_config_lists(void **state)
{
	struct taf_cache cache;

	(void)state;
	assert_int_equal(read_config(
				 "{\"num_hidden_layers\":4,\"num_key_value_heads\":[1,2,null,3],"
				 "\"head_dim\":10}"),
			 0);
	taf_shape_cache(&c.shape, &cache);
	assert_int_equal(cache.full_k, 60);
	assert_int_equal(read_config("{\"num_hidden_layers\":2,\"num_attention_heads\":16,"
				     "\"kv_lora_rank\":512,\"qk_rope_head_dim\":64,"
				     "\"num_key_value_heads\":16}"),
			 0);
	taf_shape_cache(&c.shape, &cache);
	assert_int_equal(cache.full_k, 2 * 576);
	assert_int_equal(cache.full_v, 0);
}

static void test_config_hostile(void **state)
{
	(void)state;
	assert_int_equal(read_config("[]"), -EINVAL);
	assert_int_equal(read_config(""), -EINVAL);
	assert_int_equal(read_config("{\"layer_types\":[1]}"), -EINVAL);
	assert_int_equal(read_config("{\"num_hidden_layers\":99999999999999999999999}"), 0);
	assert_int_equal(c.shape.layers, 0);
	assert_int_equal(read_config("{\"num_hidden_layers\":9999999999}"), 0);
	assert_int_equal(c.shape.layers, UINT32_MAX);
	assert_int_equal(read_config("{\"model_type\":[{\"a\":[1,2]}],\"head_dim\":\"x\","
				     "\"num_hidden_layers\":3}"),
			 0);
	assert_int_equal(c.shape.layers, 3);
}

static void seed(const char *dir, const char *name, const char *json)
{
	char path[512];

	make_safetensors(&m, json, 64);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	write_bytes(path, m.bytes, m.n);
}

static int write_corpus(const char *dir)
{
	seed(dir, "sound", sound);
	seed(dir, "lora",
	     "{\"a.lora_b\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}");
	seed(dir, "config",
	     "{\"model_type\":\"gemma4\",\"text_config\":{\"num_hidden_layers\":6,"
	     "\"layer_types\":[\"sliding_attention\"],\"num_key_value_heads\":[1,2],"
	     "\"head_dim\":64,\"kv_lora_rank\":null},\"quantization\":{\"bits\":4}}");
	seed(dir, "odd", "{\"\\u20ac\":{\"dtype\":1e5,\"shape\":[-1],\"data_offsets\":[9,5]}}");
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),	     cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_limit),	     cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_odd_tensors),  cmocka_unit_test(test_strings),
		cmocka_unit_test(test_config_plain), cmocka_unit_test(test_config_nested),
		cmocka_unit_test(test_config_lists), cmocka_unit_test(test_config_hostile),
	};

	if (argc == 3 && !strcmp(argv[1], "--corpus"))
		return write_corpus(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
