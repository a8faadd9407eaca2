/* SPDX-License-Identifier: MIT */
/* outbox.h -- the one socket that datagrams of ours leave by.
 *
 * It is made once and kept: a descriptor for each would have the lowest number for a moment,
 * which a program may count on or close.  It lies high; a program that closes all
 * descriptors closes it too, and may have something of its own there by then: it is
 * looked at before it is used, and made again.  Threads may send at the same time.
 */
#ifndef TAF_OUTBOX_H
#define TAF_OUTBOX_H

#include <stddef.h>

void taf_outbox_open(void); /* or at the first that is sent */
/* To the local socket at path, never waiting. 0 or -errno. */
int taf_outbox_send(const char *path, const void *buf, size_t n);

#endif
