/* SPDX-License-Identifier: MIT */
/* role.h -- what kind of program this is, and the limits that go with it.
 *
 * A profile of the policy may name a role; then the role's limits (roles.def)
 * are as if the profile had set them, but for what it sets itself.  Without a
 * policy a role is only recognized and reported: a guess limits nothing.
 */
#ifndef TAF_ROLE_H
#define TAF_ROLE_H

#include "rules.h"
#include "start.h"

enum taf_role {
	TAF_ROLE_NONE,
#define ROLE(name, word, text) TAF_ROLE_##name,
#include "roles.def"
	TAF_ROLE_COUNT
};

const char *taf_role_name(enum taf_role role); /* "" for none */
int taf_role_of(const char *name); /* or -1 */
/* "server, embedded, notebook, cli or worker" */
void taf_role_words(struct taf_text *out);

/* Whether the role has a limit of its own for that row. */
bool taf_role_sets(enum taf_role role, int rule);
/* Gives r the role's value of that row; false when it has none. */
bool taf_role_give(enum taf_role role, struct taf_rules *r, int rule);

/* What the program most likely is; TAF_ROLE_NONE when nothing of it is known. */
enum taf_role taf_role_guess(const struct taf_start *s);

#endif
