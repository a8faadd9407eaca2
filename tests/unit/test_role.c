/* SPDX-License-Identifier: MIT */
/* test_role.c -- what a command is taken for, and what a role limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/role.h"

/* The words are split at blanks; '~' stands for a blank inside a word. */
static const struct {
	const char *exe, *words, *env, *role;
} table[] = {
	/* The order of metal-guard. */
	{ "/usr/bin/python3", "python3 -m mlx_lm.server --port 1", "METALGUARD_SUBPROCESS_WORKER=1",
	  "worker" },
	{ "/usr/bin/python3", "python3 -m mlx_lm.server --port 1", "METALGUARD_SUBPROCESS_WORKER=0",
	  "server" },
	{ "/usr/bin/python3.11", "python3 -m mlx_lm.server", NULL, "server" },
	{ "/usr/bin/python3.11", "python3 -m mlx_lm server", NULL, "server" },
	{ "/usr/bin/python3.11", "python3 -m mlx_lm generate", NULL, "cli" },
	{ "/usr/bin/python3.11", "python3 -m mlx_lm.generate", NULL, "cli" },
	{ "/usr/bin/python3.11", "python3 /usr/local/bin/mlx_lm.server", NULL, "server" },
	{ "/usr/bin/python3.11", "python3 -X dev -W ignore -u /opt/bin/uvicorn app:x", NULL,
	  "server" },
	{ "/usr/bin/python3.11", "python3 -c import~x uvicorn", NULL, "server" },
	{ "/usr/bin/python3.11", "python3 -um ipykernel_launcher -f k.json", NULL, "notebook" },
	{ "/usr/bin/python3.11", "python3 /usr/bin/jupyter-lab", NULL, "notebook" },
	{ "/usr/bin/python3.11", "python3 -m pytest -q", NULL, "cli" },
	{ "/usr/bin/python3.11", "python3 train.py", NULL, "cli" },
	{ "/usr/bin/python3.11", "python3", NULL, "cli" },
	{ "/usr/bin/python3.11", "python3 -", NULL, "cli" },
	{ "/usr/bin/python3.11", "python3 -m", NULL, "cli" },
	{ "/usr/bin/python3.11", "python3 -c", NULL, "cli" },
	{ "/usr/bin/node", "node serve.mjs", NULL, "embedded" },
	/* What it takes for embedded and is none. */
	{ "/usr/bin/ollama", "ollama serve", NULL, "server" },
	{ "/usr/bin/ollama", "ollama runner --model x", NULL, "worker" },
	{ "/usr/bin/ollama", "ollama run x", NULL, "cli" },
	{ "/usr/bin/ollama", "ollama list", NULL, "embedded" },
	{ "/opt/llama-server", "llama-server --alias a", "LLAMA_SERVER_ROUTER_PORT=80", "worker" },
	{ "/opt/llama-server", "llama-server --model /m/blobs/sha256-00", NULL, "worker" },
	{ "/opt/llama/llama-server", "llama-server -m x.gguf", NULL, "server" },
	{ "/opt/llama/llama-cli", "llama-cli -m x.gguf", NULL, "cli" },
	{ "/usr/bin/python3.11", "python3 /usr/local/bin/vllm-mlx serve x", NULL, "server" },
	{ "/usr/bin/python3.11", "python3 -m vllm_mlx.cli serve x", NULL, "server" },
	{ "/usr/bin/python3.11", "python3 -m vllm_mlx.server --model x", NULL, "server" },
	{ "/usr/bin/python3.11", "python3 /usr/local/bin/vllm-mlx bench x", NULL, "cli" },
	{ "/usr/bin/python3.11", "python3 /usr/local/bin/vllm serve x", NULL, "server" },
	{ "/usr/bin/python3.11", "python3 /usr/local/bin/vllm bench x", NULL, "cli" },
	{ "/usr/bin/python3.11", "vllm serve x", NULL, "server" },
	{ "/usr/bin/python3.11", "python3 -m vllm.entrypoints.openai.api_server", NULL, "server" },
	{ "/usr/bin/python3.11", "VLLM::EngineCore", NULL, "worker" },
	{ "/usr/bin/python3.11",
	  "python3 -c from~multiprocessing.spawn~import~spawn_main;~spawn_main(tracker_fd=5) x",
	  NULL, "worker" },
	{ "/usr/bin/python3.11", "python3 train.py", "LOCAL_RANK=1", "worker" },
	{ "/usr/bin/python3.11", "python3 train.py", "LOCAL_RANKS=1", "cli" },
	/* Little is known, or nothing. */
	{ NULL, "llama-server", NULL, "server" },
	{ "/opt/llama-server", "", NULL, "server" },
	{ NULL, "", NULL, "" },
};

static void guesses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *words[16] = { NULL }, *env[] = { "HOME=/", table[i].env, NULL };
		struct taf_start s = { .exe = table[i].exe, .argv = words, .env = env };
		char text[256];

		strcpy(text, table[i].words);
		for (char *w = strtok(text, " "); w; w = strtok(NULL, " ")) {
			for (char *p = w; *p; p++)
				*p = *p == '~' ? ' ' : *p;
			words[s.argc++] = w;
		}
		if (strcmp(taf_role_name(taf_role_guess(&s)), table[i].role) != 0)
			fail_msg("%s: %s, not %s", table[i].words,
				 taf_role_name(taf_role_guess(&s)), table[i].role);
	}
}

static void names(void **state)
{
	char buf[96];
	struct taf_text t;

	(void)state;
	assert_int_equal(taf_role_of("worker"), TAF_ROLE_WORKER);
	assert_int_equal(taf_role_of(""), -1);
	assert_int_equal(taf_role_of("Server"), -1);
	taf_text_init(&t, buf, sizeof(buf));
	taf_role_words(&t);
	assert_string_equal(buf, "server, embedded, notebook, cli or worker");
}

/* Each limit is a value that the row takes. */
static void limits(void **state)
{
	static struct taf_rules r;
	int given = 0;

	(void)state;
	for (int role = 0; role < TAF_ROLE_COUNT; role++)
		for (int rule = 0; rule < TAF_RULE_COUNT; rule++) {
			bool has = taf_role_sets((enum taf_role)role, rule);

			taf_rules_default(&r);
			assert_int_equal(taf_role_give((enum taf_role)role, &r, rule), has);
			assert_true(taf_rules_is_whole(&r, rule));
			given += has;
		}
	assert_int_equal(given, 21);
	assert_true(taf_role_give(TAF_ROLE_NOTEBOOK, &r, TAF_RULE_watch_infer_after_ms));
	assert_int_equal(r.watch_infer_after_ms, 600000);
	assert_true(taf_role_give(TAF_ROLE_EMBEDDED, &r, TAF_RULE_memory_max_single_alloc));
	assert_int_equal(r.memory_max_single_alloc.bytes, 4500000000u);
	taf_rules_set(&r, "lock.on_conflict", "refuse", NULL);
	assert_true(taf_role_give(TAF_ROLE_WORKER, &r, TAF_RULE_lock_on_conflict));
	assert_int_equal(r.lock_on_conflict, TAF_ON_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guesses),
		cmocka_unit_test(names),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
