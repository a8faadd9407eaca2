/* SPDX-License-Identifier: MIT */
/* size.h -- how many bytes a model's weights have, guessed from its name.
 *
 * The name is read by words: parted at every byte that is no letter, digit or
 * decimal point, in lower case.  One word says how many parameters ("7b",
 * "1.7b", "500m", "8x7b", "e4b"), one how many bytes each has ("4bit", "fp8",
 * "q5", "iq4", "bf16"; none: two bytes).  Without a number of parameters the
 * words mini, small, medium, large and xl stand for one, unless another word
 * says that it is no language model, whose "large" is another.  Parts of words
 * never count: "minimax" is not mini.
 *
 * A guess is a guess: the sizes of the files that were opened beat it.
 */
#ifndef TAF_SIZE_H
#define TAF_SIZE_H

#include "text.h"

enum taf_size_basis { TAF_SIZE_UNKNOWN, TAF_SIZE_NAME, TAF_SIZE_FILES };

/* file_bytes: of all weight files that were opened, 0 unknown. *bytes is 0 when
 * nothing is known. name may be NULL. */
enum taf_size_basis taf_size(const char *name, uint64_t file_bytes, uint64_t *bytes);
/* "file sizes", "name", "". */
const char *taf_size_basis_name(enum taf_size_basis basis);

#endif
