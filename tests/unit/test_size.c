/* SPDX-License-Identifier: MIT */
/* test_size.c -- the size of a model from its name, word by word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../policy/size.h"

#define GB 1000000000ull
#define MB 1000000ull

static const struct {
	const char *name;
	uint64_t bytes;
} rows[] = {
	{ "Llama-7B", 14 * GB },
	{ "Llama-7B-fp32", 28 * GB },
	{ "SmolLM2-1.7B-8bit", 1700 * MB },
	{ "org-70b/Qwen-14B-4bit", 7 * GB },
	{ "x-7B-3bit", 2625 * MB },
	{ "x-7B-5bit", 4375 * MB },
	{ "x-8B-4-bit", 4 * GB },
	{ "x-8B-8bits", 8 * GB },
	{ "bitnet-2B-1.58bit", 394 * MB },
	{ "x 7 b int8", 7 * GB },
	{ "pythia-160m-int4", 80 * MB },
	{ "Ling-1T-4bit", 500 * GB },
	{ "x-8B-FP8", 8 * GB },
	{ "x-8B-GPTQ", 4 * GB },
	{ "x-8B-AWQ-8bit", 8 * GB },
	{ "x-8B-w4a16", 4 * GB },
	{ "llama-2-7b.Q4_K_M.gguf", 3500 * MB },
	{ "llama3:8b-q4_0", 4 * GB },
	{ "x-8B-q4f16_1-MLC", 4 * GB },
	{ "x-8B-Q8_0", 8504 * MB },
	{ "x-8B-IQ2_XXS", 2400 * MB },
	{ "x-8B-UD-Q4_K_XL", 4 * GB },
	{ "Qwen3-30B-A3B-6bit", 22500 * MB },
	{ "Mixtral-8x22B-4bit", 88 * GB },
	{ "gemma-4-e4b-it-4bit", 4 * GB },
	{ "Llama-3_3-70B_4bit", 35 * GB },
	{ "InternLM-1M-7B-4bit", 3500 * MB },
	{ "x-bf16-8B-4bit", 16 * GB },
	{ "Phi-3-mini-128k-4bit", 2 * GB },
	{ "bar-large", 140 * GB },
	{ "x-medium-int4", 6500 * MB },
	/* nothing to go by */
	{ "", 0 },
	{ "mlx-community/MiniMax-M2-4bit", 0 },
	{ "MiniMax-Text-1M-4bit", 0 },
	{ "whisper-large-v3-turbo", 0 },
	{ "sdxl-turbo", 0 },
	{ "stable-diffusion-xl-base-1.0", 0 },
	{ "bge-large-en", 0 },
	{ "Some-Q4_K_XL.gguf", 0 },
	{ "smaller-xlarge", 0 },
	{ "ollama:sha256-12345678901b", 0 },
	{ "x-0b", 0 },
	{ "x-9999999b", 0 },
	{ "x-999999t", 0 },
	{ "foo@7b", 0 },
	{ "x-a3b-8bit", 0 },
	{ "8bit", 0 },
};

static void test_names(void **state)
{
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum taf_size_basis basis = taf_size(rows[i].name, 0, &bytes);

		if (bytes != rows[i].bytes || basis != (bytes ? TAF_SIZE_NAME : TAF_SIZE_UNKNOWN))
			fail_msg("%s: %llu", rows[i].name, (unsigned long long)bytes);
	}
	assert_int_equal(taf_size(NULL, 0, &bytes), TAF_SIZE_UNKNOWN);
}

static void test_files_win(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_int_equal(taf_size("Llama-7B", 5, &bytes), TAF_SIZE_FILES);
	assert_int_equal(bytes, 5);
	assert_int_equal(taf_size(NULL, 5, &bytes), TAF_SIZE_FILES);
	assert_string_equal(taf_size_basis_name(TAF_SIZE_FILES), "file sizes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_files_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
