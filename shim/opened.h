/* SPDX-License-Identifier: MIT */
/* opened.h -- which sets of weights have a file open at this moment.
 *
 * An engine that is given a stream to read tells no path.  Of the files that were noted when
 * they were opened (model.h) those count that a descriptor of this process is at now, by
 * device and inode: the name of a descriptor may be that of a blob, to which a link led. What a
 * load has read already does not count: tensors that nobody asked for keep files open.
 * Which of several a stream reads is not known. */
#ifndef TAF_OPENED_H
#define TAF_OPENED_H

#include "model.h"

struct taf_opened {
	uint32_t n, models; /* sets with an open file; those of them that are models */
	char path[TAF_MODEL_PATH]; /* of the first */
};
struct taf_opened_ask {
	bool (*is_left_out)(const char *path); /* it is known who reads that now */
	bool (*is_model)(const char *path);
};
/* Reads /proc/self/fd. Where it cannot, n is 0. */
void taf_opened_look(struct taf_opened *o, const struct taf_opened_ask *ask);

#endif
