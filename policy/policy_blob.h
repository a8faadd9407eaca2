/* SPDX-License-Identifier: MIT */
/* policy_blob.h -- a compiled policy: what one file says, ready to be mapped.
 *
 *   STATE/policy/<sha256 of the file's text>.bin    one struct taf_policy, as far as
 *                                                   its last profile
 *
 * It holds the file and nothing else: TAFFRAIL_SET and --set are applied by
 * whoever uses it, after the profiles, so that one name always has one content.
 * Written by taf_policy_find (cli) by write + fsync + rename; read by the
 * shim, which maps it and trusts it only after taf_policy_is_valid: magic,
 * format version, size, layout (a hash over every row of rules.def: path, type,
 * offset, size), a checksum over the rest, and every value one that a text could
 * have given.
 *
 * Profiles: all that match apply, in the order of the file, the later one
 * winning setting by setting; env.set is joined by name.  What the role of a
 * profile limits counts as set by that profile, unless it sets that itself.
 */
#ifndef TAF_POLICY_BLOB_H
#define TAF_POLICY_BLOB_H

#include "role.h"
#include "rules.h"
#include "sha256.h"

#define TAF_POLICY_MAGIC 0x4c504154u /* "TAPL" */
#define TAF_POLICY_VERSION 3u
#define TAF_PROFILES 8
#define TAF_GLOB_ROOM 128

struct taf_profile {
	char name[TAF_NAME_ROOM];
	/* Globs; "" matches all. exe is held against the whole path when it has
	 * a '/', else against the name. */
	char exe[TAF_GLOB_ROOM], argv[TAF_GLOB_ROOM], engine[TAF_GLOB_ROOM];
	uint32_t role, role_line; /* enum taf_role, and where it is given; 0: nowhere */
	uint32_t begins, zero; /* line of the file; 0 */
	uint64_t set[TAF_RULE_WORDS]; /* one bit a row: the profile sets it */
	uint32_t line[TAF_RULE_COUNT];
	struct taf_rules rules; /* only the rows in set count */
};

struct taf_policy {
	uint32_t magic, version;
	uint32_t bytes; /* taf_policy_bytes() */
	uint32_t zero;
	uint64_t layout; /* taf_policy_layout() */
	uint64_t check; /* of all that follows */
	char sha256[TAF_SHA256_HEX]; /* of the text; "": built-in */
	char path[512]; /* of the file; "": built-in */
	uint8_t origin[TAF_RULE_COUNT]; /* enum taf_origin */
	uint32_t n_bad; /* mistakes in the file */
	uint32_t n_profiles;
	uint32_t line[TAF_RULE_COUNT]; /* where the file sets it; 0: it does not */
	struct taf_rules base;
	struct taf_profile profiles[TAF_PROFILES];
};

/* A program, as far as it is known; NULL or "" is unknown and matches "*" alone. */
struct taf_who {
	const char *exe; /* path */
	const char *argv; /* joined by blanks */
	const char *engine; /* taf_engine_name */
	const struct taf_start *start; /* as it was started; NULL: unknown, no known program */
};

void taf_policy_builtin(struct taf_policy *p);
/* What the file says to one program: the base, then every profile that matches. What
 * a known program gets besides comes last of all (app.h). origin (may be NULL) has
 * room for TAF_RULE_COUNT. */
void taf_policy_for(const struct taf_policy *p, const struct taf_who *who, struct taf_rules *out,
		    uint8_t *origin);
bool taf_profile_matches(const struct taf_profile *f, const struct taf_who *who);
bool taf_profile_sets(const struct taf_profile *f, int rule);
void taf_profile_mark(struct taf_profile *f, int rule);
/* The role that the profiles give to a program; the last that matches wins. */
enum taf_role taf_policy_role(const struct taf_policy *p, const struct taf_who *who);

/* A blob without and with all its profiles. */
#define TAF_POLICY_LEAST offsetof(struct taf_policy, profiles)
#define TAF_POLICY_MOST sizeof(struct taf_policy)
/* How much of it counts: a start should not read eight profiles to use one. */
size_t taf_policy_bytes(const struct taf_policy *p);
/* Fills the fields that taf_policy_is_valid looks at. */
void taf_policy_seal(struct taf_policy *p);
/* why (may be NULL) says what is wrong with it. */
bool taf_policy_is_valid(const void *blob, size_t n, struct taf_text *why);
/* One number for the shape of struct taf_policy. */
uint64_t taf_policy_layout(void);

#endif
