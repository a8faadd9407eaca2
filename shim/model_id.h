/* SPDX-License-Identifier: MIT */
/* model_id.h -- one name for one model, however it was reached.
 *
 *   .../models--ORG--NAME/snapshots/HASH/model.safetensors  org/name@hash8
 *   .../models--ORG--NAME/snapshots/HASH/Name-Q4_K_M.gguf   org/name:q4_k_m@hash8
 *   .../blobs/sha256-HEX                                    ollama:sha256-hex12
 *   .../DIRECTORY/model-00001-of-00003.safetensors          directory
 *   .../Name-Q4_K_M-00001-of-00005.gguf                     name-q4_k_m
 *   ORG/NAME, ORG/NAME:QUANT, NAME:TAG                      the same in lower case
 *
 * Lower case, the quantisation stays.  What stands behind '@' says which
 * revision it was and does not count when two names are compared.  Text alone:
 * no file is looked at here, and bytes that could steer a terminal or break a
 * record become '_'.
 */
#ifndef TAF_MODEL_ID_H
#define TAF_MODEL_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAF_MODEL_ID 128 /* bytes, the closing NUL included */

/* The canonical id of a path, a hub name or a tag. False: seen is empty or says nothing. */
bool taf_model_id(const char *seen, char id[TAF_MODEL_ID]);
/* The same for a directory of weights that is not named by a file. */
bool taf_model_id_of_dir(const char *dir, char id[TAF_MODEL_ID]);
/* True when both name one model; revisions are compared only where both have one. */
bool taf_model_id_same(const char *a, const char *b);
/* 64 bits of size, modification time and the file's first bytes: a renamed copy has the same
 * as long as its time was kept, and a link always. */
uint64_t taf_model_fingerprint(uint64_t size, int64_t mtime_ns, const void *head, size_t n);

/* NAME-%05d-of-%05d.SUFFIX: length of NAME, number and count; 0 when base is no part of a split. */
size_t taf_model_split(const char *base, uint32_t *no, uint32_t *count);

#endif
