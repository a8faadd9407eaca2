/* SPDX-License-Identifier: MIT */
#include "size.h"

#include "letter.h"

/* Larger than any model's; below it no product here overflows. */
#define PARAMS_MAX_K 1000000000000ull
#define PARAMS_DEFAULT_BYTES 2000 /* thousandths of a byte: no word says less */
#define CONTEXT_MAX_M 10000 /* "1m" to "10m" is a context, thousandths of a million */

#define WORD 12 /* room for a word of the tables below */

struct word {
	const char *at;
	size_t n;
};

/* What the words of a name have said so far. */
struct guess {
	uint64_t params_k; /* thousands of parameters; 0 unknown */
	uint64_t params_b_k; /* the same, from a word in billions, which wins */
	uint32_t bytes_1000; /* thousandths of a byte for each */
	uint32_t rank; /* of the word that said so; 0 none */
	uint32_t keyword; /* row of MILLIONS, from 1; 0 none */
	bool is_other;
	bool is_after_quant; /* "k", "m", "xl" would belong to "q4" */
};

static const struct {
	uint32_t rank;
	char word[WORD];
	uint32_t bytes_1000;
} bits[] = {
#define BITS(rank, word, thousandths) { rank, word, thousandths },
#include "sizes.def"
};

static const struct {
	char stem[WORD];
	uint32_t bytes_1000;
} quants[] = {
#define QUANT(stem, thousandths) { stem, thousandths },
#include "sizes.def"
};

static const struct {
	char word[WORD];
	uint32_t millions;
} keywords[] = {
#define MILLIONS(word, millions) { word, millions },
#include "sizes.def"
};

static const char others[][WORD] = {
#define OTHER(word) word,
#include "sizes.def"
};

/* What stands behind a quantisation and belongs to it: Q4_K_M, IQ3_XXS, Q8_0. */
static const char variants[][WORD] = {
	"0", "1", "k", "s", "m", "l", "xs", "xl", "xxs", "xxl", "nl"
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* ---- Words ----------------------------------------------------------------- */

/* A point counts between digits alone: "1.7b", but "7b.q4" is two words. */
static bool is_inside(const char *s, size_t i)
{
	if (s[i] == '.')
		return i && taf_is_digit(s[i - 1]) && taf_is_digit(s[i + 1]);
	return taf_is_digit(s[i]) || taf_is_letter(s[i]);
}

/* The next word of *s, which moves behind it. A revision behind '@' says nothing. */
static bool next_word(const char **s, struct word *w)
{
	const char *p = *s;

	while (*p && *p != '@' && (*p == '.' || !is_inside(p, 0)))
		p++;
	w->at = p;
	w->n = 0;
	while (w->at[w->n] && is_inside(w->at, w->n))
		w->n++;
	*s = w->at + w->n;
	return w->n;
}

static bool starts_with(const struct word *w, const char *text, size_t *n)
{
	size_t i = 0;

	while (text[i] && i < w->n && taf_lower(w->at[i]) == text[i])
		i++;
	*n = i;
	return !text[i];
}

static bool is_word(const struct word *w, const char *text)
{
	size_t n;

	return starts_with(w, text, &n) && n == w->n;
}

static bool is_one_of(const struct word *w, const char (*list)[WORD], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_word(w, list[i]))
			return true;
	return false;
}

/* The number at the start of w in thousandths, and its length; 0: there is none that counts. */
static size_t number_of(const struct word *w, uint64_t *v_1000)
{
	uint64_t v = 0;
	size_t n = 0, from;

	for (; n < w->n && taf_is_digit(w->at[n]); n++)
		v = n < 6 ? v * 10 + (uint64_t)(w->at[n] - '0') : v;
	if (!n || n > 6)
		return 0;
	v *= 1000;
	from = n + 1;
	if (n < w->n && w->at[n] == '.') {
		uint64_t worth = 100;

		for (n++; n < w->n && taf_is_digit(w->at[n]); n++, worth /= 10)
			v += n < from + 3 ? worth * (uint64_t)(w->at[n] - '0') : 0;
	}
	*v_1000 = v;
	return n;
}

/* ---- Bytes for each parameter ---------------------------------------------- */

static void say_bytes(struct guess *g, uint32_t rank, uint32_t bytes_1000)
{
	if (g->rank && g->rank <= rank)
		return;
	g->rank = rank;
	g->bytes_1000 = bytes_1000;
}

static void say_bits(struct guess *g, uint64_t bits_1000)
{
	static const uint8_t rank[] = { [16] = 1, [8] = 2, [6] = 3, [4] = 4, [3] = 5, [2] = 6 };
	uint64_t n = bits_1000 / 1000;

	if (!bits_1000 || bits_1000 > 32000)
		return;
	say_bytes(g, bits_1000 % 1000 || n > 16 || !rank[n] ? 7 : rank[n],
		  (uint32_t)(bits_1000 / 8));
}

/* True when w is about bytes. */
static bool read_bytes(struct guess *g, const struct word *w)
{
	struct word rest = *w;
	uint64_t v;
	size_t n = number_of(w, &v);

	rest.at += n;
	rest.n -= n;
	if (n && (is_word(&rest, "bit") || is_word(&rest, "bits"))) {
		say_bits(g, v);
		return true;
	}
	for (size_t i = 0; i < COUNT(bits); i++)
		if (is_word(w, bits[i].word)) {
			say_bytes(g, bits[i].rank, bits[i].bytes_1000);
			return true;
		}
	for (size_t i = 0; i < COUNT(quants); i++)
		if (starts_with(w, quants[i].stem, &n) && (n == w->n || !taf_is_digit(w->at[n]))) {
			say_bytes(g, 7, quants[i].bytes_1000);
			g->is_after_quant = true;
			return true;
		}
	return false;
}

/* ---- Parameters ------------------------------------------------------------ */

/* "7b" "1.7b" "500m" "1t": thousands of parameters, 0 when it is none. */
static uint64_t params_of(const struct word *w, bool *is_small)
{
	uint64_t v;
	size_t n = number_of(w, &v);
	char unit = n && n + 1 == w->n ? taf_lower(w->at[n]) : '\0';

	*is_small = unit == 'm';
	switch (unit) {
	case 't': v *= 1000000; break;
	case 'b': v *= 1000; break;
	case 'm': v = v % 1000 || v > CONTEXT_MAX_M ? v : 0; break;
	default: return 0;
	}
	return v <= PARAMS_MAX_K ? v : 0;
}

/* "8x7b": the product, which is somewhat more than such models have. */
static uint64_t experts_of(const struct word *w)
{
	struct word one = *w;
	uint64_t experts;
	size_t n = number_of(w, &experts);
	bool is_small;

	if (!n || experts % 1000 || experts > 999000 || n >= w->n || taf_lower(w->at[n]) != 'x')
		return 0;
	one.at += n + 1;
	one.n -= n + 1;
	experts = experts / 1000 * params_of(&one, &is_small);
	return experts <= PARAMS_MAX_K && !is_small ? experts : 0;
}

/* "e4b": four effective ones; with its embeddings such a model has about twice as many
 * (Gemma 3n and 4: E2B 5, E4B 8). */
static uint64_t effective_of(const struct word *w)
{
	struct word one = *w;
	bool is_small;

	if (taf_lower(w->at[0]) != 'e')
		return 0;
	one.at++;
	one.n--;
	return params_of(&one, &is_small) * (is_small ? 0 : 2);
}

static void read_params(struct guess *g, const struct word *w)
{
	bool is_small = false;
	uint64_t k = params_of(w, &is_small);

	k = k ? k : experts_of(w);
	k = k ? k : effective_of(w);
	if (k && !is_small && !g->params_b_k)
		g->params_b_k = k;
	if (k && !g->params_k)
		g->params_k = k;
}

static void read_keyword(struct guess *g, const struct word *w)
{
	for (uint32_t i = 0; i < COUNT(keywords); i++)
		if (is_word(w, keywords[i].word) && (!g->keyword || i + 1 < g->keyword))
			g->keyword = i + 1;
}

/* ---- A name ---------------------------------------------------------------- */

/* "4-bit" and "7 b" are one thing in two words. */
static bool read_pair(struct guess *g, const struct word *before, const struct word *w)
{
	struct word both = { before->at, before->n };
	uint64_t v;

	if (!before->n || number_of(before, &v) != before->n)
		return false;
	if (is_word(w, "bit") || is_word(w, "bits")) {
		say_bits(g, v);
		return true;
	}
	both.n = (size_t)(w->at - before->at) + w->n;
	if (both.n != before->n + 2 || before->at[before->n] != ' ' || !is_word(w, "b"))
		return false;
	g->params_b_k = g->params_b_k ? g->params_b_k : v * 1000;
	return true;
}

static void read_word(struct guess *g, const struct word *w)
{
	if (g->is_after_quant && is_one_of(w, variants, COUNT(variants)))
		return;
	g->is_after_quant = false;
	if (is_one_of(w, others, COUNT(others)))
		g->is_other = true;
	if (read_bytes(g, w))
		return;
	read_params(g, w);
	read_keyword(g, w);
}

static uint64_t guess_of(const char *name)
{
	struct guess g = { .bytes_1000 = PARAMS_DEFAULT_BYTES };
	struct word w, before = { name, 0 };
	uint64_t k;

	while (next_word(&name, &w)) {
		if (!read_pair(&g, &before, &w))
			read_word(&g, &w);
		before = w;
	}
	k = g.params_b_k ? g.params_b_k : g.params_k;
	if (!k && g.keyword && !g.is_other)
		k = keywords[g.keyword - 1].millions * 1000ull;
	return k * g.bytes_1000;
}

enum taf_size_basis taf_size(const char *name, uint64_t file_bytes, uint64_t *bytes)
{
	*bytes = file_bytes;
	if (file_bytes)
		return TAF_SIZE_FILES;
	*bytes = name ? guess_of(taf_base(name)) : 0;
	return *bytes ? TAF_SIZE_NAME : TAF_SIZE_UNKNOWN;
}

const char *taf_size_basis_name(enum taf_size_basis basis)
{
	static const char names[][12] = { "", "name", "file sizes" };

	return names[basis];
}
