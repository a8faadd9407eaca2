/* SPDX-License-Identifier: MIT */
/* local_time.h -- local times of other programs' logs. */
#ifndef TAF_LOCAL_TIME_H
#define TAF_LOCAL_TIME_H

#include <stdint.h>

/* Seconds since 1970 in UTC of a local time that is given as if it were UTC. Where
 * clocks are set back it comes twice: the first time is meant. */
int64_t taf_local_to_utc(int64_t local_s);

#endif
