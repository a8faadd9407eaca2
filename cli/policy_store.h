/* SPDX-License-Identifier: MIT */
/* policy_store.h -- compiled policies and registries in the state directory.
 *
 * A blob is written aside, flushed and renamed, so whoever maps it sees all of
 * it or none.  Its name is the hash of its text; equal names may be written by
 * two at once, and either is right.
 */
#ifndef TAF_POLICY_STORE_H
#define TAF_POLICY_STORE_H

#include <stdbool.h>

#include "../policy/policy_blob.h"
#include "../policy/registry.h"

/* STATE/policy/<sha256>.bin; false when the name is too long. */
bool taf_store_path(const char *state, const char *sha256, char *path, size_t room);
/* Fills *out from path if it is there, valid and of that text. */
bool taf_store_take(const char *path, const char *sha256, struct taf_policy *out);
/* 0 or -errno. Makes the directories; does nothing when the same is there already. */
int taf_store_put(const char *state, const struct taf_policy *p);
/* The same for STATE/registry/<sha256>.bin; out has room for TAF_REGISTRY_MAX bytes. */
bool taf_store_take_registry(const char *state, const char *sha256, struct taf_registry *out);
int taf_store_put_registry(const char *state, const struct taf_registry *r);
/* The hash of a file's text, for these. 0 or -errno. */
int taf_store_hash(const char *file, char sha256[TAF_SHA256_HEX]);

#endif
