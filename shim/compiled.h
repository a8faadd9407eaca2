/* SPDX-License-Identifier: MIT */
/* compiled.h -- files that reach a guest compiled: the policy, the registry.
 *
 *   text, hashed -- STATE/<what>/<sha256>.bin, if it can be trusted -- else the companion
 *
 * A compiled file is believed only when nobody but its owner, who is this user
 * or root, can have written it; whoever maps it checks its content as well.
 */
#ifndef TAF_COMPILED_H
#define TAF_COMPILED_H

#include "../policy/sha256.h"
#include "../policy/text.h"
#include "state.h"

#define TAF_COMPILED_TEXT (1u << 20) /* bytes of a text, at most */

/* Something stands at path, readable or not. */
bool taf_compiled_exists(const char *path);
/* The hash of the text of path. 0 or -errno; -EFBIG: it is larger than any such text. */
int taf_compiled_hash(const char *path, char sha256[TAF_SHA256_HEX]);
/* STATE/<what>/<sha256>.bin; false when there is no state directory. */
bool taf_compiled_path(const char *what, const char *sha256, char path[TAF_PATH_MAX]);
/* Why an open file is not to be believed, or NULL. It should have least to most bytes. */
const char *taf_compiled_distrust(int fd, uint64_t least, uint64_t most);
/* A function of libtaffrail-json.so, which lies beside our object; NULL: it cannot be
 * opened. path is where it was looked for, "" unknown. */
void *taf_compiled_companion(const char *name, char path[TAF_PATH_MAX]);

/* What is wrong with such files, told in one line: "...; PATH: WHAT THEN". why is a
 * struct taf_text; of the type by which the companion tells its own. */
void taf_complain(void *why, const char *line);
void taf_complain_of(struct taf_text *why, const char *path, const char *what, const char *then);

#endif
