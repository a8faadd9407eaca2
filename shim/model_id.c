/* SPDX-License-Identifier: MIT */
#include "model_id.h"

#include "../policy/letter.h"
#include "../policy/text.h"

#define HUB_FIRST "models--"
#define HUB "/" HUB_FIRST
#define SNAPSHOT "/snapshots/"
#define BLOB "/blobs/sha256-"
#define REVISION 8 /* digits kept of a commit */
#define DIGEST 12 /* digits kept of an Ollama digest */
#define SPLIT_TAIL 15 /* "-00001-of-00005" */

/* File names that say nothing about the model: the directory does. */
static const char generic[][32] = { "model*.safetensors",
				    "consolidated*.safetensors",
				    "pytorch_model*.safetensors",
				    "diffusion_pytorch_model*",
				    "adapter*.safetensors",
				    "weights*.safetensors",
				    "config.json",
				    "model.safetensors.index.json" };

/* Lower case, and nothing that a terminal or a record could take amiss. */
static void put_clean(struct taf_text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n && s[i]; i++) {
		unsigned char c = (unsigned char)s[i];

		taf_text_char(t, c < 0x20 || c == 0x7f || c == '"' || c == '\\' ? '_'
										: taf_lower(s[i]));
	}
}

static size_t until(const char *s, char c)
{
	size_t n = 0;

	while (s[n] && s[n] != c)
		n++;
	return n;
}

static bool is_digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static uint32_t number_of(const char *s)
{
	uint32_t v = 0;

	for (int i = 0; i < 5; i++)
		v = v * 10 + (uint32_t)(s[i] - '0');
	return v;
}

/* Length of base without ".gguf" or ".safetensors". */
static size_t stem_of(const char *base)
{
	size_t n = taf_len(base);

	if (taf_ends(base, ".gguf"))
		return n - 5;
	if (taf_ends(base, ".safetensors"))
		return n - 12;
	return n;
}

size_t taf_model_split(const char *base, uint32_t *no, uint32_t *count)
{
	size_t n = stem_of(base);
	const char *tail;

	if (n <= SPLIT_TAIL)
		return 0;
	tail = base + n - SPLIT_TAIL;
	if (tail[0] != '-' || !is_digits(tail + 1, 5) || !taf_same_n(tail + 6, "-of-", 4) ||
	    !is_digits(tail + 10, 5))
		return 0;
	*no = number_of(tail + 1);
	*count = number_of(tail + 10);
	return n - SPLIT_TAIL;
}

static size_t bare_stem(const char *base)
{
	uint32_t no, count;
	size_t n = taf_model_split(base, &no, &count);

	return n ? n : stem_of(base);
}

/* True for "q4_k_m", "iq3_xxs", "tq1_0", "bf16", "mxfp4" and their like. */
static bool is_quant(const char *s, size_t n)
{
	static const char words[][8] = { "f16", "f32", "bf16", "fp16", "fp8" };
	char w[24];
	size_t q;

	if (n < 2 || n >= sizeof(w))
		return false;
	for (size_t i = 0; i < n; i++)
		w[i] = taf_lower(s[i]);
	w[n] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (taf_same(w, words[i]))
			return true;
	if (taf_starts(w, "mxfp4") || taf_starts(w, "nvfp4"))
		return true;
	q = w[0] == 'i' || w[0] == 't' ? 1 : 0;
	return w[q] == 'q' && w[q + 1] >= '0' && w[q + 1] <= '9';
}

/* Where the quantisation begins in the n bytes of a file's stem; n: nowhere. */
static size_t quant_at(const char *stem, size_t n)
{
	for (size_t i = n; i > 1; i--)
		if (stem[i - 1] == '-' || stem[i - 1] == '.')
			return is_quant(stem + i, n - i) ? i : n;
	return n;
}

/* rest is behind "models--". "--" parts organisation and name. */
static bool put_hub(struct taf_text *t, const char *rest)
{
	size_t n = until(rest, '/'), from = 0;
	const char *commit = taf_find(rest, SNAPSHOT), *base = taf_base(rest);

	if (!n)
		return false;
	for (size_t i = 0; i + 1 < n; i++)
		if (rest[i] == '-' && rest[i + 1] == '-') {
			put_clean(t, rest + from, i - from);
			taf_text_char(t, '/');
			from = i + 2;
			i++;
		}
	put_clean(t, rest + from, n - from);
	if (taf_ends(base, ".gguf")) {
		size_t end = bare_stem(base), q = quant_at(base, end);

		if (q < end) {
			taf_text_char(t, ':');
			put_clean(t, base + q, end - q);
		}
	}
	if (commit) {
		const char *hash = commit + sizeof(SNAPSHOT) - 1;
		size_t digits = until(hash, '/');

		taf_text_char(t, '@');
		put_clean(t, hash, digits < REVISION ? digits : REVISION);
	}
	return true;
}

static void put_blob(struct taf_text *t, const char *hex)
{
	size_t n = until(hex, '/');

	taf_text_put(t, "ollama:sha256-");
	put_clean(t, hex, n < DIGEST ? n : DIGEST);
}

/* The last part of the n bytes of a directory's path. */
static bool put_dir(struct taf_text *t, const char *dir, size_t n)
{
	size_t from;

	while (n && dir[n - 1] == '/')
		n--;
	for (from = n; from && dir[from - 1] != '/'; from--)
		;
	if (n == from || (n == from + 1 && dir[from] == '.'))
		return false;
	put_clean(t, dir + from, n - from);
	return true;
}

static bool is_generic(const char *base)
{
	for (size_t i = 0; i < sizeof(generic) / sizeof(generic[0]); i++)
		if (taf_glob(generic[i], base))
			return true;
	return false;
}

/* ORG/NAME as a hub has it: one slash, and nothing that only a path has. */
static bool is_hub_name(const char *s)
{
	size_t n = until(s, '/');

	return n && s[n] && s[n + 1] && s[n + 1 + until(s + n + 1, '/')] == '\0' && s[0] != '.' &&
	       s[0] != '~';
}

static bool put_path(struct taf_text *t, const char *path)
{
	const char *base = taf_base(path), *found;
	size_t stem = stem_of(base);

	if ((found = taf_find(path, HUB)))
		return put_hub(t, found + sizeof(HUB) - 1);
	if (taf_starts(path, HUB_FIRST))
		return put_hub(t, path + sizeof(HUB_FIRST) - 1);
	if ((found = taf_find(path, BLOB)))
		return put_blob(t, found + sizeof(BLOB) - 1), true;
	if (is_generic(base) && base > path)
		return put_dir(t, path, (size_t)(base - path)) || (put_clean(t, base, stem), true);
	if (base[stem]) /* a file of weights with a name of its own */
		return put_clean(t, base, bare_stem(base)), true;
	if (is_hub_name(path))
		return put_clean(t, path, taf_len(path)), true;
	return put_dir(t, path, taf_len(path));
}

bool taf_model_id(const char *seen, char id[TAF_MODEL_ID])
{
	struct taf_text t;

	taf_text_init(&t, id, TAF_MODEL_ID);
	return put_path(&t, seen) && t.used;
}

bool taf_model_id_of_dir(const char *dir, char id[TAF_MODEL_ID])
{
	struct taf_text t;

	if (taf_find(dir, HUB) || taf_starts(dir, HUB_FIRST))
		return taf_model_id(dir, id);
	taf_text_init(&t, id, TAF_MODEL_ID);
	return put_dir(&t, dir, taf_len(dir));
}

bool taf_model_id_same(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i] && a[i] != '@')
		i++;
	if ((a[i] && a[i] != '@') || (b[i] && b[i] != '@'))
		return false;
	return !a[i] || !b[i] || taf_same(a + i, b + i);
}

static uint64_t fold(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 1099511628211u;
	return h;
}

uint64_t taf_model_fingerprint(uint64_t size, int64_t mtime_ns, const void *head, size_t n)
{
	uint64_t h = fold(14695981039346656037u, &size, sizeof(size));

	h = fold(h, &mtime_ns, sizeof(mtime_ns));
	return fold(h, head, n);
}
