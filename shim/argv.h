/* SPDX-License-Identifier: MIT */
/* argv.h -- a command line that may be shown to others.
 *
 * What follows --api-key, --token and the like, and words that look like keys
 * (hf_..., sk-...), are written as "***".
 */
#ifndef TAF_ARGV_H
#define TAF_ARGV_H

#include "../policy/text.h"

/* As a JSON array. */
void taf_argv_json(int argc, char *const *argv, struct taf_text *out);
/* As words with blanks between, the first without its folders. */
void taf_argv_words(int argc, char *const *argv, struct taf_text *out);

#endif
