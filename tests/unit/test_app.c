/* SPDX-License-Identifier: MIT */
/* test_app.c -- which programs are known, and that what suits them binds nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/app.h"

#define PY "/usr/bin/python3.11"

static const struct {
	const char *exe, *words, *env, *engine, *name;
} table[] = {
	{ "/opt/llama-server", "./llama-server -m a.gguf", NULL, "", "llama-server" },
	{ "/opt/llama-server", "llama-server --models-dir m", NULL, "", "llama-server" },
	{ "/opt/llama-server", "llama-server --alias a", "LLAMA_SERVER_ROUTER_PORT=80", "",
	  "llama-server-child" },
	{ "/opt/llama-server", "llama-server --model /m/blobs/sha256-00 --port 1", NULL, "",
	  "ollama-child" },
	{ "/usr/bin/ollama", "/usr/bin/ollama serve", NULL, "", "ollama" },
	{ "/usr/bin/ollama", "ollama runner --mlx-engine --model x", NULL, "mlx", "ollama-child" },
	{ "/usr/bin/ollama", "ollama run x", NULL, "", "" },
	{ "/opt/llama-cli", "llama-cli -m a.gguf", NULL, "llama", "llama-tool" },
	{ PY, "python3 -m llama_cpp.server --model a", NULL, "", "llama-cpp-python" },
	{ PY, "python3 app.py", NULL, "llama", "llama-cpp-python" },
	{ PY, "python3 app.py", NULL, "mlx", "" },
	{ PY, "python3 app.py", NULL, "whisper", "whisper" },
	{ PY, "python3 app.py", NULL, "sd", "stable-diffusion" },
	{ PY, "python3 app.py", NULL, NULL, "" },
	{ PY, "python3 -m mlx_lm.server --model a", NULL, "mlx", "mlx-server" },
	{ PY, "python3 -m mlx_lm server --model a", NULL, "", "mlx-server" },
	{ PY, "python3 /opt/bin/mlx_lm.server --model a", NULL, "", "mlx-server" },
	{ PY, "mlx_lm.server --model a", NULL, "", "mlx-server" },
	{ PY, "python3 -m mlx_lm generate", NULL, "", "mlx-tool" },
	{ PY, "python3 -m mlx_lm.generate", NULL, "mlx", "mlx-tool" },
	{ PY, "python3 -m mlx_vlm.server", NULL, "", "mlx-server" },
	{ PY, "python3 /opt/bin/vllm-mlx serve m", NULL, "mlx", "mlx-server" },
	{ PY, "python3 -m vllm_mlx.cli serve m", NULL, "", "mlx-server" },
	{ PY, "python3 -m vllm_mlx.server --model m", NULL, "", "mlx-server" },
	{ PY, "python3 /opt/bin/vllm-mlx bench m", NULL, "mlx", "" },
	{ PY, "python3 /usr/local/bin/vllm serve m", NULL, "", "vllm" },
	{ PY, "vllm bench m", NULL, "", "" },
	{ PY, "python3 -m vllm.entrypoints.openai.api_server --model m", NULL, "", "vllm" },
	{ PY, "VLLM::EngineCore", NULL, "cuda", "vllm-worker" },
	{ "/usr/bin/node", "node serve.mjs", NULL, "llama", "node-llama-cpp" },
	{ "/usr/bin/node", "node serve.mjs", NULL, "", "" },
	{ "/opt/whisper-cli", "whisper-cli -m a.bin", NULL, "", "whisper" },
	{ "/opt/sd", "sd -m a", NULL, "", "stable-diffusion" },
	{ "/opt/mistralrs", "mistralrs serve", NULL, "", "mistral.rs" },
	{ "/opt/ds4", "./ds4 -m a", NULL, "", "ds4" },
	{ "/bin/sed", "sed s/sd/ds4/", NULL, "", "" },
	{ "/bin/sh", "sh -c llama-server", NULL, "", "" },
	{ NULL, "", NULL, NULL, "" },
};

static struct taf_start start_of(size_t i, char text[256], const char *words[16],
				 const char *env[3])
{
	struct taf_start s = { .exe = table[i].exe, .argv = words, .env = env };

	env[0] = "HOME=/";
	env[1] = table[i].env;
	env[2] = NULL;
	strcpy(text, table[i].words);
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
		words[s.argc++] = w;
	words[s.argc] = NULL;
	return s;
}

static void known(void **state)
{
	const char *words[16], *env[3];
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct taf_start s = start_of(i, text, words, env);
		const char *got = taf_app_name(taf_app_of(&s, table[i].engine));

		if (strcmp(got, table[i].name) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", table[i].words, got, table[i].name);
	}
}

/* A program of an interpreter says nothing until its engine is known. */
static void maybe(void **state)
{
	const char *words[] = { "node", "serve.mjs", NULL }, *engine = NULL;
	struct taf_start s = { .exe = "/usr/bin/node", .argc = 2, .argv = words };

	(void)state;
	assert_int_equal(taf_app_maybe(&s, &engine), TAF_APP_LLAMA_NODE);
	assert_string_equal(engine, "llama");
	words[0] = "llama-server";
	s.exe = "/opt/llama-server";
	assert_int_equal(taf_app_maybe(&s, &engine), TAF_APP_LLAMA_SERVER);
	assert_string_equal(engine, "");
	words[0] = "sed";
	s.exe = "/bin/sed";
	assert_int_equal(taf_app_maybe(&s, &engine), TAF_APP_NONE);
}

/* A variable that the program has taken out of its environment. */
static void taken_out(void **state)
{
	static const char block[] = "HOME=/\0LLAMA_SERVER_ROUTER_PORT=80\0PATH=";
	const char *words[] = { "llama-server", "--alias", "a", NULL }, *env[] = { NULL };
	struct taf_start s = {
		.argc = 3, .argv = words, .env = env, .block = block, .block_bytes = sizeof(block)
	};

	(void)state;
	assert_int_equal(taf_app_of(&s, NULL), TAF_APP_LLAMA_CHILD);
	s.block_bytes = sizeof("HOME=/");
	assert_int_equal(taf_app_of(&s, NULL), TAF_APP_LLAMA_SERVER);
}

/* Each value can be read, differs from the default, and is of a row that
 * makes nothing wait or fail, and changes nothing that the program asked for. */
static void values(void **state)
{
	static const char *const never[] = {
		"mode",	     "strict",	"propagate",	"recognize",	   "env.",
		"limits.",   "eval.",	"cadence.",	"lock.",	   "breaker.",
		"cooldown.", "aborts.", "exit.signals", "on_error",	   "state_guard",
		"recycle.",  "models.", "versions.",	"drain.serialize", "drain.settle"
	};

	(void)state;
	for (int p = 1; p < TAF_APP_COUNT; p++) {
		static struct taf_rules dflt, got;
		uint8_t origin[TAF_RULE_COUNT] = { 0 };

		taf_rules_default(&dflt);
		taf_rules_default(&got);
		taf_app_give((enum taf_app)p, &got, origin);
		for (int i = 0; i < TAF_RULE_COUNT; i++) {
			const struct taf_rule_info *row = taf_rule_info(i);

			assert_int_equal(origin[i] == TAF_FROM_APP,
					 taf_app_sets((enum taf_app)p, i));
			if (origin[i] == TAF_FROM_BUILTIN)
				continue;
			assert_int_not_equal(memcmp((char *)&dflt + row->offset,
						    (char *)&got + row->offset, row->bytes),
					     0);
			assert_int_not_equal(row->type, TAF_TYPE_ON);
			for (size_t k = 0; k < sizeof(never) / sizeof(*never); k++)
				if (!strncmp(row->path, never[k], strlen(never[k])))
					fail_msg("%s sets %s", taf_app_name((enum taf_app)p),
						 row->path);
		}
		assert_true(got.exit_deadline_ms >= got.drain_deadline_ms);
		assert_true(got.memory_critical_pct >= got.memory_warn_pct);
	}
}

static void order(void **state)
{
	static struct taf_rules r;
	uint8_t origin[TAF_RULE_COUNT] = { 0 };

	(void)state;
	taf_rules_default(&r);
	origin[TAF_RULE_drain_deadline_ms] = TAF_FROM_FILE;
	origin[TAF_RULE_exit_deadline_ms] = TAF_FROM_PROFILE + 1;
	taf_app_give(TAF_APP_LLAMA_SERVER, &r, origin);
	assert_int_equal(r.drain_deadline_ms, 2000);
	assert_int_equal(r.exit_deadline_ms, 3000);
	assert_true(r.drain_post_sync);
	assert_int_equal(origin[TAF_RULE_drain_post_sync], TAF_FROM_APP);
	taf_rules_default(&r);
	memset(origin, 0, sizeof(origin));
	r.recognize = false;
	taf_app_give(TAF_APP_LLAMA_SERVER, &r, origin);
	assert_false(r.drain_post_sync);
	assert_int_equal(origin[TAF_RULE_drain_post_sync], TAF_FROM_BUILTIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),  cmocka_unit_test(maybe), cmocka_unit_test(taken_out),
		cmocka_unit_test(values), cmocka_unit_test(order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
