/* SPDX-License-Identifier: MIT */
/* test_load_size.c -- what a load will take: its context, its companions, its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../shim/load_size.h"
#include "header_maker.h"

/* Bytes of the cache of make_llama() a token: 4 layers of 2 heads of 64, keys and values. */
#define TOKEN_F16 2048u
#define TOKEN_Q8 1088u

static char top[] = "/tmp/taf_load_size_XXXXXX";
static struct taf_model_hints hints;
static struct taf_model model;

static void hint(const char *line)
{
	char copy[512], *argv[32];
	int argc = 0;

	strcpy(copy, line);
	for (char *p = strtok(copy, " "); p && argc < 32; p = strtok(NULL, " "))
		argv[argc++] = p;
	memset(&hints, 0, sizeof(hints));
	taf_model_hint_argv(argc, argv, &hints);
}

static uint64_t context_of(const char *line, uint32_t trained)
{
	struct taf_cache_ask ask;

	hint(line);
	taf_load_ask(&hints, trained, &ask);
	return ask.context;
}

static void the_context_is_what_was_said(void **state)
{
	(void)state;
	assert_int_equal(context_of("llama-server -m a.gguf -c 8192", 4096), 8192);
	assert_int_equal(context_of("llama-server -m a.gguf --ctx-size=8192", 4096), 8192);
	assert_int_equal(context_of("ollama runner --model a --ctx-size 2048", 4096), 2048);
	assert_int_equal(context_of("python -m vllm.entrypoints --max-model-len 512", 4096), 512);
	/* 0 is the model's own. */
	assert_int_equal(context_of("llama-server -c 0", 131072), 131072);
	assert_int_equal(context_of("llama-server -c 0", 0), 4096);
	/* Nothing was said, or nonsense: what the program takes, never more than the model has. */
	assert_int_equal(context_of("llama-server", 131072), 4096);
	assert_int_equal(context_of("llama-server", 2048), 2048);
	assert_int_equal(context_of("node serve.mjs", 131072), 512);
	assert_int_equal(context_of("node serve.mjs", 0), 512);
	assert_int_equal(context_of("llama-server -c many", 1024), 1024);
	assert_int_equal(context_of("python -c 8192", 131072), 512);
}

static void so_are_types_and_sequences(void **state)
{
	struct taf_cache_ask ask;

	(void)state;
	hint("llama-server -ctk q8_0 --cache-type-v f16 -np 4 -ub 256");
	taf_load_ask(&hints, 4096, &ask);
	assert_int_equal(ask.k_unit, 34);
	assert_int_equal(ask.v_unit, 64);
	assert_int_equal(ask.sequences, 4);
	assert_int_equal(ask.ubatch, 256);
	hint("llama-server -ctk strange -np 99999999999");
	taf_load_ask(&hints, 4096, &ask);
	assert_int_equal(ask.k_unit, 0);
	assert_int_equal(ask.sequences, 0);
}

static int make_models(void **state)
{
	static struct maker m;

	(void)state;
	if (!mkdtemp(top) || chdir(top))
		return -1;
	make_llama(&m);
	write_bytes("main.gguf", m.bytes, m.n);
	put_data(&m, 64);
	write_bytes("draft.gguf", m.bytes, m.n);
	put_data(&m, 32);
	write_bytes("mmproj.gguf", m.bytes, m.n);
	write_bytes("broken.gguf", "GGUFnonsense", 12);
	return 0;
}

static int remove_models(void **state)
{
	char command[64] = "rm -rf ";

	(void)state;
	return chdir("/") || system(strcat(command, top));
}

static struct taf_load_size measure(const char *line, const char *file)
{
	struct taf_load_size s;

	hint(line);
	if (file)
		taf_model_identify(file, &model);
	taf_load_measure(file ? &model : NULL, &hints, &s);
	return s;
}

static void weights_and_cache_come_from_the_header(void **state)
{
	struct taf_load_size s = measure("llama-server -c 1000", "main.gguf");

	(void)state;
	assert_int_equal(s.basis, TAF_BASIS_HEADERS);
	assert_int_equal(s.bytes, 96);
	assert_int_equal(s.cache_bytes, 1000 * TOKEN_F16);
	s = measure("llama-server -c 1000 -ctk q8_0 -ctv q8_0", "main.gguf");
	assert_int_equal(s.cache_bytes, 1000 * TOKEN_Q8);
	s = measure("node serve.mjs", "main.gguf");
	assert_int_equal(s.cache_bytes, 512 * TOKEN_F16);
}

static void companions_are_added(void **state)
{
	struct taf_load_size s;

	(void)state;
	s = measure("llama-server -m main.gguf -md draft.gguf -mm mmproj.gguf -c 100", "main.gguf");
	assert_int_equal(s.bytes, 96 + 160 + 192);
	assert_int_equal(s.cache_bytes, 2 * 100 * TOKEN_F16);
	/* Not to another model, and not to itself. */
	s = measure("llama-server -m other.gguf -md draft.gguf -c 100", "main.gguf");
	assert_int_equal(s.bytes, 96);
	s = measure("llama-server -m main.gguf -md draft.gguf -c 100", "draft.gguf");
	assert_int_equal(s.bytes, 160);
	s = measure("llama-server -m main.gguf -md gone.gguf -c 100", "main.gguf");
	assert_int_equal(s.bytes, 96);
}

static void what_cannot_be_read_is_guessed(void **state)
{
	struct taf_load_size s = measure("llama-server", "broken.gguf");

	(void)state;
	assert_int_equal(s.basis, s.bytes ? TAF_BASIS_FILES : TAF_BASIS_UNKNOWN);
	assert_int_equal(s.cache_bytes, 0);
	/* A file that is not there is the engine's to complain about. */
	s = measure("llama-server -m Llama-7B-4bit.gguf", "Llama-7B-4bit.gguf");
	assert_int_equal(s.basis, TAF_BASIS_UNKNOWN);
	assert_int_equal(s.bytes, 0);
	/* No file at all, but a name. */
	s = measure("llama-server --hf-repo org/Llama-7B-4bit", NULL);
	assert_int_equal(s.basis, TAF_BASIS_NAME);
	assert_true(s.bytes == 3500000000u);
	s = measure("llama-server", NULL);
	assert_int_equal(s.basis, TAF_BASIS_UNKNOWN);
	assert_int_equal(s.bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_context_is_what_was_said),
		cmocka_unit_test(so_are_types_and_sequences),
		cmocka_unit_test(weights_and_cache_come_from_the_header),
		cmocka_unit_test(companions_are_added),
		cmocka_unit_test(what_cannot_be_read_is_guessed),
	};

	return cmocka_run_group_tests(tests, make_models, remove_models);
}
