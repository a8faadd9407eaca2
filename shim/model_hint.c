/* SPDX-License-Identifier: MIT */
#include "model_hint.h"

#include "../policy/text.h"

enum family {
	ANY = 1,
	LLAMA = 2,
	MLX = 4,
	VLLM = 8,
	OLLAMA = 16,
	MISTRALRS = 32,
	DS4 = 64,
	WHISPER = 128,
	DIFFUSION = 256,
	SHORT_M = LLAMA | MISTRALRS | DS4 | WHISPER | DIFFUSION, /* where -m is a model */
};

/* A program by its name, or the beginning of a Python module's. */
static const struct {
	char pattern[16];
	unsigned family;
} programs[] = {
	{ "llama-*", LLAMA },
	{ "llamafile*", LLAMA },
	{ "llama_cpp*", LLAMA },
	{ "mlx_*", MLX },
	{ "mlx-*", MLX },
	{ "vllm*", VLLM },
	{ "ollama*", OLLAMA },
	{ "mistralrs*", MISTRALRS },
	{ "mistral.rs*", MISTRALRS },
	{ "ds4*", DS4 },
	{ "whisper-*", WHISPER },
	{ "sd", DIFFUSION },
	{ "sd-*", DIFFUSION },
};

static const char interpreters[][8] = { "python*", "pypy*", "node*", "bun", "deno",
					"sh",	   "bash",  "dash",  "zsh", "ksh" };

/* One flag of the families that have it. */
static const struct {
	char flag[24];
	unsigned families;
	enum taf_hint hint;
} flags[] = {
	{ "-m", SHORT_M, TAF_HINT_MODEL },
	{ "--model", ANY, TAF_HINT_MODEL },
	{ "--model-id", ANY, TAF_HINT_MODEL },
	{ "--model-path", ANY, TAF_HINT_MODEL },
	{ "-hf", LLAMA, TAF_HINT_MODEL },
	{ "-hfr", LLAMA, TAF_HINT_MODEL },
	{ "--hf-repo", ANY, TAF_HINT_MODEL },
	{ "-dr", LLAMA, TAF_HINT_MODEL },
	{ "--docker-repo", LLAMA, TAF_HINT_MODEL },
	{ "-mu", LLAMA, TAF_HINT_MODEL },
	{ "--model-url", LLAMA, TAF_HINT_MODEL },
	{ "--models-dir", LLAMA, TAF_HINT_MODEL },
	{ "--diffusion-model", DIFFUSION, TAF_HINT_MODEL },
	{ "-hff", LLAMA, TAF_HINT_FILE },
	{ "--hf-file", LLAMA, TAF_HINT_FILE },
	{ "-a", LLAMA, TAF_HINT_ALIAS },
	{ "--alias", ANY, TAF_HINT_ALIAS },
	{ "--served-model-name", ANY, TAF_HINT_ALIAS },
	{ "-md", LLAMA, TAF_HINT_DRAFT },
	{ "--model-draft", ANY, TAF_HINT_DRAFT },
	{ "--draft-model", ANY, TAF_HINT_DRAFT },
	{ "--spec-draft-model", LLAMA, TAF_HINT_DRAFT },
	{ "-hfd", LLAMA, TAF_HINT_DRAFT },
	{ "-hfrd", LLAMA, TAF_HINT_DRAFT },
	{ "--spec-draft-hf", LLAMA, TAF_HINT_DRAFT },
	{ "--hf-repo-draft", LLAMA, TAF_HINT_DRAFT },
	{ "--speculative-model", VLLM, TAF_HINT_DRAFT },
	{ "-mm", LLAMA, TAF_HINT_MMPROJ },
	{ "--mmproj", ANY, TAF_HINT_MMPROJ },
	{ "--lora", LLAMA, TAF_HINT_LORA },
	{ "--lora-scaled", LLAMA, TAF_HINT_LORA },
	{ "--adapter-path", ANY, TAF_HINT_LORA },
	{ "-c", LLAMA | DS4, TAF_HINT_CONTEXT },
	{ "--ctx-size", ANY, TAF_HINT_CONTEXT },
	{ "--n_ctx", LLAMA, TAF_HINT_CONTEXT },
	{ "--ctx", DS4, TAF_HINT_CONTEXT },
	{ "--max-model-len", VLLM, TAF_HINT_CONTEXT },
	{ "--max-kv-size", MLX | VLLM, TAF_HINT_CONTEXT },
	{ "-np", LLAMA, TAF_HINT_PARALLEL },
	{ "--parallel", LLAMA | OLLAMA, TAF_HINT_PARALLEL },
	{ "--max-num-seqs", VLLM, TAF_HINT_PARALLEL },
	{ "-ub", LLAMA, TAF_HINT_UBATCH },
	{ "--ubatch-size", LLAMA, TAF_HINT_UBATCH },
	{ "-ctk", LLAMA, TAF_HINT_CACHE_K },
	{ "--cache-type-k", LLAMA, TAF_HINT_CACHE_K },
	{ "-ctv", LLAMA, TAF_HINT_CACHE_V },
	{ "--cache-type-v", LLAMA, TAF_HINT_CACHE_V },
	{ "--kv-cache-type", OLLAMA, TAF_HINT_CACHE_K },
};

static const struct {
	char name[28];
	enum taf_hint hint;
} variables[] = {
	{ "LLAMA_ARG_MODEL", TAF_HINT_MODEL },
	{ "LLAMA_ARG_HF_REPO", TAF_HINT_MODEL },
	{ "LLAMA_ARG_HF_FILE", TAF_HINT_FILE },
	{ "LLAMA_ARG_ALIAS", TAF_HINT_ALIAS },
	{ "LLAMA_ARG_MODEL_DRAFT", TAF_HINT_DRAFT },
	{ "LLAMA_ARG_MMPROJ", TAF_HINT_MMPROJ },
	{ "LLAMA_ARG_CTX_SIZE", TAF_HINT_CONTEXT },
	{ "LLAMA_ARG_N_PARALLEL", TAF_HINT_PARALLEL },
	{ "LLAMA_ARG_UBATCH", TAF_HINT_UBATCH },
	{ "LLAMA_ARG_CACHE_TYPE_K", TAF_HINT_CACHE_K },
	{ "LLAMA_ARG_CACHE_TYPE_V", TAF_HINT_CACHE_V },
};

struct words {
	int argc, at;
	char *const *argv;
};

static const char *peek(const struct words *w)
{
	return w->at < w->argc ? w->argv[w->at] : NULL;
}

static unsigned family_of(const char *name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (taf_glob(programs[i].pattern, name))
			return programs[i].family | ANY;
	return ANY;
}

static bool is_interpreter(const char *name)
{
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++)
		if (taf_glob(interpreters[i], name))
			return true;
	return false;
}

/* "-c", and with it other flags of one letter: "-lc". */
static bool is_program_text(const char *s)
{
	return taf_same(s, "-e") || (s[0] == '-' && s[1] != '-' && taf_ends(s, "c"));
}

/* Past the program's own name, and past an interpreter's words up to script or module. */
static unsigned find_program(struct words *w)
{
	const char *first = peek(w), *s;
	unsigned family;

	if (!first)
		return ANY;
	family = family_of(taf_base(first));
	w->at++;
	if (family != ANY || !is_interpreter(taf_base(first)))
		return family;
	while ((s = peek(w))) {
		w->at++;
		if (taf_same(s, "-m") && peek(w))
			return family_of(w->argv[w->at++]);
		if (is_program_text(s)) {
			w->at += peek(w) != NULL; /* a program text, not a name */
			return ANY;
		}
		if (s[0] != '-')
			return family_of(taf_base(s));
	}
	return ANY;
}

static bool is_number(enum taf_hint hint)
{
	return hint == TAF_HINT_CONTEXT || hint == TAF_HINT_PARALLEL || hint == TAF_HINT_UBATCH;
}

/* The first of a list; a sub-word after ':' stays, it may be a tag. */
static void keep(struct taf_model_hints *h, enum taf_hint hint, const char *value)
{
	char *to = h->text[hint];
	size_t n = 0;

	if (is_number(hint) && (value[0] < '0' || value[0] > '9'))
		return;
	while (value[n] && (value[n] != ',' || hint != TAF_HINT_LORA) &&
	       n + 1 < sizeof(h->text[hint])) {
		to[n] = value[n];
		n++;
	}
	to[n] = '\0';
}

/* The value of word when it is "flag=value", the next word when it is flag; else NULL. */
static const char *value_of(struct words *w, const char *word, const char *flag)
{
	size_t n = taf_len(flag);

	if (!taf_same_n(word, flag, n))
		return NULL;
	if (word[n] == '=' && taf_starts(flag, "--"))
		return word + n + 1;
	return !word[n] && peek(w) ? w->argv[w->at++] : NULL;
}

static bool read_flag(struct words *w, const char *word, unsigned family, struct taf_model_hints *h)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const char *value;

		if (!(flags[i].families & family))
			continue;
		value = value_of(w, word, flags[i].flag);
		if (!value)
			continue;
		keep(h, flags[i].hint, value);
		return true;
	}
	return false;
}

void taf_model_hint_argv(int argc, char *const *argv, struct taf_model_hints *h)
{
	struct words w = { .argc = argc, .argv = argv };
	unsigned family = find_program(&w);
	const char *word;

	h->is_server = (family & (LLAMA | OLLAMA)) != 0;
	while ((word = peek(&w))) {
		w.at++;
		if (taf_same(word, "--"))
			break;
		if (read_flag(&w, word, family, h) || h->text[TAF_HINT_MODEL][0])
			continue;
		if (taf_same(word, "serve") && (family & VLLM) && peek(&w) && peek(&w)[0] != '-')
			keep(h, TAF_HINT_MODEL, peek(&w));
		else if (word[0] != '-' && taf_ends(word, ".gguf"))
			keep(h, TAF_HINT_MODEL, word);
	}
}

void taf_model_hint_env(char *const *env, struct taf_model_hints *h)
{
	for (; env && *env; env++)
		for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
			size_t n = taf_len(variables[i].name);

			if (taf_same_n(*env, variables[i].name, n) && (*env)[n] == '=' &&
			    !h->text[variables[i].hint][0])
				keep(h, variables[i].hint, *env + n + 1);
		}
}
