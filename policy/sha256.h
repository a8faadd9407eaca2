/* SPDX-License-Identifier: MIT */
/* sha256.h -- SHA-256 (FIPS 180-4), to name a policy by its text.
 *
 * Pure: no table is built, nothing is kept.  About 200 MB/s; policies have a
 * few kilobytes.
 */
#ifndef TAF_SHA256_H
#define TAF_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define TAF_SHA256_BYTES 32
#define TAF_SHA256_HEX 65 /* 64 digits and the NUL */

void taf_sha256(const void *data, size_t n, uint8_t out[TAF_SHA256_BYTES]);
void taf_sha256_hex(const void *data, size_t n, char out[TAF_SHA256_HEX]);

#endif
