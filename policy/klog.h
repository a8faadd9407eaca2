/* SPDX-License-Identifier: MIT */
/* klog.h -- what one line of the Linux kernel log tells, and what a later line makes of it.
 *
 * A line comes as it was printed, with or without time stamps before it; it is
 * any bytes.  Only the kernel's own lines should be asked about: what programs
 * write to /dev/kmsg looks the same.
 */
#ifndef TAF_KLOG_H
#define TAF_KLOG_H

#include "ledger.h"

#include <stddef.h>

struct taf_klog {
	char class[40]; /* "xid_79", "amdgpu_ring_timeout" */
	uint8_t severity; /* enum taf_severity */
	bool closes; /* the device works again */
	bool is_verdict; /* Xid 154: severity is the driver's own word on the GPU */
	int32_t pid; /* 0: not named */
	char device[24]; /* "0000:01:00.0"; "": not named */
	const char *what; /* what happened */
	const char *advice; /* what to do: of an Xid what NVIDIA asks for */
};

/* False when the line tells of no harm. */
bool taf_klog_line(const char *line, size_t n, struct taf_klog *k);
/* Applies what k says of its device to the events before it, those of the boot
 * when->boot up to when: a reset that succeeded leaves the processes to be
 * restarted and nothing more; a verdict decides over the other Xids. Returns
 * how many events it changed. */
uint32_t taf_klog_settle(struct taf_ledger_event *events, uint32_t n, const struct taf_klog *k,
			 const struct taf_moment *when);
/* The i-th class of klog.def; "" behind the last one. */
const char *taf_klog_class(size_t i);

#endif
