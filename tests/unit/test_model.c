/* SPDX-License-Identifier: MIT */
/* test_model.c -- models told from real files, the table of opens, and hints of command lines. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../policy/text.h"
#include "../../shim/model.h"
#include "../../shim/model_hint.h"
#include "header_maker.h"

#define HEX64 "6a0746a1ec1aef3e7ec53868f220ff6e389f6f8ef87a01d77c96807de94ca2aa"
#define NORM "{\"norm\":{\"dtype\":\"BF16\",\"shape\":[32],\"data_offsets\":[0,64]}}"

static struct maker m;
static struct taf_model model;

static void make_dir(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void write_made(const char *path)
{
	write_bytes(path, m.bytes, m.n);
}

static void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

/* A model of one tensor that only says what it is for. */
static void write_typed(const char *path, const char *arch, const char *type)
{
	put_head(&m, 1, 2);
	pair_text(&m, "general.architecture", arch);
	pair_text(&m, "general.type", type);
	put_tensor(&m, "x", 0, 0);
	put_data(&m, 32);
	write_made(path);
}

static int enter_folder(void **state)
{
	char folder[] = "/tmp/taffrail-model.XXXXXX";

	(void)state;
	taf_model_forget_all();
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int leave_folder(void **state)
{
	char folder[512], command[600];

	(void)state;
	if (!getcwd(folder, sizeof(folder)) || strncmp(folder, "/tmp/taffrail-model.", 20))
		return -1;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command) || chdir("/") ? -1 : 0;
}

static void test_one_file(void **state)
{
	struct taf_cache_ask ask = { .context = 4096 };

	(void)state;
	make_llama(&m);
	write_made("Tiny-Q4_K_M.gguf");
	assert_int_equal(taf_model_identify("Tiny-Q4_K_M.gguf", &model), 0);
	assert_string_equal(model.id, "tiny-q4_k_m");
	assert_string_equal(model.name, "Tiny");
	assert_string_equal(model.arch, "llama");
	assert_string_equal(model.quant, "Q4_K_M");
	assert_int_equal(model.bytes, 96);
	assert_int_equal(model.files, 1);
	assert_int_equal(model.layers, 4);
	assert_int_equal(model.heads, 8);
	assert_int_equal(model.context, 4096);
	assert_int_equal(model.role, TAF_ROLE_MAIN);
	assert_int_equal(taf_cache_bytes(&model.cache, &ask), 4096u * 4 * 2 * 64 * 2 * 2);
	assert_true(model.fingerprint != 0);
}

static void test_link_is_the_same(void **state)
{
	uint64_t print;

	(void)state;
	make_llama(&m);
	write_made("a.gguf");
	assert_int_equal(symlink("a.gguf", "b.gguf"), 0);
	assert_int_equal(taf_model_identify("a.gguf", &model), 0);
	print = model.fingerprint;
	assert_int_equal(taf_model_identify("b.gguf", &model), 0);
	assert_true(print == model.fingerprint);
}

/* Bytes are summed over the parts that exist; figures come from the first, whichever was named. */
static void test_split(void **state)
{
	(void)state;
	make_llama(&m);
	write_made("big-00001-of-00003.gguf");
	put_head(&m, 1, 1);
	pair_u32(&m, "split.no", 1);
	put_tensor(&m, "c", 0, 0);
	put_data(&m, 200);
	write_made("big-00002-of-00003.gguf");
	assert_int_equal(taf_model_identify("big-00002-of-00003.gguf", &model), 0);
	assert_string_equal(model.id, "big");
	assert_int_equal(model.bytes, 296);
	assert_int_equal(model.files, 2);
	assert_int_equal(model.missing, 1);
	assert_int_equal(model.layers, 4);
}

static void test_hub_directory(void **state)
{
	const char *dir = "models--Org--Name-4bit/snapshots/0123456789";
	char path[256];

	(void)state;
	make_dir("models--Org--Name-4bit");
	make_dir("models--Org--Name-4bit/blobs");
	make_dir("models--Org--Name-4bit/snapshots");
	make_dir(dir);
	make_safetensors(&m, NORM, 64);
	write_made("models--Org--Name-4bit/blobs/one");
	for (int i = 1; i <= 2; i++) {
		snprintf(path, sizeof(path), "%s/model-%05d-of-00002.safetensors", dir, i);
		assert_int_equal(symlink("../../blobs/one", path), 0);
	}
	snprintf(path, sizeof(path), "%s/other.safetensors", dir);
	write_made(path);
	snprintf(path, sizeof(path), "%s/config.json", dir);
	write_text(path,
		   "{\"model_type\":\"qwen2\",\"num_hidden_layers\":2,\"num_attention_heads\":4,"
		   "\"hidden_size\":64,\"num_key_value_heads\":1,\"quantization\":{\"bits\":4}}");
	snprintf(path, sizeof(path), "%s/model-00001-of-00002.safetensors", dir);
	assert_int_equal(taf_model_identify(path, &model), 0);
	assert_string_equal(model.id, "org/name-4bit@01234567");
	assert_int_equal(model.bytes, 128);
	assert_int_equal(model.files, 2);
	assert_string_equal(model.quant, "4-bit");
	assert_string_equal(model.arch, "qwen2");
	assert_true(model.has_config);
	assert_int_equal(model.cache.full_k, 2 * 16);
	assert_int_equal(taf_model_identify(dir, &model), 0);
	assert_string_equal(model.id, "org/name-4bit@01234567");
	assert_int_equal(model.bytes, 128);
}

static void test_own_name_in_a_directory(void **state)
{
	(void)state;
	make_dir("My-Model");
	make_safetensors(&m, NORM, 64);
	write_made("My-Model/weights-of-mine.safetensors");
	write_made("loose.safetensors");
	assert_int_equal(taf_model_identify("loose.safetensors", &model), 0);
	assert_string_equal(model.id, "loose");
	assert_false(model.has_config);
	assert_string_equal(model.quant, "BF16");
	write_text("My-Model/config.json", "{\"model_type\":\"x\"}");
	assert_int_equal(taf_model_identify("My-Model/weights-of-mine.safetensors", &model), 0);
	assert_string_equal(model.id, "my-model");
	assert_int_equal(taf_model_identify("My-Model", &model), 0);
	assert_string_equal(model.id, "my-model");
	assert_int_equal(model.bytes, 64);
}

static void test_ollama_blob(void **state)
{
	(void)state;
	make_dir("blobs");
	make_llama(&m);
	write_made("blobs/sha256-" HEX64);
	assert_int_equal(taf_model_identify("./blobs/sha256-" HEX64, &model), 0);
	assert_string_equal(model.id, "ollama:sha256-6a0746a1ec1a");
	assert_string_equal(model.name, "Tiny");
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(taf_model_identify("none.gguf", &model), -ENOENT);
	assert_string_equal(model.id, "none");
	write_text("text.gguf", "hello, this is no model");
	assert_int_equal(taf_model_identify("text.gguf", &model), -EINVAL);
	assert_non_null(strstr(model.flaw, "not a GGUF file"));
	assert_int_equal(model.bytes, 23);
	write_text("text.safetensors", "hello, this is no model");
	assert_int_equal(taf_model_identify("text.safetensors", &model), -EINVAL);
	write_text("empty.gguf", "");
	assert_int_equal(taf_model_identify("empty.gguf", &model), -ENODATA);
	assert_int_equal(mkfifo("pipe.gguf", 0600), 0);
	assert_int_equal(taf_model_identify("pipe.gguf", &model), -EINVAL);
	make_dir("bare");
	assert_int_equal(taf_model_identify("bare", &model), -ENOENT);
	assert_int_equal(taf_model_identify("", &model), -EINVAL);
}

static int count_seen(uint32_t group)
{
	char path[TAF_MODEL_PATH];
	int n = 0;

	while (taf_model_seen(group, (uint32_t)n, path))
		n++;
	return n;
}

static void test_notes(void **state)
{
	static const char *const others[] = { "",
					      "/etc/passwd",
					      "x.gguf2",
					      "a/config.json",
					      "/lib/libc.so",
					      "blobs/sha256-abc",
					      "gguf",
					      "safetensors" };
	uint32_t group = taf_model_group();
	char path[TAF_MODEL_PATH], longer[2 * TAF_MODEL_PATH];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		taf_model_note_open(others[i]);
	memset(longer, 'x', sizeof(longer));
	memcpy(longer + sizeof(longer) - 6, ".gguf", 6);
	taf_model_note_open(longer);
	assert_int_equal(count_seen(group), 0);
	for (int i = 0; i < 5; i++)
		taf_model_note_open("/m/a.gguf");
	taf_model_note_open("/m/big-00001-of-00002.gguf");
	taf_model_note_open("/m/big-00002-of-00002.gguf");
	taf_model_note_open("/m/d/model.safetensors");
	taf_model_note_open("/o/blobs/sha256-" HEX64);
	assert_int_equal(count_seen(group), 4);
	assert_true(taf_model_seen(group, 1, path));
	assert_string_equal(path, "/m/big-00002-of-00002.gguf"); /* the last part */
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/many/%d.gguf", i);
		taf_model_note_open(path);
	}
	assert_int_equal(count_seen(group), 32); /* the newest */
	assert_true(taf_model_seen(group, 31, path));
	taf_model_forget_all();
	assert_int_equal(count_seen(group), 0);
}

/* Weights without a config.json are a cache that is read back. */
static void test_restores(void **state)
{
	struct taf_model_group g;
	uint32_t group;

	(void)state;
	taf_model_forget_all();
	group = taf_model_group();
	make_safetensors(&m, NORM, 64);
	write_made("prefix-cache.safetensors");
	taf_model_note_open("prefix-cache.safetensors");
	assert_int_equal(taf_model_group_read(group, &g), -ENOENT);
	make_llama(&m);
	write_made("beside.gguf");
	taf_model_note_open("beside.gguf");
	assert_int_equal(taf_model_group_read(group, &g), 0);
	assert_string_equal(g.main.id, "beside");
	assert_int_equal(g.companions, 0);
	assert_int_equal(g.bytes, g.main.bytes);
	taf_model_forget_all();
}

static void test_groups(void **state)
{
	struct taf_model_group g;
	uint32_t first = taf_model_group();

	(void)state;
	taf_model_group_close(); /* nothing was opened: still the same */
	assert_int_equal(taf_model_group(), first);
	make_llama(&m);
	write_made("draft.gguf");
	m.n -= 64; /* one tensor is behind the end now, and the file is smaller */
	write_made("short.gguf");
	make_llama(&m);
	for (int i = 0; i < 1000; i++)
		put_number(&m, 0, 1);
	write_made("main.gguf");
	write_typed("mmproj-f16.gguf", "clip", "mmproj");
	write_typed("style.gguf", "llama", "adapter");
	write_text("broken.gguf", "GGUF");
	taf_model_note_open("draft.gguf");
	taf_model_note_open("main.gguf");
	taf_model_note_open("mmproj-f16.gguf");
	taf_model_note_open("style.gguf");
	taf_model_note_open("broken.gguf");
	assert_int_equal(taf_model_group_read(first, &g), 0);
	assert_string_equal(g.main.id, "main");
	assert_int_equal(g.bytes, 96 + 1096 + 32 + 32);
	assert_int_equal(g.companions, 3);
	assert_int_equal(g.by_role[TAF_ROLE_DRAFT], 1);
	assert_int_equal(g.by_role[TAF_ROLE_MMPROJ], 1);
	assert_int_equal(g.by_role[TAF_ROLE_LORA], 1);
	taf_model_group_close();
	assert_int_equal(taf_model_group(), first + 1);
	assert_int_equal(taf_model_group_read(first + 1, &g), -ENOENT);
	taf_model_note_open("draft.gguf"); /* loaded alone this time */
	assert_int_equal(taf_model_group_read(first + 1, &g), 0);
	assert_string_equal(g.main.id, "draft");
	assert_int_equal(g.companions, 0);
	assert_int_equal(taf_model_identify("short.gguf", &model), 0);
	assert_true(model.is_short);
	assert_string_equal(taf_model_role_name(TAF_ROLE_MMPROJ), "mmproj");
}

static _Atomic(bool) is_over;

static void *open_often(void *arg)
{
	(void)arg;
	for (int i = 0; !atomic_load(&is_over); i++) {
		taf_model_note_open(i & 1 ? "/p/one.gguf" : "/p/two-00001-of-00009.gguf");
		if (!(i & 63))
			taf_model_group_close();
	}
	return NULL;
}

/* What is read back is always a whole path, whoever writes meanwhile. */
static void test_many_threads(void **state)
{
	pthread_t threads[4];
	char path[TAF_MODEL_PATH];
	int whole = 0;

	(void)state;
	atomic_store(&is_over, false);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_often, NULL), 0);
	while (whole < 2000)
		for (uint32_t i = 0; i < 2; i++)
			if (taf_model_seen(taf_model_group(), i, path)) {
				assert_true(!strcmp(path, "/p/one.gguf") ||
					    !strcmp(path, "/p/two-00001-of-00009.gguf"));
				whole++;
			}
	atomic_store(&is_over, true);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static struct taf_model_hints hints;

/* The words of a command line, parted by single spaces. */
static void hint(const char *line)
{
	char copy[512], *argv[32];
	int argc = 0;

	taf_copy(copy, line, sizeof(copy));
	for (char *p = strtok(copy, " "); p && argc < 32; p = strtok(NULL, " "))
		argv[argc++] = p;
	memset(&hints, 0, sizeof(hints));
	taf_model_hint_argv(argc, argv, &hints);
}

static void assert_hint(const char *line, enum taf_hint what, const char *text)
{
	hint(line);
	assert_string_equal(hints.text[what], text);
}

static void test_hints(void **state)
{
	static const struct {
		const char *line;
		enum taf_hint what;
		const char *text;
	} lines[] = {
		{ "/usr/bin/llama-server -c 4096 -m /m/a.gguf", TAF_HINT_MODEL, "/m/a.gguf" },
		{ "llama-server -hf u/Foo-GGUF:Q4_K_M -hff f.gguf", TAF_HINT_MODEL,
		  "u/Foo-GGUF:Q4_K_M" },
		{ "llama-server -hf u/Foo-GGUF -hff f.gguf", TAF_HINT_FILE, "f.gguf" },
		{ "llama-server -m a.gguf -md d.gguf -mm p.gguf", TAF_HINT_DRAFT, "d.gguf" },
		{ "llama-server -m a.gguf -md d.gguf -mm p.gguf", TAF_HINT_MMPROJ, "p.gguf" },
		{ "llama-server -m a.gguf --lora x.gguf,y.gguf", TAF_HINT_LORA, "x.gguf" },
		{ "llama-server -m a.gguf -a nick", TAF_HINT_ALIAS, "nick" },
		{ "llama-server -m", TAF_HINT_MODEL, "" },
		{ "llama-server -m a.gguf --spec-draft-model d.gguf", TAF_HINT_DRAFT, "d.gguf" },
		{ "whisper-cli -m ggml-base.bin", TAF_HINT_MODEL, "ggml-base.bin" },
		{ "sd -m x.safetensors -p cat", TAF_HINT_MODEL, "x.safetensors" },
		{ "sd-cli --diffusion-model d.gguf", TAF_HINT_MODEL, "d.gguf" },
		{ "sed -m x.safetensors", TAF_HINT_MODEL, "" },
		{ "python3.11 -m mlx_lm.server --model org/Name --port 1", TAF_HINT_MODEL,
		  "org/Name" },
		{ "python3 -m mlx_lm server --model=org/Name", TAF_HINT_MODEL, "org/Name" },
		{ "python /v/bin/mlx_lm.generate --model a --draft-model b", TAF_HINT_DRAFT, "b" },
		{ "python -u -m mlx_lm.lora --model a --adapter-path c", TAF_HINT_LORA, "c" },
		{ "/v/bin/python3 /v/bin/vllm serve org/Name --port 1", TAF_HINT_MODEL,
		  "org/Name" },
		{ "vllm serve --model org/Name", TAF_HINT_MODEL, "org/Name" },
		{ "python -m vllm.entrypoints.openai.api_server --model o/N --served-model-name x",
		  TAF_HINT_ALIAS, "x" },
		{ "ollama runner --mlx-engine --model gemma-4:31b --port 1", TAF_HINT_MODEL,
		  "gemma-4:31b" },
		{ "./ds4 -m x.gguf -p hi", TAF_HINT_MODEL, "x.gguf" },
		{ "mistralrs-server plain -m org/Name", TAF_HINT_MODEL, "org/Name" },
		{ "node run.mjs /m/tiny.gguf", TAF_HINT_MODEL, "/m/tiny.gguf" },
		{ "python3 -c x.gguf --model y", TAF_HINT_MODEL, "y" },
		{ "python3 -c x.gguf", TAF_HINT_MODEL, "" },
		{ "bash -m 3", TAF_HINT_MODEL, "" },
		{ "sh -c x.gguf", TAF_HINT_MODEL, "" },
		{ "/bin/bash -lc x.gguf", TAF_HINT_MODEL, "" },
		{ "bash start.sh x.gguf", TAF_HINT_MODEL, "x.gguf" },
		{ "llama-server -c banana", TAF_HINT_CONTEXT, "" },
		{ "llama-server -c 4096 -c banana", TAF_HINT_CONTEXT, "4096" },
		{ "llama-server -c 0", TAF_HINT_CONTEXT, "0" },
		{ "vllm serve o/N --max-model-len 32k --max-num-seqs 8", TAF_HINT_CONTEXT, "32k" },
		{ "vllm serve o/N --max-num-seqs 8", TAF_HINT_PARALLEL, "8" },
		{ "python3 /v/bin/vllm-mlx serve o/N --port 1", TAF_HINT_MODEL, "o/N" },
		{ "python3 /v/bin/vllm-mlx serve o/N --max-kv-size 4096", TAF_HINT_CONTEXT,
		  "4096" },
		{ "ds4-server -m x.gguf --ctx 8192", TAF_HINT_CONTEXT, "8192" },
		{ "python3 -m llama_cpp.server --n_ctx 2048", TAF_HINT_CONTEXT, "2048" },
		{ "git commit -m msg -- a.gguf", TAF_HINT_MODEL, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_hint(lines[i].line, lines[i].what, lines[i].text);
	taf_model_hint_argv(0, NULL, &hints);
}

static void test_hints_of_the_environment(void **state)
{
	char model_word[] = "LLAMA_ARG_MODEL=/m/env.gguf", alias[] = "LLAMA_ARG_ALIAS=nick";
	char other[] = "LLAMA_ARG_MODELS=no";
	char *env[] = { other, model_word, alias, NULL };

	(void)state;
	hint("llama-server -m /m/a.gguf");
	taf_model_hint_env(env, &hints);
	assert_string_equal(hints.text[TAF_HINT_MODEL], "/m/a.gguf");
	assert_string_equal(hints.text[TAF_HINT_ALIAS], "nick");
	hint("llama-server");
	taf_model_hint_env(env, &hints);
	assert_string_equal(hints.text[TAF_HINT_MODEL], "/m/env.gguf");
	taf_model_hint_env(NULL, &hints);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_one_file),
		IN_FOLDER(test_link_is_the_same),
		IN_FOLDER(test_split),
		IN_FOLDER(test_hub_directory),
		IN_FOLDER(test_own_name_in_a_directory),
		IN_FOLDER(test_ollama_blob),
		IN_FOLDER(test_refused),
		IN_FOLDER(test_notes),
		IN_FOLDER(test_restores),
		IN_FOLDER(test_groups),
		IN_FOLDER(test_many_threads),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_hints_of_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
