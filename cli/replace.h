/* SPDX-License-Identifier: MIT */
/* replace.h -- a file written whole: aside, then renamed into its place.
 *
 * Who reads it meanwhile sees what was there before or all of the new one.  Two
 * processes that write it at once each have a file of their own aside.
 */
#ifndef TAF_REPLACE_H
#define TAF_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

/* Its n bytes, mode 0600; on the disk before it is renamed, if is_durable. 0 or -errno; after
 * a failure what was there before still is. */
int taf_replace(const char *path, const void *data, size_t n, bool is_durable);

#endif
