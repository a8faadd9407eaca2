/* SPDX-License-Identifier: MIT */
/* test_family.c -- families by word and literally, their pauses, GPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../policy/family.h"
#include "../../shim/model_id.h"

static void test_by_words(void **state)
{
	static const char *const yes[] = {
		"/Users/me/models/gemma-4-31b-it-8bit",
		"/h/models--mlx-community--gemma-4-31b-it-8bit/snapshots/0123/model.safetensors",
		"/h/models--unsloth--gemma-4-E4B-it-GGUF/snapshots/0123/gemma-4-E4B-it-Q4_K_M.gguf",
		"/m/google_gemma-4-31B-it-Q4_K_M.gguf",
		"/m/Gemma4-31B.gguf",
		"/m/gemma-4.gguf",
		"gemma-4:31b-it-q8_0",
		"gemma4:latest",
		"google/gemma-4-31b-it",
		"huihui-ai/Huihui-gemma-4-31b-it-abliterated",
		"mlx-community/gemma_4_31b",
	};
	static const char *const no[] = {
		"google/gemma-3-4b-it",
		"google/gemma-4b-it",
		"google/gemma-40b",
		"gemma-4.5-31b",
		"google/medgemma-4b-it",
		"google/codegemma-4x",
		"gemma",
		"gemma-2:4b",
		"gemma-4/other-7b",
		"qwen3-4b@gemma-4",
	};
	char id[TAF_MODEL_ID];

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		assert_true(taf_model_id(yes[i], id));
		if (taf_family_of(id) != TAF_FAMILY_GEMMA_4)
			fail_msg("%s is %s", yes[i], id);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (taf_family_of(no[i]))
			fail_msg("%s", no[i]);
	assert_int_equal(taf_family_of(NULL), TAF_FAMILY_NONE);
	assert_int_equal(taf_family_of(""), TAF_FAMILY_NONE);
}

static void test_literally(void **state)
{
	static const char *const yes[] = { "mlx-community/gemma-4-31b-it-8bit",
					   "unsloth/gemma-4-e4b-it", "mlx-models/GEMMA-4-E2B-",
					   "mlx-community/gemma-4-1B-x" };
	static const char *const no[] = {
		"google/gemma-4-31b-it",
		"MLX-community/gemma-4-31b-it",
		"mlx-community/gemma-4-31b",
		"mlx-community/gemma-4-b-it",
		"mlx-community/gemma-4-e-b-it",
		"mlx-community/gemma-4-31b-it/8bit",
		"mlx-community/gemma-4-31b-it_8bit",
		"mlx-community/gemma-4-31b-it.8bit",
		"mlx-community/gemma-4-31m-it",
		"mlx-community/gemma-4",
		"mlx-communit/gemma-4-31b-it",
		"gemma-4-31b-it",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!taf_family_is_literal(TAF_FAMILY_GEMMA_4, yes[i]))
			fail_msg("%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (taf_family_is_literal(TAF_FAMILY_GEMMA_4, no[i]))
			fail_msg("%s", no[i]);
	assert_false(taf_family_is_literal(TAF_FAMILY_GEMMA_4, NULL));
	assert_false(taf_family_is_literal(TAF_FAMILY_NONE, yes[0]));
}

static void test_pauses(void **state)
{
	(void)state;
	assert_string_equal(taf_family_name(TAF_FAMILY_GEMMA_4), "gemma-4");
	assert_int_equal(taf_family_floor_ms(TAF_FAMILY_GEMMA_4), 90000);
	assert_int_equal(taf_family_floor_ms(TAF_FAMILY_NONE), 0);
	assert_int_equal(taf_family_settle_ms("gemma-4-31b", 0), 3000);
	assert_int_equal(taf_family_settle_ms("gemma-4-31b", 1), 0);
	assert_int_equal(taf_family_settle_ms("qwen3-8b", 0), 0);
	assert_int_equal(taf_family_settle_ms(NULL, 0), 0);
}

static void test_gpus(void **state)
{
	static const char *const rows[][2] = {
		{ "applegpu_g13s", "M1" },
		{ "applegpu_g14", "M2" },
		{ "applegpu_g15d", "M3" },
		{ " AppleGPU_G16p\n", "M4" },
		{ "applegpu_g17s", "M5" },
		{ "applegpu_g18p", "applegpu_g18p" },
		{ "applegpu_g130", "applegpu_g130" },
		{ "sm_90", "sm_90" },
		{ "", "unknown" },
		{ " ", "unknown" },
		{ NULL, "unknown" },
	};
	char buf[64];
	struct taf_text t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		taf_text_init(&t, buf, sizeof(buf));
		taf_gpu_family(rows[i][0], &t);
		assert_string_equal(buf, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_words),
		cmocka_unit_test(test_literally),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_gpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
