/* SPDX-License-Identifier: MIT */
#include "start.h"

#include "pyargs.h"

static const char *word_at(const struct taf_start *s, int i)
{
	return i < s->argc && s->argv[i] ? s->argv[i] : "";
}

static bool is_python(const char *name)
{
	return taf_starts(name, "python") || taf_starts(name, "Python") || taf_starts(name, "pypy");
}

void taf_start_head(const struct taf_start *s, struct taf_head *h)
{
	const char *named = taf_base(word_at(s, 0));
	struct taf_pyargs py;

	h->kind = s->exe && *s->exe ? taf_base(s->exe) : named;
	/* A program that renames itself ("VLLM::Worker") says more than its file does. */
	h->program = *named ? named : h->kind;
	h->next = word_at(s, 1);
	if (!is_python(named))
		return;
	taf_pyargs_read(s->argc, s->argv, &py);
	if (py.module || py.script) {
		h->program = taf_base(py.module ? py.module : py.script);
		h->next = word_at(s, py.next);
	}
}

/* variable is "NAME=VALUE"; value "" is any. */
static bool is_set_to(const char *variable, const char *name, const char *value)
{
	size_t n = taf_len(name);

	return taf_starts(variable, name) && variable[n] == '=' &&
	       (!*value || taf_same(variable + n + 1, value));
}

static bool is_in_env(const struct taf_start *s, const char *name, const char *value)
{
	for (const char *const *e = s->env; e && *e; e++)
		if (is_set_to(*e, name, value))
			return true;
	if (!s->block)
		return false;
	for (const char *p = s->block, *end = p + s->block_bytes; p < end; p += taf_len(p) + 1)
		if (is_set_to(p, name, value))
			return true;
	return false;
}

static bool has_word(const struct taf_start *s, const char *glob)
{
	for (int i = 0; i < s->argc && s->argv[i]; i++)
		if (taf_glob(glob, s->argv[i]))
			return true;
	return false;
}

bool taf_start_bears(const struct taf_start *s, const struct taf_head *h, enum taf_sign sign,
		     const char *const text[2])
{
	switch (sign) {
	case TAF_SIGN_ENV: return is_in_env(s, text[0], text[1]);
	case TAF_SIGN_ANY: return has_word(s, text[0]);
	case TAF_SIGN_KIND: return taf_glob(text[0], h->kind);
	case TAF_SIGN_WITH: return taf_glob(text[0], h->program) && has_word(s, text[1]);
	default: return taf_glob(text[0], h->program) && (!*text[1] || taf_glob(text[1], h->next));
	}
}
