/* SPDX-License-Identifier: MIT */
/* hip_ops.h -- what the shim may ask of HIP: to wait, to trim, how much memory there is;
 * and the thread's last error, which all of that leaves as it was.
 *
 * A wait gives up at drain.deadline with -ETIMEDOUT: work on the device may wait for the
 * host, or for a launch that this very thread has still to make.  So streams are asked
 * whether they are done, and a whole device is waited for only when all of those that are
 * known are (hip_kept.h).
 *
 * Only devices on which this process has taken memory are asked anything; the thread's
 * current one stays current. */
#ifndef TAF_HIP_OPS_H
#define TAF_HIP_OPS_H

#include "../shim/table.h"

extern const struct taf_ops taf_hip_ops;

int taf_hip_last_error(const void *home);
void taf_hip_forget_error(const void *home);

#endif
