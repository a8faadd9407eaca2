/* SPDX-License-Identifier: MIT */
/* version.h -- versions compared, and held against specifiers.
 *
 *   PEP 440      [N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local], with the spellings
 *                that PEP 440 calls normal forms of these ("v1.0-RC.1", "1.0-1")
 *   a build      bN, as llama.cpp numbers its builds: an ordering of its own, which
 *                is neither above nor below any version of the other kind
 *
 *   a specifier  a list of clauses with commas between, all of which must hold:
 *                ==V !=V <V <=V >V >=V ~=V ===TEXT ==V.* !=V.*; of builds the first six
 *
 * As PEP 440 has it: a version without a local part equals itself with any;
 * <V lets no pre-release of V through and >V no post-release, unless V is one.
 * Pre-releases count like all others: what is installed is what runs.
 */
#ifndef TAF_VERSION_H
#define TAF_VERSION_H

#include "text.h"

/* True for a version that can be compared. */
bool taf_version_is_valid(const char *version);
/* -1, 0, 1; 2 when one cannot be read or they are of different kinds. */
int taf_version_compare(const char *a, const char *b);
/* False when it is no specifier; why (may be NULL) says what is wrong. */
bool taf_spec_is_valid(const char *spec, struct taf_text *why);
/* Every clause holds. False when either cannot be read. */
bool taf_version_matches(const char *version, const char *spec);

#endif
