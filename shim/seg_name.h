/* SPDX-License-Identifier: MIT */
/* seg_name.h -- the names of our files in the folders of crumbs and rings:
 * <boot>-<pid>-<start>-<seg>.jsonl and <boot>-<pid>-<start>.ring */
#ifndef TAF_SEG_NAME_H
#define TAF_SEG_NAME_H

#include "sys.h"

struct taf_seg_name {
	char boot[TAF_BOOT_ID_LEN + 1];
	int32_t pid;
	uint32_t seg;
	uint64_t start;
	bool is_ring;
};

/* False when it is no name that we would write. */
bool taf_seg_name_read(const char *name, struct taf_seg_name *out);

#endif
