/* SPDX-License-Identifier: MIT */
#include "policy_blob.h"

#include "value.h"

/* Where the checksum begins: behind the header. */
#define HEAD_BYTES (offsetof(struct taf_policy, check) + sizeof(uint64_t))

static uint64_t stir(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static uint64_t stir_text(uint64_t h, const char *s)
{
	while (*s)
		h = stir(h, (unsigned char)*s++);
	return stir(h, 0);
}

uint64_t taf_policy_layout(void)
{
	uint64_t h = stir(TAF_POLICY_VERSION, sizeof(struct taf_policy));

	h = stir(h, offsetof(struct taf_policy, base));
	h = stir(h, offsetof(struct taf_policy, profiles));
	h = stir(h, offsetof(struct taf_profile, rules));
	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		const struct taf_rule_info *row = taf_rule_info(i);

		h = stir_text(h, row->path);
		h = stir_text(h, taf_rule_words(i));
		h = stir(h, (uint64_t)row->offset << 32 | (uint64_t)row->bytes << 8 | row->type);
	}
	return h;
}

size_t taf_policy_bytes(const struct taf_policy *p)
{
	size_t n = p->n_profiles < TAF_PROFILES ? p->n_profiles : TAF_PROFILES;

	return TAF_POLICY_LEAST + n * sizeof(p->profiles[0]);
}

/* By words: with its profiles a blob has a hundred kilobytes, and each start reads one. */
typedef uint64_t word __attribute__((may_alias));

_Static_assert(HEAD_BYTES % sizeof(word) == 0 && TAF_POLICY_LEAST % sizeof(word) == 0 &&
		       sizeof(struct taf_profile) % sizeof(word) == 0,
	       "the checksum takes whole words");

static uint64_t sum_of(const struct taf_policy *p)
{
	const word *w = (const void *)p;
	uint64_t h = 1;

	for (size_t i = HEAD_BYTES / sizeof(word); i < taf_policy_bytes(p) / sizeof(word); i++)
		h = stir(h, w[i]);
	return h;
}

void taf_policy_seal(struct taf_policy *p)
{
	p->magic = TAF_POLICY_MAGIC;
	p->version = TAF_POLICY_VERSION;
	p->bytes = (uint32_t)taf_policy_bytes(p);
	p->layout = taf_policy_layout();
	p->check = sum_of(p);
}

static bool are_rows_whole(const struct taf_policy *p)
{
	for (int i = 0; i < TAF_RULE_COUNT; i++)
		if (p->origin[i] > TAF_FROM_FILE || !taf_rules_is_whole(&p->base, i))
			return false;
	return true;
}

/* Rows that it does not set are never read. */
static bool is_profile_whole(const struct taf_profile *f)
{
	if (!taf_is_ended(f->name, sizeof(f->name)) || !taf_is_ended(f->exe, sizeof(f->exe)) ||
	    !taf_is_ended(f->argv, sizeof(f->argv)) ||
	    !taf_is_ended(f->engine, sizeof(f->engine)) || f->role >= TAF_ROLE_COUNT)
		return false;
	for (int i = 0; i < TAF_RULE_COUNT; i++)
		if (taf_profile_sets(f, i) && !taf_rules_is_whole(&f->rules, i))
			return false;
	return true;
}

/* What a checksum cannot promise: anyone can seal, and a writer can go wrong. */
static bool is_sane(const struct taf_policy *p)
{
	if (p->n_profiles > TAF_PROFILES || p->n_bad > INT32_MAX ||
	    !taf_is_ended(p->path, sizeof(p->path)) ||
	    !taf_is_ended(p->sha256, sizeof(p->sha256)) || !are_rows_whole(p))
		return false;
	for (uint32_t i = 0; i < p->n_profiles; i++)
		if (!is_profile_whole(&p->profiles[i]))
			return false;
	return true;
}

static bool no(struct taf_text *why, const char *text)
{
	taf_why(why, text);
	return false;
}

bool taf_policy_is_valid(const void *blob, size_t n, struct taf_text *why)
{
	const struct taf_policy *p = blob;

	if (n < HEAD_BYTES || p->magic != TAF_POLICY_MAGIC)
		return no(why, "it is no compiled policy");
	if (p->version != TAF_POLICY_VERSION)
		return no(why, "it is of another format version; compile it again");
	if (p->layout != taf_policy_layout())
		return no(why, "another taffrail wrote it, with other settings; compile it again");
	if (n < TAF_POLICY_LEAST || n != p->bytes)
		return no(why, "it is cut short or has grown; compile it again");
	if (n != taf_policy_bytes(p) || p->zero || p->check != sum_of(p) || !is_sane(p))
		return no(why, "it is damaged; compile it again");
	return true;
}

void taf_policy_builtin(struct taf_policy *p)
{
	taf_zero(p, sizeof(*p));
	taf_rules_default(&p->base);
	taf_policy_seal(p);
}

static bool fits(const char *glob, const char *s)
{
	if (!*glob)
		return true;
	return taf_glob(glob, s ? s : "");
}

bool taf_profile_matches(const struct taf_profile *f, const struct taf_who *who)
{
	const char *exe = who->exe ? who->exe : "";

	return fits(f->exe, taf_last(f->exe, '/') ? exe : taf_base(exe)) &&
	       fits(f->argv, who->argv) && fits(f->engine, who->engine);
}

bool taf_profile_sets(const struct taf_profile *f, int rule)
{
	return f->set[rule / 64] >> (rule % 64) & 1;
}

void taf_profile_mark(struct taf_profile *f, int rule)
{
	f->set[rule / 64] |= 1ull << (rule % 64);
}

enum taf_role taf_policy_role(const struct taf_policy *p, const struct taf_who *who)
{
	uint32_t role = TAF_ROLE_NONE;

	for (uint32_t i = 0; i < p->n_profiles && i < TAF_PROFILES; i++)
		if (p->profiles[i].role && taf_profile_matches(&p->profiles[i], who))
			role = p->profiles[i].role;
	return (enum taf_role)role;
}

/* Whether the profile, or its role, gives out a value for that row. */
static bool take_row(const struct taf_profile *f, int rule, struct taf_rules *out)
{
	if (!taf_profile_sets(f, rule))
		return taf_role_give((enum taf_role)f->role, out, rule);
	taf_rules_take(out, &f->rules, rule);
	return true;
}

void taf_policy_for(const struct taf_policy *p, const struct taf_who *who, struct taf_rules *out,
		    uint8_t *origin)
{
	taf_move(out, &p->base, sizeof(*out));
	if (origin)
		taf_move(origin, p->origin, sizeof(p->origin));
	for (uint32_t i = 0; i < p->n_profiles && i < TAF_PROFILES; i++) {
		if (!taf_profile_matches(&p->profiles[i], who))
			continue;
		for (int rule = 0; rule < TAF_RULE_COUNT; rule++)
			if (take_row(&p->profiles[i], rule, out) && origin)
				origin[rule] = (uint8_t)(TAF_FROM_PROFILE + i);
	}
}
