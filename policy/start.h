/* SPDX-License-Identifier: MIT */
/* start.h -- a program as it was started, and the signs by which one is recognized.
 *
 * A sign is two texts, both globs, and where they are looked for:
 *
 *   ENV    a variable of that name is set, to the second text where there is one
 *   ANY    some word of the command is like the first text
 *   HEAD   the program is like the first text and, where there is a second, the word
 *          behind it is like that.  The program is the file's name, or what an
 *          interpreter runs: a script's name, the module of -m.
 *   WITH   the program is like the first text, and some word is like the second
 *   KIND   the file's own name is like the first text, whatever it runs
 *
 * roles.def and apps.def are tables of signs.
 */
#ifndef TAF_START_H
#define TAF_START_H

#include "text.h"

enum taf_sign { TAF_SIGN_ENV, TAF_SIGN_ANY, TAF_SIGN_HEAD, TAF_SIGN_WITH, TAF_SIGN_KIND };

struct taf_start {
	const char *exe; /* path of the file; NULL: unknown */
	int argc;
	const char *const *argv;
	const char *const *env; /* closed by NULL; may be NULL */
	/* Its variables as it was started, each closed by NUL: a program may take one out
	 * of env once it has read it, as a child of llama-server does. NULL: unknown. */
	const char *block;
	size_t block_bytes; /* the last of them is a NUL */
};

/* What runs, as a person would name it. */
struct taf_head {
	const char *kind; /* name of the file */
	const char *program; /* the same, or what an interpreter runs */
	const char *next; /* the word behind it; "": none */
};

void taf_start_head(const struct taf_start *s, struct taf_head *h);
/* Whether the program bears the sign; h is what taf_start_head says of s. */
bool taf_start_bears(const struct taf_start *s, const struct taf_head *h, enum taf_sign sign,
		     const char *const text[2]);

#endif
