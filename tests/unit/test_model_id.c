/* SPDX-License-Identifier: MIT */
/* test_model_id.c -- one name for one model, however it was reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../shim/model_id.h"

#define HEX64 "6a0746a1ec1aef3e7ec53868f220ff6e389f6f8ef87a01d77c96807de94ca2aa"

static const struct {
	const char *seen, *id;
} names[] = {
	/* Hugging Face cache */
	{ "/Users/me/.cache/huggingface/hub/models--mlx-community--Foo-4bit/snapshots/0123abcd/"
	  "model.safetensors",
	  "mlx-community/foo-4bit@0123abcd" },
	{ "/x/models--mlx-community--gemma-4-31b-it-8bit/snapshots/0123456789abcdef/config.json",
	  "mlx-community/gemma-4-31b-it-8bit@01234567" },
	{ "models--a--b/snapshots/1/model.safetensors", "a/b@1" },
	{ "/h/models--bartowski--Foo-GGUF/snapshots/0123456789/Foo-Q4_K_M.gguf",
	  "bartowski/foo-gguf:q4_k_m@01234567" },
	{ "/h/models--u--Foo-GGUF/snapshots/0123456789/Q8_0/Foo.Q8_0-00002-of-00003.gguf",
	  "u/foo-gguf:q8_0@01234567" },
	{ "/h/models--u--Foo-GGUF/snapshots/0123456789/Foo-Instruct.gguf", "u/foo-gguf@01234567" },
	{ "/h/models--gpt2/snapshots/0123456789/model.safetensors", "gpt2@01234567" },
	{ "/h/models--u--f/blobs/" HEX64, "u/f" },
	/* Ollama */
	{ "/h/.ollama/models/blobs/sha256-" HEX64, "ollama:sha256-6a0746a1ec1a" },
	{ "gemma-4:31b-it-q8_0", "gemma-4:31b-it-q8_0" },
	/* files and directories */
	{ "/m/Llama-3.1-8B-IQ4_XS.gguf", "llama-3.1-8b-iq4_xs" },
	{ "/m/Big-Q4_K_M-00001-of-00005.gguf", "big-q4_k_m" },
	{ "tiny.gguf", "tiny" },
	{ "/m/odd-0001-of-00005.gguf", "odd-0001-of-00005" },
	{ "/m/Qwen3-4bit/model-00001-of-00003.safetensors", "qwen3-4bit" },
	{ "/m/Qwen3-4bit/config.json", "qwen3-4bit" },
	{ "/m/lora-x/adapters.safetensors", "lora-x" },
	{ "/m/sdxl-Turbo.safetensors", "sdxl-turbo" },
	{ "/Users/me/models/gemma-4-31b-it-8bit", "gemma-4-31b-it-8bit" },
	{ "/Users/me/models/gemma-4-31b-it-8bit/", "gemma-4-31b-it-8bit" },
	{ "model.safetensors", "model" },
	/* hub names */
	{ "google/gemma-4-31b-it", "google/gemma-4-31b-it" },
	{ "bartowski/Foo-GGUF:Q4_K_M", "bartowski/foo-gguf:q4_k_m" },
	{ "./models/foo", "foo" },
	/* what could steer a terminal or end a record */
	{ "/m/a\x1b[2J\"\n\\b.gguf", "a_[2j___b" },
};

static void test_names(void **state)
{
	char id[TAF_MODEL_ID];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(taf_model_id(names[i].seen, id));
		assert_string_equal(id, names[i].id);
	}
}

static void test_nothing(void **state)
{
	char id[TAF_MODEL_ID];

	(void)state;
	assert_false(taf_model_id("", id));
	assert_false(taf_model_id("/", id));
	assert_false(taf_model_id(".", id));
	assert_string_equal(id, "");
}

static void test_long(void **state)
{
	char path[4096], id[TAF_MODEL_ID];

	(void)state;
	memset(path, 'x', sizeof(path));
	memcpy(path + sizeof(path) - 6, ".gguf", 6);
	assert_true(taf_model_id(path, id));
	assert_int_equal(strlen(id), TAF_MODEL_ID - 1);
}

static void test_same(void **state)
{
	char a[TAF_MODEL_ID], b[TAF_MODEL_ID];

	(void)state;
	assert_true(taf_model_id(names[0].seen, a));
	assert_true(taf_model_id("mlx-community/Foo-4bit", b));
	assert_true(taf_model_id_same(a, b) && taf_model_id_same(b, a));
	assert_true(taf_model_id_same(a, a));
	assert_false(taf_model_id_same("a/b@1", "a/b@2"));
	assert_false(taf_model_id_same("a/b", "a/bc"));
	assert_false(taf_model_id_same("a/b@1", "a/bc@1"));
	assert_false(taf_model_id_same("a/b:q4_0", "a/b:q8_0"));
}

static void test_dir(void **state)
{
	char id[TAF_MODEL_ID];

	(void)state;
	assert_true(taf_model_id_of_dir("models/Foo/", id));
	assert_string_equal(id, "foo");
	assert_true(taf_model_id_of_dir("/h/models--a--B/snapshots/0123456789/", id));
	assert_string_equal(id, "a/b@01234567");
	assert_false(taf_model_id_of_dir("./", id));
}

static void test_fingerprint(void **state)
{
	uint64_t a = taf_model_fingerprint(10, 20, "abc", 3);

	(void)state;
	assert_true(a == taf_model_fingerprint(10, 20, "abc", 3));
	assert_true(a != taf_model_fingerprint(11, 20, "abc", 3));
	assert_true(a != taf_model_fingerprint(10, 21, "abc", 3));
	assert_true(a != taf_model_fingerprint(10, 20, "abd", 3));
	assert_true(a != taf_model_fingerprint(10, 20, "abc", 2));
}

static void test_split(void **state)
{
	uint32_t no, count;

	(void)state;
	assert_int_equal(taf_model_split("a-b-00002-of-00010.gguf", &no, &count), 3);
	assert_int_equal(no, 2);
	assert_int_equal(count, 10);
	assert_int_equal(taf_model_split("model-00001-of-00002.safetensors", &no, &count), 5);
	assert_int_equal(taf_model_split("-00001-of-00002.gguf", &no, &count), 0);
	assert_int_equal(taf_model_split("a-00001-of-0002.gguf", &no, &count), 0);
	assert_int_equal(taf_model_split("", &no, &count), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_long),  cmocka_unit_test(test_same),
		cmocka_unit_test(test_dir),   cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
