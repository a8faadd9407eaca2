/* SPDX-License-Identifier: MIT */
#include "version.h"

#include "letter.h"
#include "value.h"

#define PARTS 8 /* of a release; more is no version that anybody has */
#define LOCAL_ROOM 48
#define WORD 8 /* room for what can stand in a version */
#define TEXT_MAX 96 /* bytes of a version, of one clause */

/* What stands between the release and its end, in the order in which it sorts. */
enum stage { STAGE_DEV, STAGE_A, STAGE_B, STAGE_RC, STAGE_FINAL };

struct version {
	bool is_build;
	uint64_t epoch;
	uint64_t release[PARTS];
	uint32_t n;
	enum stage stage;
	uint64_t pre; /* number of a, b or rc */
	bool has_post, has_dev;
	uint64_t post, dev;
	char local[LOCAL_ROOM]; /* lower case, parted by points; "" none */
};

static bool is_gap(char c)
{
	return c == '-' || c == '_' || c == '.';
}

/* ---- Reading a version ----------------------------------------------------- */

static bool take_number(const char **s, uint64_t *v)
{
	const char *end;

	if (!taf_is_digit(**s) || !taf_read_u64(*s, &end, v))
		return false;
	*s = end;
	return true;
}

/* The first of the words that stands there, with or without a gap before it; its place, or -1. */
static int take_word(const char **s, const char (*words)[WORD], int count)
{
	const char *p = *s + is_gap(**s);

	for (int i = 0; i < count; i++) {
		size_t n = 0;

		while (words[i][n] && taf_lower(p[n]) == words[i][n])
			n++;
		if (!words[i][n]) {
			*s = p + n;
			return i;
		}
	}
	return -1;
}

/* The number behind a word, 0 when there is none. */
static bool take_count(const char **s, uint64_t *v)
{
	const char *p = *s + is_gap(**s);

	*v = 0;
	if (!taf_is_digit(*p))
		return true;
	*s = p;
	return take_number(s, v);
}

static bool take_release(const char **s, struct version *v)
{
	do {
		if (v->n == PARTS || !take_number(s, &v->release[v->n++]))
			return false;
	} while (**s == '.' && taf_is_digit((*s)[1]) && (*s)++);
	return true;
}

static bool take_pre(const char **s, struct version *v)
{
	static const char words[][WORD] = {
		"alpha", "a", "beta", "b", "preview", "pre", "rc", "c"
	};
	static const uint8_t stages[] = { STAGE_A,  STAGE_A,  STAGE_B,	STAGE_B,
					  STAGE_RC, STAGE_RC, STAGE_RC, STAGE_RC };
	int word = take_word(s, words, 8);

	v->stage = STAGE_FINAL;
	if (word < 0)
		return true;
	v->stage = stages[word];
	return take_count(s, &v->pre);
}

static bool take_post(const char **s, struct version *v)
{
	static const char words[][WORD] = { "post", "rev", "r" };

	if (**s == '-' && taf_is_digit((*s)[1])) {
		(*s)++;
		v->has_post = true;
		return take_number(s, &v->post);
	}
	v->has_post = take_word(s, words, 3) >= 0;
	return !v->has_post || take_count(s, &v->post);
}

static bool take_dev(const char **s, struct version *v)
{
	static const char words[][WORD] = { "dev" };

	v->has_dev = !take_word(s, words, 1);
	if (v->has_dev && v->stage == STAGE_FINAL && !v->has_post)
		v->stage = STAGE_DEV;
	return !v->has_dev || take_count(s, &v->dev);
}

static bool take_local(const char **s, struct version *v)
{
	size_t n = 0;

	if (**s != '+')
		return true;
	for ((*s)++; taf_is_digit(**s) || taf_is_letter(**s) || is_gap(**s); (*s)++) {
		if (n + 1 == LOCAL_ROOM || (is_gap(**s) && (!n || is_gap((*s)[1]))))
			return false;
		v->local[n++] = is_gap(**s) ? '.' : taf_lower(**s);
	}
	return n && v->local[n - 1] != '.';
}

static bool take_build(const char **s, struct version *v)
{
	const char *p = *s + 1;

	if (**s != 'b' || !take_number(&p, &v->release[0]) || (*p && !taf_is_space(*p)))
		return false;
	v->is_build = true;
	v->n = 1;
	v->stage = STAGE_FINAL;
	*s = p;
	return true;
}

static bool take_pep440(const char **s, struct version *v)
{
	const char *p = *s + (taf_lower(**s) == 'v');
	uint64_t n;

	*s = p;
	if (take_number(&p, &n) && *p == '!') {
		v->epoch = n;
		*s = p + 1;
	}
	return take_release(s, v) && take_pre(s, v) && take_post(s, v) && take_dev(s, v) &&
	       take_local(s, v);
}

static bool read_version(const char *s, struct version *v)
{
	taf_zero(v, sizeof(*v));
	while (taf_is_space(*s))
		s++;
	if (!take_build(&s, v) && !take_pep440(&s, v))
		return false;
	while (taf_is_space(*s))
		s++;
	return !*s;
}

/* ---- Comparing ------------------------------------------------------------- */

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int order_release(const struct version *a, const struct version *b)
{
	int c = order(a->epoch, b->epoch);

	for (uint32_t i = 0; !c && i < PARTS; i++)
		c = order(a->release[i], b->release[i]);
	return c;
}

static size_t part_of(const char *s)
{
	size_t n = 0;

	while (s[n] && s[n] != '.')
		n++;
	return n;
}

static bool is_number(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!taf_is_digit(s[i]))
			return false;
	return n;
}

/* Parts of digits are numbers, and above all words. */
static int order_part(const char *a, size_t na, const char *b, size_t nb)
{
	bool num_a = is_number(a, na), num_b = is_number(b, nb);

	if (num_a != num_b)
		return num_a ? 1 : -1;
	while (num_a && na && *a == '0')
		a++, na--;
	while (num_b && nb && *b == '0')
		b++, nb--;
	if (num_a && na != nb)
		return order(na, nb);
	for (size_t i = 0; i < na && i < nb; i++)
		if (a[i] != b[i])
			return order((unsigned char)a[i], (unsigned char)b[i]);
	return order(na, nb);
}

static int order_local(const char *a, const char *b)
{
	while (*a && *b) {
		size_t na = part_of(a), nb = part_of(b);
		int c = order_part(a, na, b, nb);

		if (c)
			return c;
		a += na + (a[na] == '.');
		b += nb + (b[nb] == '.');
	}
	return order(*a != '\0', *b != '\0');
}

/* All but the local part. */
static int order_public(const struct version *a, const struct version *b)
{
	int c = order_release(a, b);

	c = c ? c : order(a->stage, b->stage);
	c = c ? c : order(a->pre, b->pre);
	c = c ? c : order(a->has_post, b->has_post);
	c = c ? c : order(a->post, b->post);
	c = c ? c : order(!a->has_dev, !b->has_dev);
	return c ? c : order(a->dev, b->dev);
}

static int order_all(const struct version *a, const struct version *b)
{
	int c = order_public(a, b);

	return c ? c : order_local(a->local, b->local);
}

bool taf_version_is_valid(const char *version)
{
	struct version v;

	return read_version(version, &v);
}

int taf_version_compare(const char *a, const char *b)
{
	struct version va, vb;

	if (!read_version(a, &va) || !read_version(b, &vb) || va.is_build != vb.is_build)
		return 2;
	return order_all(&va, &vb);
}

/* ---- Specifiers ------------------------------------------------------------ */

enum op { OP_SAME, OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT, OP_NEAR, OP_COUNT };

/* A longer one first where a shorter one begins it. */
static const char ops[OP_COUNT][4] = { "===", "==", "!=", "<=", ">=", "<", ">", "~=" };

struct clause {
	enum op op;
	bool is_prefix; /* V.* */
	struct version v;
	char text[TEXT_MAX]; /* behind the operator, without blanks round it */
};

static bool is_pre(const struct version *v)
{
	return v->stage < STAGE_FINAL || v->has_dev;
}

/* The release of v begins with that of w. */
static bool has_prefix(const struct version *v, const struct version *w)
{
	return v->epoch == w->epoch &&
	       taf_equal(v->release, w->release, w->n * sizeof(w->release[0]));
}

static bool is_equal(const struct version *v, const struct clause *c)
{
	if (c->is_prefix)
		return has_prefix(v, &c->v);
	return c->v.local[0] ? !order_all(v, &c->v) : !order_public(v, &c->v);
}

/* v is on the way to w: "1.0rc1" to "1.0", "1.0.post1.dev2" to "1.0.post1". */
static bool leads_to(const struct version *v, const struct version *w)
{
	if (order_release(v, w) || !is_pre(v) || is_pre(w))
		return false;
	return !w->has_post || (v->stage == w->stage && v->has_post && v->post == w->post);
}

/* v is w with a post-release behind it. */
static bool comes_after(const struct version *v, const struct version *w)
{
	struct version base = *v;

	base.has_post = base.has_dev = false;
	base.post = base.dev = 0;
	return v->has_post && !w->has_post && !order_public(&base, w);
}

static bool is_below(const struct version *v, const struct version *w)
{
	return order_public(v, w) < 0 && !leads_to(v, w);
}

static bool is_above(const struct version *v, const struct version *w)
{
	return order_public(v, w) > 0 && !comes_after(v, w);
}

static bool holds(const struct version *v, const struct clause *c)
{
	if (c->v.is_build != v->is_build)
		return false;
	switch (c->op) {
	case OP_EQ: return is_equal(v, c);
	case OP_NE: return !is_equal(v, c);
	case OP_LE: return order_public(v, &c->v) <= 0;
	case OP_GE: return order_public(v, &c->v) >= 0;
	case OP_LT: return is_below(v, &c->v);
	case OP_GT: return is_above(v, &c->v);
	case OP_NEAR:
		return order_public(v, &c->v) >= 0 && v->epoch == c->v.epoch &&
		       taf_equal(v->release, c->v.release, (c->v.n - 1) * sizeof(v->release[0]));
	default: return false;
	}
}

static bool is_same_text(const char *version, const char *text)
{
	size_t n = 0;

	while (taf_is_space(*version))
		version++;
	while (text[n] && taf_lower(version[n]) == taf_lower(text[n]))
		n++;
	version += n;
	while (taf_is_space(*version))
		version++;
	return !text[n] && !*version;
}

static bool no(struct taf_text *why, const char *text, const char *what)
{
	taf_why_quote(why, text);
	taf_why(why, what);
	return false;
}

/* Copies up to the next comma without blanks round it; *s moves behind it. */
static bool take_text(const char **s, char text[TEXT_MAX])
{
	size_t n = 0;

	while (taf_is_space(**s))
		(*s)++;
	for (; **s && **s != ','; (*s)++) {
		if (n + 1 == TEXT_MAX)
			return false;
		text[n++] = **s;
	}
	while (n && taf_is_space(text[n - 1]))
		n--;
	text[n] = '\0';
	*s += **s == ',';
	return n;
}

static bool read_clause_version(struct clause *c, struct taf_text *why)
{
	size_t n = taf_len(c->text);

	if (c->op == OP_SAME)
		return true;
	c->is_prefix = n > 2 && taf_ends(c->text, ".*");
	if (c->is_prefix)
		c->text[n - 2] = '\0';
	if (!read_version(c->text, &c->v))
		return no(why, c->text, " is no version; write one like 1.2.3 or b1234");
	if (c->is_prefix &&
	    (c->op > OP_NE || c->v.is_build || is_pre(&c->v) || c->v.has_post || c->v.local[0]))
		return no(why, c->text, ".* goes with == and != of a plain version alone");
	if (c->op == OP_NEAR && (c->v.n < 2 || c->v.is_build || c->v.local[0]))
		return no(why, c->text, " is too short for ~=; write at least two numbers");
	if (c->v.local[0] && c->op > OP_NE)
		return no(why, c->text, " has a local part, which only == and != compare");
	return true;
}

/* One clause of *s, which moves behind it. */
static bool take_clause(const char **s, struct clause *c, struct taf_text *why)
{
	const char *from;
	int op = 0;

	while (taf_is_space(**s))
		(*s)++;
	from = *s;
	while (op < OP_COUNT && !taf_starts(*s, ops[op]))
		op++;
	if (op == OP_COUNT)
		return no(why, from, " begins with none of == != < <= > >= ~= ===");
	*s += taf_len(ops[op]);
	c->op = (enum op)op;
	c->is_prefix = false;
	if (!take_text(s, c->text))
		return no(why, from, " needs a version behind its operator");
	return read_clause_version(c, why);
}

bool taf_spec_is_valid(const char *spec, struct taf_text *why)
{
	struct clause c;

	do {
		if (!take_clause(&spec, &c, why))
			return false;
	} while (*spec);
	return true;
}

bool taf_version_matches(const char *version, const char *spec)
{
	struct version v;
	struct clause c;
	bool can_compare = read_version(version, &v);

	do {
		if (!take_clause(&spec, &c, NULL))
			return false;
		if (c.op == OP_SAME ? !is_same_text(version, c.text)
				    : !can_compare || !holds(&v, &c))
			return false;
	} while (*spec);
	return true;
}
