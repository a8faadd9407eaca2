/* SPDX-License-Identifier: MIT */
/* hip_ops.h -- what the shim may ask of HIP: to wait, to trim, how much memory there is;
 * and the thread's last error, which all of that leaves as it was.
 *
 * Only devices on which this process has taken memory are asked anything; the thread's
 * current one stays current. */
#ifndef TAF_HIP_OPS_H
#define TAF_HIP_OPS_H

#include "../shim/table.h"

extern const struct taf_ops taf_hip_ops;

int taf_hip_last_error(const void *home);
void taf_hip_forget_error(const void *home);
/* A pool was made (from NULL) or is given up (to NULL). */
void taf_hip_pool(void *from, void *to);

#endif
