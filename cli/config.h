/* SPDX-License-Identifier: MIT */
/* config.h -- reads a policy file: JSON to struct taf_policy.
 *
 * This is all of libtaffrail-json.so, the companion, which alone needs cJSON.
 * The command opens it (companion.h), and so does the shim in a program that
 * was preloaded by hand.  It may run inside a stranger's process: no stdio, no
 * locale, errno untouched, nothing is kept.
 *
 * Comments (slash-slash, slash-star) are allowed, commas behind the last element are not.
 * A bad setting keeps its default and costs one line:
 *
 *   file:line:col: path: what is wrong; what to write
 *
 * The position is that of the value, or of the key when the key is what is
 * wrong.  In a list the bad entry is left out, and the built-in entries stay
 * beside the good ones.
 */
#ifndef TAF_CONFIG_H
#define TAF_CONFIG_H

#include "../policy/policy_blob.h"

#define TAF_CONFIG_MAX (1u << 20) /* bytes of a policy file */
#define TAF_CONFIG_TOLD 100 /* mistakes told one by one */

typedef void taf_tell_fn(void *ctx, const char *line);

/* Fills *out from the file. version is TAF_POLICY_VERSION and out_size
 * sizeof(struct taf_policy) as the caller was built; a stranger gets -EPROTO
 * and out is untouched.  0, also when settings are bad (out->n_bad of them);
 * -EINVAL when the text is no JSON object, else the error of reading the file: then *out is the
 * built-in policy with path and n_bad set, and sha256 too if there was a text. */
__attribute__((visibility("default"))) int taffrail_policy_load(const char *path,
								struct taf_policy *out,
								size_t out_size, uint32_t version,
								taf_tell_fn *tell, void *ctx);

typedef int taf_policy_load_fn(const char *, struct taf_policy *, size_t, uint32_t, taf_tell_fn *,
			       void *);

#endif
