/* SPDX-License-Identifier: MIT */
/* ring_file.h -- finds and reads the ring that belongs to a session. */
#ifndef TAF_RING_FILE_H
#define TAF_RING_FILE_H

#include "../shim/ring_read.h"
#include "sessions.h"

/* Reads the ring of trail. *bytes is the caller's to free. False, and *bytes NULL:
 * there is none, or it is of another process. */
bool taf_ring_file_read(const struct taf_trail *trail, struct taf_ring_copy *copy, void **bytes);
/* The name of the entry point that a ring knows by its row. */
void taf_ring_file_name(char *to, size_t room, const struct taf_ring_call *call);

#endif
