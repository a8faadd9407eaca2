/* SPDX-License-Identifier: MIT */
#include "argv.h"

#define JSON_ROOM 1400 /* of a record, for all arguments */
#define MASK "***"

/* The argument after one of these, or after its '=', is not for a log. */
static bool takes_secret(const char *word)
{
	static const char names[][16] = { "--api-key",	    "--token",	      "--hf-token",
					  "--password",	    "--secret",	      "-hft",
					  "--api-key-file", "--ssl-key-file", "--auth" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (taf_same(word, names[i]))
			return true;
	return false;
}

static size_t secret_prefix(const char *word)
{
	static const char names[][16] = { "--api-key=",	 "--token=",  "--hf-token=",
					  "--password=", "--secret=", "--auth=" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (taf_starts(word, names[i]))
			return taf_len(names[i]);
	return 0;
}

static bool looks_secret(const char *word)
{
	return taf_starts(word, "hf_") || taf_starts(word, "sk-") || taf_starts(word, "Bearer ");
}

/* word as it may be shown; buf is for those that are shown in part. */
static const char *masked(const char *word, bool is_secret, char buf[64])
{
	struct taf_text t;
	size_t n = secret_prefix(word);

	if (is_secret || looks_secret(word))
		return MASK;
	if (!n)
		return word;
	taf_text_init(&t, buf, 64);
	taf_text_put_n(&t, word, n);
	taf_text_put(&t, MASK);
	return buf;
}

void taf_argv_json(int argc, char *const *argv, struct taf_text *out)
{
	bool is_secret = false;
	size_t begin = out->used;
	char buf[64];

	taf_text_char(out, '[');
	for (int i = 0; i < argc && argv[i]; i++) {
		if (i)
			taf_text_char(out, ',');
		if (out->used - begin > JSON_ROOM) {
			taf_text_put(out, "\"...\"");
			break;
		}
		taf_text_json(out, masked(argv[i], is_secret, buf), 256);
		is_secret = takes_secret(argv[i]);
	}
	taf_text_char(out, ']');
}

void taf_argv_words(int argc, char *const *argv, struct taf_text *out)
{
	bool is_secret = false;
	char buf[64];

	for (int i = 0; i < argc && argv[i] && !out->is_cut; i++) {
		taf_text_put(out, i ? " " : "");
		taf_text_put(out, i ? masked(argv[i], is_secret, buf) : taf_base(argv[i]));
		is_secret = takes_secret(argv[i]);
	}
}
